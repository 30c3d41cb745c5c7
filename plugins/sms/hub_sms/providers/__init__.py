"""The providers of text messages: one file each, and a line in `PROVIDERS`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from hub import Delivery, DeliveryReport, InboundText, Incoming, Receipt
    from hub_sms.config import Config

PROVIDERS = {
    "generic": "hub_sms.providers.generic:Generic",
    "twilio": "hub_sms.providers.twilio:Twilio",
    "vonage": "hub_sms.providers.vonage:Vonage",
}
"""The setting `provider` -> module and class; its names stand in `Config.provider` as well."""


@dataclass(frozen=True)
class Text:
    """One text as it goes out."""

    to: str
    """E.164."""
    sender: str
    """A number, a short code or a name; empty where the provider chooses."""
    text: str
    key: str
    reference: str
    kind: str


class Provider(Protocol):
    """What sends texts; errors are the hub's."""

    keyed: ClassVar[bool]
    """Whether it drops a text that comes again under its key."""

    def __init__(self, config: Config) -> None: ...

    def check(self) -> None:
        """Make the cheapest call that needs the credentials."""
        ...

    def send(self, text: Text) -> Receipt:
        """Hand a text over; an opt-out that the provider knows of is a withheld receipt."""
        ...

    def receive(self, request: Incoming) -> Delivery:
        """Verify a webhook; look at bytes only."""
        ...

    def unpack(self, request: Incoming) -> Iterator[DeliveryReport | InboundText]:
        """Yield what a verified webhook tells."""
        ...

    def listen(self, url: str) -> str:
        """Have replies sent to `url`; return in words what was done, or what a person has to do."""
        ...

    def leave(self, url: str) -> None:
        """Have replies sent to `url` no more, where `listen` did that."""
        ...


def provider(config: Config) -> Provider:
    """Return the provider that the settings name."""
    module, _, name = PROVIDERS[config.provider].partition(":")
    made: type[Provider] = getattr(import_module(module), name)
    return made(config)
