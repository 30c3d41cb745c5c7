"""Read orders of an own system over HTTP into the hub: orders/s and peak memory; one JSON line.

`python bench/own_system.py 20000` reads as many; the default is 10,000. The other system runs in a
process of its own.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sqlmodel import func, select

from hub.fleet.roster import add_depot, add_merchant
from hub.hub import open_hub
from hub.nouns import Location
from hub.queue.entry import work
from hub.queue.work import claim
from hub.settings import Settings
from hub.store import OrderRow, Store, migrations
from hub.workflow import pulls
from hub.workflow.parts import assemble

PAGE = 250
RULES = {
    "ref": "no", "recipient.name": "customer.name", "address.line1": "to.street",
    "address.postcode": "to.zip", "address.city": "to.city", "location.lat": "to.lat",
    "location.lon": "to.lon", "lines": "items", "line.name": "text", "line.quantity": "qty",
}  # fmt: skip


def order(number: int) -> dict[str, Any]:
    """Return one order of the other system."""
    lat, lon = 47.0 + number % 997 / 10_000, 9.5 + number % 499 / 10_000
    return {
        "no": f"E-{number}", "customer": {"name": f"Customer {number}"},
        "changed": f"2026-11-{1 + number // 86_400:02}T{number // 3600 % 24:02}:"
        f"{number // 60 % 60:02}:{number % 60:02}Z",
        "to": {"street": f"Street {number % 97}", "zip": "9490", "city": "Vaduz",
               "lat": round(lat, 5), "lon": round(lon, 5)},
        "items": [{"text": "Box", "qty": 1}, {"text": "Bag", "qty": 2}],
    }  # fmt: skip


def serve(count: int, told: Any) -> None:
    """Answer on a free port until the process is ended."""
    orders = [order(number) for number in range(count)]

    class Answers(BaseHTTPRequestHandler):
        """Gives one page of what changed."""

        def do_GET(self) -> None:
            """Answer with a page."""
            query = parse_qs(urlsplit(self.path).query)
            since, page = query.get("since", [""])[0], int(query.get("page", ["1"])[0])
            found = [one for one in orders if one["changed"] >= since]
            body = json.dumps({"data": found[(page - 1) * PAGE : page * PAGE]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *given: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    told.send(server.server_port)
    server.serve_forever()


def main() -> None:
    """Read everything into a fresh SQLite database and print the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    ours, theirs = multiprocessing.Pipe()
    other = multiprocessing.get_context("spawn").Process(target=serve, args=(count, theirs))
    other.start()
    try:
        figures = measured(count, int(ours.recv()))
    finally:
        other.terminate()
        other.join()
    print(json.dumps(figures))


def measured(count: int, port: int) -> dict[str, Any]:
    """Return what reading came to."""
    os.environ["HUB_ALLOW_ADDRESSES"] = f"127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.read({"HUB_DIRECTORY": folder})
        store = Store(settings.database_url)
        migrations.upgrade(store)
        store.close()
        hub = open_hub(settings)
        assemble(hub)
        given = {
            "url": f"http://127.0.0.1:{port}/orders?since={{since}}", "records": "data",
            "paging": "page", "changed_path": "changed",
            "fields": {"rules": {name: {"path": path} for name, path in RULES.items()}},
        }  # fmt: skip
        with hub.store.write() as session:
            merchant = add_merchant(session, "Bench").id
            add_depot(session, "Vaduz", Location(lat=47.14, lon=9.52))
            row = hub.connections.save(session, "generic", given, merchant=merchant)
            pulls.request(session, row.id)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began, turns = time.perf_counter(), 0
        while claims := claim(hub.store, "outward", "bench"):
            work(hub, claims[0])
            turns += 1
        seconds = time.perf_counter() - began
        with hub.store.read() as session:
            taken = session.exec(select(func.count()).select_from(OrderRow)).one()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        hub.close()
    return {
        "bench": "own_system", "orders": count, "taken": taken, "seconds": round(seconds, 1),
        "orders_per_second": round(taken / seconds), "turns": turns,
        "peak_mb": round(peak / 1024), "before_mb": round(before / 1024),
    }  # fmt: skip


if __name__ == "__main__":
    main()
