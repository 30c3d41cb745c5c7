"""What may go wrong, named by what happens next.

HubError
├── Retry          try the same thing again, not before `after` seconds
├── Unauthorized   pause the connection, ask its owner to reconnect, park its work
├── Rejected       this one item cannot be done; put it before a person, never retry
├── PluginError    a plugin broke its contract; name it, keep the rest running
├── Unknown        the reply was lost: the effect may or may not have happened
├── Refused        the request makes no sense as it stands; say which field and why
├── Forbidden      the principal may not do or see this
└── Missing        there is no such thing (or it is not yours to see)
"""

from __future__ import annotations


class HubError(Exception):
    """Root of everything the hub raises on purpose; its text is written for a person."""


class Retry(HubError):
    """Ask for the same call again, not before `after` seconds from now."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class Unauthorized(HubError):
    """Say that the credentials no longer work; only a person can mend it."""


class Rejected(HubError):
    """Say that this item will never be accepted as it is; `field` names the part at fault."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class PluginError(HubError):
    """Name a plugin that broke its contract and how."""


class Unknown(HubError):
    """Say that the reply was lost, so nobody can tell whether the effect happened."""


class Refused(HubError):
    """Turn a request away; `field` is a dotted path into what was sent."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class Forbidden(HubError):
    """Say that the principal may not do or see this."""


class Missing(HubError):
    """Say that there is no such thing, or none that the principal may see."""
