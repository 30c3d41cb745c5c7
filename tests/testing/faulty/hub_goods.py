"""One connector without a fault for each capability; `hub_faults` and `hub_lapses` break them."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

from pydantic import BaseModel, Field, SecretStr

from hub import (
    Address,
    Callback,
    Cancelled,
    Connect,
    Connector,
    Cursor,
    Delivery,
    DevicePosition,
    Fix,
    Grant,
    Http,
    Incoming,
    Legs,
    Location,
    Matrix,
    Message,
    Money,
    Order,
    Plan,
    PlannedRoute,
    Problem,
    Proof,
    Receipt,
    RefusedRow,
    Rejected,
    TimeWindow,
    Unauthorized,
    Unserved,
    Url,
    Visit,
    hookimpl,
)


class Config(BaseModel):
    """Where the service is, and what opens it."""

    url: Url = Field(default="https://service.example", title="Address")
    token: SecretStr = Field(title="Token")


class Service(Connector[Any]):
    """What the connectors of services share."""

    name = "good_service"
    title = "Service"
    Config = Config

    def check(self) -> None:
        self.http.get("/account")

    @property
    def http(self) -> Http:
        token = self.config.token.get_secret_value()
        return Http(self.config.url, Authorization=f"Bearer {token}")

    def fetched(self, path: str, **asked: str) -> dict[str, Any]:
        """Return an object that the service answers with."""
        try:
            found = self.http.get(path, params=asked).json()
        except ValueError as error:
            raise Rejected("the service's answer is no JSON") from error
        if not isinstance(found, dict):
            raise Rejected("the service's answer is no object")
        return found

    def listed(self, path: str, **asked: str) -> list[Any]:
        """Return the items that the service answers with."""
        found = self.fetched(path, **asked).get("items")
        if not isinstance(found, list):
            raise Rejected("the service's answer has no items")
        return found


class Source(Service):
    """Reads orders by their number."""

    name = "good_source"

    def pull(self, cursor: Cursor) -> Iterator[Order | RefusedRow | Cursor]:
        items = self.listed("/orders", after=cursor.value)
        for line, record in enumerate(items, start=1):
            try:
                yield self.order(record)
            except (KeyError, TypeError, ValueError, ArithmeticError) as error:
                yield RefusedRow(line=line, reason=f"it cannot be read: {type(error).__name__}")
        yield self.cursor(items, cursor)

    def cursor(self, items: list[Any], cursor: Cursor) -> Cursor:
        known = [one["id"] for one in items if isinstance(one, dict) and one.get("id")]
        return Cursor(value=str(max(known))) if known else cursor

    def order(self, record: dict[str, Any]) -> Order:
        return Order(
            ref=str(int(record["id"])),
            address=Address(line1=record["street"]),
            total=Money(amount=self.amount(record["total"]), currency="CHF"),
            window=TimeWindow(start=self.instant(record["from"]), end=self.instant(record["to"])),
        )

    def amount(self, text: str) -> Decimal:
        return Decimal(text)

    def instant(self, text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Channel(Service):
    """Sends each key once."""

    name = "good_channel"

    def send(self, message: Message) -> Receipt:
        told = {"to": message.to, "text": message.text}
        self.http.post("/messages", json=told, headers={"Idempotency-Key": message.key})
        return Receipt(detail="sent")


class Sink(Service):
    """Stores each key once."""

    name = "good_sink"

    def store(self, proof: Proof) -> Receipt:
        self.http.post("/proofs", data=proof.record, headers={"Idempotency-Key": proof.key})
        return Receipt(detail="stored")


class DiskConfig(BaseModel):
    """Where the files go."""

    folder: Path = Field(title="Folder")


class Disk(Connector[DiskConfig]):
    """Stores each proof as a file."""

    name = "good_disk"
    title = "Disk"
    Config = DiskConfig

    def store(self, proof: Proof) -> Receipt:
        self.config.folder.mkdir(parents=True, exist_ok=True)
        self.file(proof).write_bytes(proof.record)
        return Receipt(ref=proof.id)

    def file(self, proof: Proof) -> Path:
        return self.config.folder / f"{proof.id}.json"


class Geocoder(Service):
    """Looks addresses up."""

    name = "good_geocoder"

    def locate(self, address: Address) -> Location | None:
        for found in self.listed("/search", q=address.text()):
            try:
                return Location(lat=found["lat"], lon=found["lon"])
            except (KeyError, TypeError, ValueError) as error:
                raise Rejected("the service's answer has no coordinates") from error
        return self.missing()

    def missing(self) -> Location | None:
        return None


class Nothing(BaseModel):
    """No settings."""


class Times(Connector[Nothing]):
    """A hundred seconds from everywhere to everywhere."""

    name = "good_times"
    title = "Times"
    Config = Nothing

    def matrix(self, legs: Legs) -> Matrix:
        size = range(len(legs.points))
        rows = tuple(tuple(self.way(a, b) for b in size) for a in size)
        return Matrix(seconds=rows, metres=rows, approximate=True)

    def way(self, start: int, end: int) -> int:
        return 0 if start == end else 100


class Engine(Connector[Nothing]):
    """Gives each stop to the first driver who can take it; the routes it begins with stay."""

    name = "good_engine"
    title = "Engine"
    Config = Nothing

    def plan(self, problem: Problem) -> Plan:
        stops = list(problem.stops)
        self.dice(problem).shuffle(stops)
        owner = {id: vehicle for vehicle, ids in problem.warm.items() for id in ids}
        order = list(owner)
        stops.sort(key=lambda stop: order.index(stop.id) if stop.id in owner else len(order))
        routes = []
        for vehicle in problem.vehicles:
            at, ready, load, visits, metres = vehicle.start, vehicle.shift[0], 0, [], 0
            for stop in [one for one in stops if owner.get(one.id, vehicle.id) == vehicle.id]:
                seconds = problem.matrix.seconds
                arrive = ready + seconds[at][stop.point]
                if stop.windows:
                    arrive = max(arrive, stop.windows[0][0])
                depart = arrive + stop.service
                late = bool(stop.windows) and self.is_late(arrive, stop.windows[0][1])
                if (
                    late
                    or self.is_heavy(load + sum(stop.deliver), sum(vehicle.capacity))
                    or depart + seconds[stop.point][vehicle.end] > vehicle.shift[1]
                ):
                    continue
                stops.remove(stop)
                metres += problem.matrix.metres[at][stop.point]
                visits.append(Visit(stop=stop.id, arrive=arrive, depart=depart))
                at, ready, load = stop.point, depart, load + sum(stop.deliver)
            if visits:
                ends = ready + problem.matrix.seconds[at][vehicle.end]
                metres += problem.matrix.metres[at][vehicle.end]
                routes.append(
                    PlannedRoute(
                        vehicle=vehicle.id, visits=tuple(visits), starts=vehicle.shift[0],
                        ends=ends, metres=metres,
                    )
                )  # fmt: skip
        return Plan(
            engine=self.name, routes=tuple(routes), unserved=self.left([s.id for s in stops])
        )

    def dice(self, problem: Problem) -> Random:
        return Random(problem.seed)

    def is_late(self, arrive: int, latest: int) -> bool:
        return arrive > latest

    def is_heavy(self, load: int, capacity: int) -> bool:
        return load > capacity

    def left(self, stops: list[str]) -> tuple[Unserved, ...]:
        return tuple(Unserved(stop=stop, reason="no driver can take it") for stop in stops)


class Tracker(Channel):
    """Reads positions by their number."""

    name = "good_tracker"

    def positions(self, cursor: Cursor) -> Iterator[DevicePosition | Cursor]:
        items = self.listed("/positions", after=self.after(cursor))
        for one in items:
            try:
                fix = Fix(lat=one["lat"], lon=one["lon"], at=self.instant(one["at"]))
                yield DevicePosition(device=one["device"], fix=fix)
            except (KeyError, TypeError, ValueError):
                continue
        known = [one["id"] for one in items if isinstance(one, dict) and one.get("id")]
        yield Cursor(value=str(max(known))) if known else cursor

    def after(self, cursor: Cursor) -> str:
        return cursor.value

    def instant(self, text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Hook(Channel):
    """Takes signed requests."""

    name = "good_hook"

    def receive(self, request: Incoming) -> Delivery:
        told = request.headers.get("x-signature", "")
        at = request.headers.get("x-at", "")
        if not self.holds(request, told, at):
            raise Unauthorized("the signature does not hold")
        found = self.read(request)
        signed = datetime.fromtimestamp(int(at), UTC) if at.isdecimal() else None
        return Delivery(id=str(found.get("id", "")), signed_at=signed)

    def holds(self, request: Incoming, told: str, at: str) -> bool:
        return hmac.compare_digest(told.encode(), self.mac(request.body, at).encode())

    def mac(self, body: bytes, at: str) -> str:
        key = self.config.token.get_secret_value().encode()
        return hmac.new(key, at.encode() + b"." + body, hashlib.sha256).hexdigest()

    def read(self, request: Incoming) -> dict[str, Any]:
        try:
            found = json.loads(request.body)
        except ValueError as error:
            raise Rejected("the request is no JSON") from error
        return found if isinstance(found, dict) else {}

    def unpack(self, request: Incoming) -> Iterator[Any]:
        found = self.read(request)
        if found.get("id"):
            yield Cancelled(ref=str(found["id"]))


class ConsentConfig(Config):
    """What a consent gave."""

    client: str = Field(default="hub", title="Client id")
    refresh_token: SecretStr = Field(title="Refresh token")


class Consent(Channel):
    """Is connected by a consent page."""

    name = "good_consent"
    Config = ConsentConfig

    def authorize(self, connect: Connect) -> str:
        asked = {
            "response_type": "code", "client_id": self.config.client, "state": connect.state,
            "redirect_uri": connect.redirect_url, "code_challenge": connect.challenge,
            "code_challenge_method": "S256",
        }  # fmt: skip
        return f"{self.config.url}/authorize?{urlencode(asked)}"

    def exchange(self, callback: Callback) -> Grant:
        return self.granted(
            grant_type="authorization_code", code=callback.code,
            code_verifier=callback.verifier, redirect_uri=callback.redirect_url,
        )  # fmt: skip

    def refresh(self) -> Grant:
        token = self.config.refresh_token.get_secret_value()
        try:
            return self.granted(grant_type="refresh_token", refresh_token=token)
        except Rejected as error:
            raise self.gone(error) from error

    def gone(self, error: Rejected) -> Exception:
        return Unauthorized("the consent is gone; connect anew")

    def granted(self, **asked: str) -> Grant:
        reply = Http(self.config.url).post("/token", data=asked)
        try:
            found = reply.json()
            return self.grant(found)
        except (ValueError, KeyError, TypeError) as error:
            raise Rejected("the service's answer has no token") from error

    def grant(self, found: dict[str, Any]) -> Grant:
        return Grant(
            settings={"token": found["access_token"], "refresh_token": found["refresh_token"]}
        )


@hookimpl
def order_sources() -> list[type[Any]]:
    return [Source]


@hookimpl
def notification_channels() -> list[type[Any]]:
    return [Channel, Tracker, Hook, Consent]


@hookimpl
def pod_sinks() -> list[type[Any]]:
    return [Sink, Disk]


@hookimpl
def geocoders() -> list[type[Any]]:
    return [Geocoder]


@hookimpl
def travel_times() -> list[type[Any]]:
    return [Times]


@hookimpl
def routing_engines() -> list[type[Any]]:
    return [Engine]
