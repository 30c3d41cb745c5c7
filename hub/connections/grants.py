"""What a consent gave: how long it holds, when it is renewed, and what it has to hold for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import SecretStr

from hub.capabilities import OAuth
from hub.connector import Connector
from hub.contract import methods
from hub.nouns import Grant
from hub.store import ConnectionRow

CLOSE, EARLY = timedelta(minutes=2), timedelta(minutes=5)
"""No call begins with less than CLOSE left; the renewal begins EARLY, so that it may fail before.

Access that lives for a short time only is renewed in its last quarter and used to its last eighth.
"""


def by_consent(kind: type[Connector[Any]]) -> bool:
    """Say whether a connector is connected by a consent page."""
    return all(hasattr(kind, name) for name in methods(OAuth))


def needed(kind: type[Connector[Any]], config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the scopes that a connection needs: its setting `scopes`, else the connector's."""
    own = config.get("scopes")
    if isinstance(own, str):
        return tuple(own.split())
    return tuple(str(one) for one in own) if own else kind.scopes


def plain(grant: Grant) -> Grant:
    """Return a grant whose secrets are bare texts, so that it can be merged and sealed."""
    return grant.model_copy(update={"settings": bare(grant.settings)})


def bare(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with their secrets as bare texts."""
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in settings.items()
    }


def note(row: ConnectionRow, grant: Grant, wall: datetime) -> None:
    """Write down beside the settings what else a grant says."""
    row.account = grant.account or row.account
    row.scopes = list(grant.scopes) or row.scopes
    row.granted = sorted({*row.granted, *grant.settings})
    row.grants += 1
    row.renewed_at, row.renewing_at = wall, None
    # Undoing an earlier change of the settings would bring tokens back that no longer hold.
    row.previous, row.previous_at = "", None
    row.expires_at = grant.expires_at
    row.renew_at = None if row.expires_at is None else row.expires_at - early(row)


def early(row: ConnectionRow) -> timedelta:
    """Return how long before its end access is renewed."""
    if row.expires_at is None or row.renewed_at is None or row.expires_at <= row.renewed_at:
        return timedelta(0)
    return min(EARLY, (row.expires_at - row.renewed_at) / 4)


def forget(row: ConnectionRow) -> None:
    """Take back what `note` wrote."""
    row.account, row.scopes, row.granted = "", [], []
    row.previous, row.previous_at = "", None
    row.grants += 1
    row.renewed_at = row.renewing_at = row.expires_at = row.renew_at = row.doubted_at = None


def waits(row: ConnectionRow, wall: datetime) -> bool:
    """Say whether calls have to wait for a renewal: too close to the end, or in doubt."""
    if row.renewed_at is None:
        return False
    if row.doubted_at is not None and row.doubted_at > row.renewed_at:
        return True
    if row.expires_at is None:
        return False
    return row.expires_at - wall <= min(CLOSE, (row.expires_at - row.renewed_at) / 8)


def doubt(row: ConnectionRow, began: datetime, wall: datetime) -> bool:
    """Note that a call that `began` then was refused; return whether it is worth another try.

    A consent may be renewed once for that. What is refused again after the renewal is refused.
    """
    if row.renewed_at is None or row.state == "action_needed":
        return False
    if began < row.renewed_at:
        return True
    if row.doubted_at is None:
        row.doubted_at = row.renew_at = max(wall, row.renewed_at + timedelta(microseconds=1))
    return row.doubted_at > row.renewed_at
