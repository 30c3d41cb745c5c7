"""Send events to a receiver on loopback by two workers; one JSON line.

`python bench/webhooks_out.py 5000` sends as many events to each of two endpoints; the default is
1,000. The workers are whole processes, forked for each turn as in a running hub.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from sqlmodel import func, select

from hub.events import MerchantFacts, OrderFacts
from hub.events.catalogue import OrderReceived
from hub.events.log import append_all, number
from hub.fleet.roster import add_merchant
from hub.hub import Hub, open_hub
from hub.outgoing import endpoints
from hub.queue import entry
from hub.queue.leader import lead
from hub.queue.server import server_binary
from hub.settings import Settings
from hub.store import Operator, OutgoingRow, Store, migrations
from hub.workflow.parts import assemble

CHUNK = 200
WORKERS = 2
OWNER = Operator("owner")


class Taker(BaseHTTPRequestHandler):
    """Answers 204 and notes when."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """Take one message."""
        self.rfile.read(int(self.headers["Content-Length"]))
        times.append(time.perf_counter())
        self.send_response(204)
        self.end_headers()


times: list[float] = []


def fill(hub: Hub, url: str, count: int) -> float:
    """Add two endpoints and give them `count` events each; return the seconds of giving out."""
    with hub.store.write(OWNER) as session:
        merchant = add_merchant(session, "Bench").id
        for _ in range(WORKERS):
            endpoints.add(session, hub.keys, url)
    token = lead(hub.store, "dispatcher", "bench")
    assert token is not None
    for start in range(0, count, CHUNK):
        rows = range(start, min(start + CHUNK, count))
        with hub.store.write(OWNER) as session:
            append_all(session, [event(merchant, row) for row in rows])
        with hub.store.write() as session:
            number(session, token, CHUNK)
    began = time.perf_counter()
    for go_round in hub.rounds:
        go_round(hub)
    while entry.run(hub, "fast", "bench"):
        continue
    return time.perf_counter() - began


def event(merchant: str, row: int) -> OrderReceived:
    """Return the event of one order."""
    return OrderReceived(
        subject=f"ord_{row}", merchant_id=merchant,
        order=OrderFacts(id=f"ord_{row}", ref=f"R-{row}", source="bench"),
        merchant=MerchantFacts(id=merchant, name="Bench"),
    )  # fmt: skip


def send(hub: Hub, settings: Settings, total: int) -> None:
    """Let two workers send everything."""
    environ = os.environ | settings.environ() | {"HUB_DIRECTORY": str(settings.directory)}
    command = [sys.executable, "-m", "hub", "worker", "outward"]
    workers = [
        subprocess.Popen(command, env=environ | {"HUB_PROCESS": f"outward-{number}"})
        for number in range(WORKERS)
    ]
    try:
        query = select(func.count()).where(OutgoingRow.state == "delivered")
        while True:
            with hub.store.read() as session:
                if session.exec(query).one() >= total:
                    return
            time.sleep(0.1)
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait(20)


def run(folder: Path, redis: str, url: str, count: int) -> dict[str, object]:
    """Return the figures of one run on a fresh SQLite database."""
    settings = Settings.read({"HUB_DIRECTORY": str(folder), "HUB_REDIS_URL": redis})
    store = Store(settings.database_url)
    migrations.upgrade(store)
    store.close()
    hub = open_hub(settings)
    assemble(hub)
    given = fill(hub, url, count)
    send(hub, settings, count * WORKERS)
    hub.close()
    return {
        "bench": "webhooks_out", "events": count, "endpoints": WORKERS, "workers": WORKERS,
        "given_out_per_second": round(count * WORKERS / given),
        "sent_per_second": round((len(times) - 1) / (times[-1] - times[0])),
        "calls": len(times),
    }  # fmt: skip


def main() -> None:
    """Start a queue and a receiver, run, and print the line."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    server = ThreadingHTTPServer(("127.0.0.1", 0), Taker)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    place = f"127.0.0.1:{server.server_address[1]}"
    os.environ["HUB_ALLOW_ADDRESSES"] = place
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "s"
        words = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", folder]
        queue = subprocess.Popen([server_binary(), *words], stdout=subprocess.DEVNULL)
        try:
            while not socket.exists():
                time.sleep(0.02)
            print(
                json.dumps(run(Path(folder) / "hub", f"unix://{socket}", f"http://{place}/", count))
            )
        finally:
            queue.terminate()
            queue.wait(10)


if __name__ == "__main__":
    main()
