"""A receiver on loopback that judges like a receiver, and a wall clock that tests move."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from sqlmodel import col, select
from standardwebhooks import Webhook, WebhookVerificationError
from standardwebhooks import webhooks as library

from hub import outgoing
from hub.events import OrderFacts, StopFacts, append
from hub.events.catalogue import OrderUpdated, StopArrived
from hub.events.facts import DriverFacts, MerchantFacts, RouteFacts
from hub.events.log import number
from hub.hub import Hub
from hub.outgoing import endpoints, fanout
from hub.queue import entry
from hub.queue.leader import lead
from hub.store import EndpointRow, OutgoingRow, OutgoingTryRow, System, WorkRow
from hub.testing.fixtures import World
from hub.testing.patience import PATIENCE

Answer = tuple[int, dict[str, str], bytes]
OK: Answer = (200, {}, b"taken")


class Receiver:
    """An HTTP server that answers as it is told and keeps what it was sent."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answer: Callable[[dict[str, Any]], Answer] = lambda said: OK
        self.down = False
        self.busy = 0
        self.most = 0
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def place(self) -> str:
        """Host and port, as HUB_ALLOW_ADDRESSES names them."""
        return f"127.0.0.1:{self.server.server_address[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.place}/hooks"

    def take(self, headers: dict[str, str], body: bytes) -> Answer:
        with self.lock:
            self.requests.append((headers, body))
            self.busy += 1
            self.most = max(self.most, self.busy)
        try:
            return (503, {}, b"down") if self.down else self.answer(json.loads(body))
        finally:
            with self.lock:
                self.busy -= 1

    def messages(self) -> list[dict[str, Any]]:
        """Return what was sent, taken or not."""
        return [json.loads(body) for _, body in self.requests]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    """Return the handler class that hands everything to `receiver`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = PATIENCE

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            named = {name.lower(): value for name, value in self.headers.items()}
            status, headers, said = receiver.take(named, body)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(said))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said)

    return Handler


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    made = Receiver()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", made.place)
    yield made
    made.close()


@dataclass
class Wall:
    """Wall time, which stands until a test moves it; the verifier's too."""

    at: datetime

    def passes(self, **span: float) -> None:
        self.at += timedelta(**span)


@pytest.fixture
def wall(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Wall:
    made = Wall(datetime.now(UTC))
    monkeypatch.setattr(hub.store.clock, "wall", lambda: made.at)

    class Moved(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return made.at

    monkeypatch.setattr(library, "datetime", Moved)
    return made


@dataclass
class Post:
    """A hub that sends, with short ways to make things happen."""

    hub: Hub
    world: World
    secrets: ClassVar[dict[str, str]] = {}
    made: list[str] = field(default_factory=list)

    def add(self, url: str, merchant: str | None = None, types: list[str] | None = None) -> str:
        """Add an endpoint; return its id."""
        with self.hub.store.write(System(merchant)) as session:
            row, secret = endpoints.add(
                session, self.hub.keys, url, merchant=merchant, types=types, description="Shop"
            )
        self.secrets[row.id] = secret
        return row.id

    def happen(self, subject: str = "stp_1", merchant: str | None = None, times: int = 1) -> None:
        """Let a driver arrive at a stop, and give it to the endpoints."""
        merchant = merchant or self.world.merchant
        with self.hub.store.write() as session:
            for _ in range(times):
                self.made.append(append(session, arrival(subject, merchant)))
        self.give()

    def give(self) -> None:
        """Do what the dispatcher and the fast worker do: number events and give them out."""
        self.give_some(1000)

    def give_some(self, pieces: int) -> None:
        """Number events and do so many pieces of the fast worker's work."""
        token = lead(self.hub.store, "dispatcher", "test")
        assert token is not None
        with self.hub.store.write() as session:
            number(session, token, 100_000)
        fanout.go_round(self.hub)
        done = iter(range(pieces))
        entry.run(self.hub, "fast", "test", stop=lambda: next(done, None) is None)

    def send(self, worker: str = "test") -> int:
        """Do the due work of the outward worker."""
        return entry.run(self.hub, "outward", worker)

    def run_dry(self, wall: Wall, until: datetime) -> None:
        """Let time pass from one piece of due work to the next, and do it."""
        while (at := self.next_at()) is not None and at <= until:
            wall.at = max(wall.at, at)
            self.send()
        wall.at = until

    def next_at(self) -> datetime | None:
        """Return when the next sending is due."""
        with self.hub.store.read() as session:
            query = select(WorkRow.not_before).where(
                WorkRow.kind == endpoints.KIND, WorkRow.state == "ready"
            )
            return min(session.exec(query), default=None)

    def rows(self, **where: Any) -> list[OutgoingRow]:
        """Return the messages in the order of their events."""
        with self.hub.store.read() as session:
            query = select(OutgoingRow).filter_by(**where)
            return list(session.exec(query.order_by(col(OutgoingRow.seq), OutgoingRow.id)))

    def row(self) -> OutgoingRow:
        (row,) = self.rows()
        return row

    def tries(self) -> list[OutgoingTryRow]:
        with self.hub.store.read() as session:
            return list(session.exec(select(OutgoingTryRow).order_by(OutgoingTryRow.id)))

    def endpoint(self, id: str) -> EndpointRow:
        with self.hub.store.read() as session:
            return session.get_one(EndpointRow, id)

    def states(self) -> list[str]:
        return [row.state for row in self.rows()]


def arrival(subject: str, merchant: str) -> StopArrived:
    """Return that a driver is at a door."""
    return StopArrived(
        subject=subject, merchant_id=merchant, stop=StopFacts(id=subject),
        order=OrderFacts(id="ord_1", ref="1001"), merchant=MerchantFacts(id=merchant),
        route=RouteFacts(id="rte_1", stops=9), driver=DriverFacts(id="drv_1"),
    )  # fmt: skip


def update_of(subject: str, merchant: str) -> OrderUpdated:
    """Return that an order changed."""
    return OrderUpdated(
        subject=subject, merchant_id=merchant, order=OrderFacts(id=subject),
        merchant=MerchantFacts(id=merchant),
    )  # fmt: skip


@pytest.fixture
def post(hub: Hub, world: World) -> Post:
    outgoing.register(hub)
    return Post(hub, world)


def verified(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Say whether the library's own verifier takes a request."""
    try:
        Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True
