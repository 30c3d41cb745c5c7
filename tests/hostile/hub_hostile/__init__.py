"""A connector that misbehaves as its settings say; for the tests of the hub."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, cast

from pydantic import BaseModel, Field, SecretStr

from hub import (
    Address,
    Callback,
    Channel,
    Connect,
    Connector,
    Cursor,
    Delivery,
    Geocoder,
    Grant,
    Incoming,
    Location,
    Message,
    Order,
    OrderSource,
    Receipt,
    RefusedRow,
    hookimpl,
)
from hub_hostile.deeds import DEEDS


class Config(BaseModel):
    """What to do wrong, and in which call."""

    deed: str = Field(default="", title="Deed")
    call: Literal["send", "check", "pull", "locate", "exchange", "refresh", "receive"] = Field(
        default="send", title="Call"
    )
    token: SecretStr = Field(default=SecretStr(""), title="Token")


class Hostile(Connector[Config]):
    """Does its deed in the call that is named, and behaves in the others."""

    name = "hostile"
    title = "Hostile"
    Config = Config

    def act(self, call: str) -> str:
        """Do the deed if this is its call; return the secret."""
        secret = self.config.token.get_secret_value()
        if call == self.config.call and self.config.deed in DEEDS:
            DEEDS[self.config.deed](secret)
        return secret

    def check(self) -> None:
        """Behave, or not."""
        self.act("check")

    def send(self, message: Message) -> Receipt:
        """Behave, or return nonsense, or far too much."""
        secret = self.act("send")
        if self.config.deed == "nonsense":
            return cast(Receipt, {"token": secret})
        if self.config.deed == "huge":
            return Receipt(ref="r" * 5_000_000, detail=f"sent with {secret} " * 10_000)
        return Receipt(ref="hostile-1")

    def pull(self, cursor: Cursor) -> Iterator[Order | RefusedRow | Cursor]:
        """Behave, or yield nonsense, or never end."""
        secret = self.act("pull")
        if self.config.call != "pull":
            return
        if self.config.deed == "nonsense":
            yield cast(Any, secret)
        if self.config.deed == "endless":
            while True:
                yield RefusedRow(line=1, reason=f"again {secret}")
        if self.config.deed == "nothing":
            yield cast(Any, None)

    def locate(self, address: Address) -> Location | None:
        """Behave, or return nonsense."""
        secret = self.act("locate")
        return cast(Location, secret) if self.config.deed == "nonsense" else None

    def authorize(self, connect: Connect) -> str:
        """Name a consent page."""
        return f"https://hostile.example/consent?state={connect.state}"

    def exchange(self, callback: Callback) -> Grant:
        """Behave, or not."""
        return Grant(settings={"token": self.act("exchange")})

    def refresh(self) -> Grant:
        """Behave, or not."""
        return Grant(settings={"token": self.act("refresh")})

    def receive(self, request: Incoming) -> Delivery:
        """Behave, or not."""
        self.act("receive")
        return Delivery()

    def unpack(self, request: Incoming) -> Iterator[Order | RefusedRow]:
        """Yield nothing."""
        return iter(())


@hookimpl
def notification_channels() -> list[type[Channel]]:
    """Offer the hostile channel."""
    return [Hostile]


@hookimpl
def order_sources() -> list[type[OrderSource]]:
    """Offer the hostile shop."""
    return [Hostile]


@hookimpl
def geocoders() -> list[type[Geocoder]]:
    """Offer the hostile geocoder."""
    return [Hostile]
