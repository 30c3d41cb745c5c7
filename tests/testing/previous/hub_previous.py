"""A plugin as it was written for version 0.1 of the hub. Frozen: it is never changed again."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, Field, SecretStr

from hub import (
    Address,
    Channel,
    Connector,
    Cursor,
    Delivery,
    Geocoder,
    Http,
    Incoming,
    Location,
    Message,
    Money,
    Order,
    OrderLine,
    OrderSource,
    PodSink,
    Proof,
    Receipt,
    Recipient,
    RefusedRow,
    Rejected,
    TimeWindow,
    Unauthorized,
    Url,
    hookimpl,
)


class Config(BaseModel):
    """Where it is, and what opens it."""

    url: Url = Field(default="https://previous.example", title="Address")
    token: SecretStr = Field(title="Token")


class Previous(Connector[Config]):
    """Does a little of everything that a plugin could do then."""

    name = "previous"
    title = "Previous"
    Config = Config

    def check(self) -> None:
        self.http.get("/account")

    def pull(self, cursor: Cursor) -> Iterator[Order | RefusedRow | Cursor]:
        items = self.items("/orders", after=cursor.value)
        for line, record in enumerate(items, start=1):
            try:
                yield self.order(record)
            except (KeyError, TypeError, ValueError, ArithmeticError) as error:
                yield RefusedRow(line=line, reason=type(error).__name__, field="id")
        known = [one["id"] for one in items if isinstance(one, dict) and one.get("id")]
        yield Cursor(value=str(max(known))) if known else cursor

    def order(self, record: dict[str, Any]) -> Order:
        starts = datetime.fromisoformat(record["from"]).replace(tzinfo=UTC)
        return Order(
            ref=str(int(record["id"])),
            recipient=Recipient(name=record["name"]),
            address=Address(line1=record["street"], city="Vaduz"),
            lines=(OrderLine(name="Tea", quantity=2),),
            window=TimeWindow(start=starts, end=starts.replace(hour=starts.hour + 1)),
            total=Money(amount=Decimal(record["total"]), currency="CHF"),
        )

    def send(self, message: Message) -> Receipt:
        told = {"to": message.to, "text": message.text, "subject": message.subject}
        self.http.post("/messages", json=told, headers={"Idempotency-Key": message.key})
        return Receipt(ref=message.reference, detail="sent")

    def store(self, proof: Proof) -> Receipt:
        told = {"order": proof.order, "at": proof.at.isoformat(), "sha256": proof.sha256}
        self.http.put(f"/proofs/{proof.id}", json=told)
        return Receipt(ref=proof.id)

    def locate(self, address: Address) -> Location | None:
        for found in self.items("/search", q=address.text()):
            try:
                return Location(lat=found["lat"], lon=found["lon"], confidence=0.5)
            except (KeyError, TypeError, ValueError) as error:
                raise Rejected("there are no coordinates") from error
        return None

    def receive(self, request: Incoming) -> Delivery:
        key = self.config.token.get_secret_value().encode()
        mac = hmac.new(key, request.body, hashlib.sha256).hexdigest()
        told = request.headers.get("x-signature", "")
        if not hmac.compare_digest(told.encode(), mac.encode()):
            raise Unauthorized("the signature does not hold")
        return Delivery(id=hashlib.sha256(request.body).hexdigest(), topic="orders")

    def unpack(self, request: Incoming) -> Iterator[Any]:
        try:
            yield self.order(json.loads(request.body))
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            yield RefusedRow(line=1, reason=type(error).__name__)

    def items(self, path: str, **asked: str) -> list[Any]:
        try:
            found = self.http.get(path, params=asked).json()["items"]
        except (ValueError, KeyError, TypeError) as error:
            raise Rejected("the answer has no items") from error
        if not isinstance(found, list):
            raise Rejected("the answer has no items")
        return found

    @property
    def http(self) -> Http:
        token = self.config.token.get_secret_value()
        return Http(self.config.url, Authorization=f"Bearer {token}")


@hookimpl
def order_sources() -> list[type[OrderSource]]:
    return [Previous]


@hookimpl
def notification_channels() -> list[type[Channel]]:
    return [Previous]


@hookimpl
def pod_sinks() -> list[type[PodSink]]:
    return [Previous]


@hookimpl
def geocoders() -> list[type[Geocoder]]:
    return [Previous]
