"""The live gateway: a small ASGI app that passes news on as server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from hub.access.keys import Keys, load_keys
from hub.errors import Forbidden
from hub.settings import Settings
from hub.store import Store
from hub.tracking.live import channels
from hub.web import stream
from hub.web.stream import Tail

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

PATTERN = "live:*"
HEARTBEAT = 25.0
SLOWEST = 10.0
"""Seconds that one frame may take to leave; whoever needs longer is dropped and comes again."""
MOST_WAITING = 200
"""Frames that may wait for one client."""
WELCOME = b"retry: 3000\n\n: welcome\n\n"
BEAT = b": beat\n\n"
RESYNC = b'data: {"t":"changed"}\n\n'
"""Sent when Redis was away for a while: what was said meanwhile is lost, so read the state anew."""
NUMBERED = b'{"t": "event"'
"""How the dispatcher begins to say that an event has got its number."""
FILES = 65_536


class Client:
    """One listener: its channels, and the frames on their way to it."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names
        self.frames: dict[str, bytes] = {}
        self.news = asyncio.Event()
        self.open = True

    def offer(self, key: str, frame: bytes) -> None:
        """Queue a frame; one that says newer things about the same takes the older one's place."""
        self.frames.pop(key, None)
        self.frames[key] = frame
        if len(self.frames) > MOST_WAITING:
            self.open = False
        self.news.set()

    async def next(self) -> bytes:
        """Return what is waiting, or a heartbeat when there is nothing for a while."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.news.wait(), HEARTBEAT)
        self.news.clear()
        waiting, self.frames = b"".join(self.frames.values()), {}
        return waiting or BEAT

    def close(self) -> None:
        """End the stream."""
        self.open = False
        self.news.set()


class Gateway:
    """All listeners of this process, fed by one Redis subscription."""

    def __init__(self, settings: Settings, keys: Keys) -> None:
        self.settings = settings
        self.keys = keys
        self.clients: dict[str, set[Client]] = {}
        self.connected = False
        self.closing = False
        self.broken = False
        self.tail = Tail(Store(settings.database_url))
        parts = urlsplit(settings.public_url)
        self.origin = f"{parts.scheme}://{parts.netloc}"

    async def listen(self) -> None:
        """Pass on what Redis says, for ever; while it is away, try again."""
        import structlog
        from redis.exceptions import RedisError

        log = structlog.get_logger("hub.live")
        while not self.closing:
            try:
                async with redis(self.settings) as client, client.pubsub() as subscription:
                    await subscription.psubscribe(PATTERN)
                    self.resync()
                    self.tail.news.set()
                    async for message in subscription.listen():
                        if message["type"] == "psubscribe":
                            self.connected = self.tail.told = True
                        elif message["type"] == "pmessage":
                            self.spread(message["channel"].decode(), message["data"])
            except (RedisError, OSError) as error:
                if self.connected:
                    log.warning("redis_away", error=str(error))
                self.connected = self.tail.told = False
            await asyncio.sleep(0.5)

    def ended(self, listening: asyncio.Task[None]) -> None:
        """Note that a mistake of ours ended what should last: this process is of no more use."""
        import structlog

        error = None if listening.cancelled() else listening.exception()
        if error is not None:
            structlog.get_logger("hub.live").error("live_channel_failed", exc_info=error)
            self.broken = True
            self.close()

    def spread(self, channel: str, data: bytes) -> None:
        """Give one message to everyone who listens to its channel."""
        if data.startswith(NUMBERED):
            self.tail.news.set()
        listeners = self.clients.get(channel)
        if listeners:
            key = subject(channel, data)
            frame = b"data: " + data.replace(b"\n", b" ") + b"\n\n"
            for client in listeners:
                client.offer(key, frame)

    def resync(self) -> None:
        """Let every page read its state anew."""
        for client in {c for listeners in self.clients.values() for c in listeners}:
            client.offer("resync", RESYNC)

    def add(self, client: Client) -> None:
        """Let a client hear its channels."""
        for name in client.names:
            self.clients.setdefault(name, set()).add(client)

    def remove(self, client: Client) -> None:
        """Forget a client that is gone."""
        for name in client.names:
            listeners = self.clients.get(name, set())
            listeners.discard(client)
            if not listeners:
                self.clients.pop(name, None)

    def close(self) -> None:
        """End every stream, so that the process can stop at once."""
        self.closing = True
        self.tail.close()
        for client in {c for listeners in self.clients.values() for c in listeners}:
            client.close()

    def count(self) -> int:
        """Return how many listen."""
        return len({client for listeners in self.clients.values() for client in listeners})


class Stream:
    """`GET /live?token=...`: the stream itself, as plain ASGI to feel a slow client at once."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from starlette.responses import PlainTextResponse

        headers = dict(scope["headers"])
        origin = headers.get(b"origin", b"").decode("latin-1")
        token = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        try:
            if origin and origin != self.gateway.origin:
                raise Forbidden(f"the live channel is open to pages of {self.gateway.origin} only")
            names = channels(self.gateway.keys, token)
        except Forbidden as error:
            refusal = PlainTextResponse(str(error), 403, self.cors(origin))
            await refusal(scope, receive, send)
            return
        await self.stream(Client(names), origin, receive, send)

    def cors(self, origin: str) -> dict[str, str]:
        """Return the headers that let a page of ours, and no other, read the answer."""
        allowed = {"Access-Control-Allow-Origin": origin} if origin == self.gateway.origin else {}
        return {"Vary": "Origin", "Cache-Control": "no-store", **allowed}

    async def stream(self, client: Client, origin: str, receive: Receive, send: Send) -> None:
        """Send frames until the client goes, is too slow, or the process ends."""
        headers = {
            **self.cors(origin),
            "Content-Type": "text/event-stream",
            "X-Accel-Buffering": "no",
        }
        pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self.gateway.add(client)
        gone = asyncio.create_task(watch(client, receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": pairs})
            frame = WELCOME
            while client.open and not self.gateway.closing:
                await asyncio.wait_for(push(send, frame), SLOWEST)
                frame = await client.next()
            await push(send, b"", more=False)
        except (TimeoutError, OSError):
            # Too slow, or gone in the middle of a frame: a browser comes again by itself.
            return
        finally:
            gone.cancel()
            self.gateway.remove(client)


async def push(send: Send, frame: bytes, *, more: bool = True) -> None:
    """Send one part of the body."""
    await send({"type": "http.response.body", "body": frame, "more_body": more})


async def watch(client: Client, receive: Receive) -> None:
    """Close the client's stream when it hangs up."""
    while (await receive())["type"] != "http.disconnect":
        pass
    client.close()


def subject(channel: str, data: bytes) -> str:
    """Return what a message is about: a driver's newest position replaces the one before."""
    try:
        said = json.loads(data)
    except ValueError:
        said = None
    if isinstance(said, dict) and said.get("t") == "fix":
        return f"{channel} fix {said.get('driver')}"
    return f"{channel} {data!r}"


@contextlib.asynccontextmanager
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    """Open a connection that notices within a minute when the other side is gone."""
    from redis.asyncio import Redis as Client

    client: Any = Client.from_url(
        settings.redis_url, socket_connect_timeout=2, health_check_interval=30
    )
    try:
        yield client
    finally:
        await client.aclose()


def make_gateway(settings: Settings) -> Starlette:
    """Return the ASGI app; `app.state.gateway` holds its listeners."""
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    gateway = Gateway(settings, load_keys(settings))

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"alive": True, "redis": gateway.connected, "clients": gateway.count()})

    @contextlib.asynccontextmanager
    async def life(_app: Starlette) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(lasting)
            for lasting in (gateway.listen(), gateway.tail.follow(), gateway.tail.check())
        ]
        for task in tasks:
            task.add_done_callback(gateway.ended)
        try:
            yield
        finally:
            gateway.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            gateway.tail.store.close()

    app = Starlette(
        routes=[
            Route("/live", Stream(gateway), methods=["GET"]),
            Route(stream.PATH, stream.EventStream(gateway.tail), methods=["GET"]),
            Route("/healthz", healthz),
        ],
        lifespan=life,
    )
    app.state.gateway = gateway
    return app


def raise_limit() -> int:
    """Allow as many open connections as the system permits, up to 65,536; return how many."""
    import resource

    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def main(settings: Settings, host: str = "127.0.0.1", port: int | None = None) -> None:
    """Serve the live channel until SIGTERM or SIGINT."""
    import structlog
    import uvicorn

    app = make_gateway(settings)
    gateway: Gateway = app.state.gateway

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: Any) -> None:
            # Open streams would hold up the end; they are told first.
            gateway.close()
            super().handle_exit(sig, frame)

        async def on_tick(self, counter: int) -> bool:
            return gateway.broken or await super().on_tick(counter)

    chosen = port or urlsplit(settings.live_url).port or 8001
    structlog.get_logger("hub.live").info("listening", port=chosen, connections=raise_limit())
    config = uvicorn.Config(
        app,
        host=host,
        port=chosen,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=2,
        backlog=4096,
    )
    Server(config).run()
    if gateway.broken:
        raise SystemExit(1)
