"""The stream of events for other systems: numbered, resumable, each reader its own feed.

A reader first gets what it has missed, page by page, and is then added to the tail: one reading of
the database for all who are up to date. Redis only says when to look; without it the tail looks by
itself.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError
from pydantic_core import to_json
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlmodel import col, select

from hub.access import tokens
from hub.errors import Forbidden, HubError, Refused
from hub.events import catalogue, feed
from hub.events.log import after, tail
from hub.nouns import Noun
from hub.store import ApiKeyRow, EventRow, Store
from hub.store.database import Busy

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

PATH = "/api/v1/events/stream"
SCOPE = "events:read"
HEARTBEAT = 25.0
SLOWEST = 10.0
"""Seconds that one part may take to leave; whoever needs longer is dropped and resumes."""
MOST_WAITING = 1_000
"""Events that may wait for one reader."""
MOST_PER_KEY = 20
PAGE = 200
LOOK = 5.0
"""Seconds after which the tail looks without having been told."""
LOOK_ALONE = 0.5
"""The same while Redis is away."""
CHECK = 20.0
"""Seconds after which it is looked up whether the readers' keys still hold."""
WELCOME = b"retry: 3000\n\n: welcome\n\n"
BEAT = b": beat\n\n"


class Wanted(Noun):
    """Which events to stream."""

    after: int = Field(default=0, ge=0, lt=2**63)
    types: str = Field(default="", max_length=2000)
    """Names with commas between them; all where it is empty."""

    def names(self) -> frozenset[str]:
        """Return the types; raise `Refused` for one that there is not."""
        named = frozenset(name.strip() for name in self.types.split(",") if name.strip())
        unknown = sorted(named - catalogue().keys())
        if unknown:
            raise Refused(f"there is no event {unknown[0][:60]}", "types")
        return named


@dataclass(eq=False)
class Reader:
    """One open stream."""

    key: str
    merchant: str | None
    types: frozenset[str]
    position: int
    """The number in the reader's own feed of the last event that was put on its way."""
    frames: list[bytes] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    drained: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when nothing is waiting any more."""
    open: bool = True

    def offer(self, row: EventRow) -> None:
        """Put an event on its way, unless it is not for this reader or was had already."""
        if self.merchant is not None and row.merchant != self.merchant:
            return
        number = (row.seq if self.merchant is None else row.merchant_seq) or 0
        if number <= self.position:
            return
        self.position = number
        if self.types and row.type not in self.types:
            return
        self.frames.append(frame(feed.sheet(row, mine=self.merchant is not None)))
        if len(self.frames) > MOST_WAITING:
            self.open = False
        self.news.set()

    async def next(self) -> bytes:
        """Return what is waiting, or a heartbeat when there is nothing for a while."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.news.wait(), HEARTBEAT)
        self.news.clear()
        waiting, self.frames = b"".join(self.frames), []
        self.drained.set()
        return waiting or BEAT

    def close(self) -> None:
        """End the stream."""
        self.open = False
        self.news.set()
        self.drained.set()


def frame(sheet: feed.EventSheet) -> bytes:
    """Return an event as it goes over the wire; JSON has no line break in it."""
    return f"id: {sheet.seq}\nevent: {sheet.type}\ndata: ".encode() + to_json(sheet) + b"\n\n"


class Tail:
    """The newest events, read once for all readers that are up to date."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.readers: set[Reader] = set()
        """All open streams, also those that still catch up."""
        self.abreast: set[Reader] = set()
        self.news = asyncio.Event()
        self.told = False
        """Whether Redis says when there is something new."""
        self.seq = 0
        self._lock = asyncio.Lock()

    async def follow(self) -> None:
        """Read what is new whenever there is something, for ever."""
        import structlog

        log = structlog.get_logger("hub.live")
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.news.wait(), LOOK if self.told else LOOK_ALONE)
            self.news.clear()
            try:
                if self.abreast:
                    await self.advance()
            except (DBAPIError, Busy) as error:
                log.warning("stream_waits_for_the_database", error=str(error))
                await asyncio.sleep(1)

    async def advance(self) -> None:
        """Hand what is new to everybody who is up to date."""
        async with self._lock:
            while True:
                rows = await asyncio.to_thread(self._read)
                for row in rows:
                    for reader in self.abreast:
                        reader.offer(row)
                    self.seq = row.seq or self.seq
                if len(rows) < PAGE:
                    return

    def _read(self) -> list[EventRow]:
        with self.store.read() as session:
            return after(session, self.seq, PAGE)

    async def join(self, reader: Reader) -> None:
        """Let a reader have all that it has missed, then every new event as it comes.

        It joins at the moment at which nothing lies between what it was given and where the tail
        stands: no event is left out, and one that comes twice is known by its number.
        """
        if not self.abreast:
            async with self._lock:
                self.seq = max(self.seq, await asyncio.to_thread(self._newest))
        while reader.open:
            stood = self.seq
            rows = await asyncio.to_thread(self._missed, reader)
            for row in rows:
                reader.offer(row)
            if len(rows) < PAGE and stood == self.seq:
                self.abreast.add(reader)
                self.news.set()  # what was told while nobody was abreast was not read
                return
            if reader.frames:  # the database may be quicker than its reader
                reader.drained.clear()
                await reader.drained.wait()

    def _newest(self) -> int:
        with self.store.read() as session:
            return tail(session)

    def _missed(self, reader: Reader) -> Sequence[EventRow]:
        number = col(EventRow.seq if reader.merchant is None else EventRow.merchant_seq)
        query = select(EventRow).where(number > reader.position)
        if reader.merchant is not None:
            query = query.where(EventRow.merchant == reader.merchant)
        if reader.types:
            query = query.where(col(EventRow.type).in_(reader.types))
        with self.store.read() as session:
            return session.exec(query.order_by(number).limit(PAGE)).all()

    async def check(self) -> None:
        """End the streams of keys that were revoked, soon after they were."""
        while True:
            await asyncio.sleep(CHECK)
            try:
                valid = await asyncio.to_thread(self._valid, {one.key for one in self.readers})
            except (DBAPIError, Busy):
                continue  # whether a key holds is asked again in a moment
            for reader in [one for one in self.readers if one.key not in valid]:
                reader.close()

    def _valid(self, keys: set[str]) -> set[str]:
        if not keys:
            return set()
        query = select(ApiKeyRow.id, ApiKeyRow.scopes).where(
            col(ApiKeyRow.id).in_(keys), col(ApiKeyRow.revoked_at).is_(None)
        )
        with self.store.read() as session:
            return {id for id, scopes in session.exec(query) if SCOPE in scopes}

    def close(self) -> None:
        """End every stream."""
        for reader in self.readers:
            reader.close()


class EventStream:
    """`GET /api/v1/events/stream`: plain ASGI, to feel a slow reader at once."""

    def __init__(self, tail: Tail) -> None:
        self.tail = tail

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from starlette.requests import Request

        try:
            reader = await self.enter(Request(scope))
        except (HubError, DBAPIError, ValidationError) as error:
            await refusal(error)(scope, receive, send)
            return
        self.tail.readers.add(reader)
        try:
            await self.stream(reader, receive, send)
        finally:
            self.tail.readers.discard(reader)
            self.tail.abreast.discard(reader)

    async def enter(self, request: Request) -> Reader:
        """Return the reader that a request asks to be; raise where it may not be one."""
        wanted = Wanted.model_validate(dict(request.query_params))
        said = request.headers.get("Last-Event-ID", "").strip()
        if said:
            wanted = Wanted.model_validate({"after": said, "types": wanted.types})
        types = wanted.names()
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            raise Forbidden(
                "send an API key with the scope events:read: Authorization: Bearer hub_..."
            )
        key = await asyncio.to_thread(self._key, token.strip())
        if SCOPE not in key.scopes:
            raise OutOfScope(f"this API key may not read events; make one with --scope {SCOPE}")
        if sum(one.key == key.id for one in self.tail.readers) >= MOST_PER_KEY:
            raise TooMany(f"this API key has {MOST_PER_KEY} streams open already; close one first")
        return Reader(key.id, key.merchant, types, wanted.after)

    def _key(self, token: str) -> ApiKeyRow:
        store = self.tail.store
        with store.read() as session:
            row = tokens.check_key(session, token)
        with contextlib.suppress(Busy, OperationalError), store.write() as session:
            session.get_one(ApiKeyRow, row.id).last_used_at = session.wall
        return row

    async def stream(self, reader: Reader, receive: Receive, send: Send) -> None:
        """Send events until the reader goes, is too slow, loses its key, or the process ends."""
        headers = {
            "Content-Type": "text/event-stream",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
        }
        pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        gone = asyncio.create_task(hang_up(reader, receive))
        joining = asyncio.create_task(self.tail.join(reader))
        joining.add_done_callback(lambda done: None if joined(done) else reader.close())
        try:
            await send({"type": "http.response.start", "status": 200, "headers": pairs})
            part = WELCOME
            while reader.open:
                body: dict[str, Any] = {"type": "http.response.body", "body": part}
                await asyncio.wait_for(send({**body, "more_body": True}), SLOWEST)
                part = await reader.next()
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except (TimeoutError, OSError):
            return  # too slow, or gone in the middle of a part: it resumes behind what it has
        finally:
            gone.cancel()
            joining.cancel()


class OutOfScope(Forbidden):
    """Say that a key is known and does not open this."""


class TooMany(HubError):
    """Say that a key has as many streams as it may have."""


async def hang_up(reader: Reader, receive: Receive) -> None:
    """Close the stream when its reader hangs up."""
    while (await receive())["type"] != "http.disconnect":
        pass
    reader.close()


def joined(done: asyncio.Task[None]) -> bool:
    """Say whether a reader has come abreast of the tail; one that failed comes again by itself."""
    return not done.cancelled() and done.exception() is None


def refusal(error: Exception) -> Response:
    """Return an error as problem details (RFC 9457)."""
    from starlette.responses import JSONResponse

    status, detail, more = 422, str(error), dict[str, str]()
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        detail = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    elif isinstance(error, Forbidden):
        status = 403 if isinstance(error, OutOfScope) else 401
    elif isinstance(error, TooMany):
        status = 429
    elif isinstance(error, Busy | DBAPIError):
        status, detail, more = 503, "the database is away; try again", {"Retry-After": "5"}
    body = {"type": "about:blank", "status": status, "detail": detail}
    return JSONResponse(body, status, more, media_type="application/problem+json")
