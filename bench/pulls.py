"""Pull a shop's orders from a loopback peer through the whole intake; one JSON line.

`python bench/pulls.py 10000` pulls as many, page by page over HTTP, in a worker-like process.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sqlmodel import func, select

from hub.fleet.roster import add_depot, add_merchant
from hub.hub import Hub, open_hub
from hub.nouns import Location
from hub.queue.entry import work
from hub.queue.work import claim
from hub.settings import Settings
from hub.store import OrderRow, Store, System, migrations
from hub.workflow import pulls
from hub.workflow.parts import assemble

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
APART = timedelta(minutes=1)
LONGEST_WRITE_MS = 50


def record(number: int) -> dict[str, Any]:
    """Return an order as WooCommerce answers it."""
    at = f"{FIRST + APART * number:%Y-%m-%dT%H:%M:%S}"
    place = {
        "first_name": "Rosa", "last_name": f"Beck {number}", "company": "", "address_1": "Gasse 1",
        "address_2": "", "city": "Vaduz", "state": "", "postcode": "9490", "country": "LI",
        "phone": "+4232345678", "email": "rosa@example.li",
    }  # fmt: skip
    line = {"id": number, "name": "Pine oil", "quantity": 2, "sku": "OIL", "price": 10,
            "total": "20.00", "subtotal": "20.00", "product_id": 1, "meta_data": []}  # fmt: skip
    return {
        "id": number, "number": str(number), "status": "processing", "currency": "CHF",
        "total": "20.00", "payment_method": "card", "date_paid_gmt": at, "date_created_gmt": at,
        "date_modified_gmt": at, "billing": place, "shipping": place, "line_items": [line, line],
        "shipping_lines": [], "fee_lines": [], "meta_data": [], "customer_note": "", "refunds": [],
    }  # fmt: skip


def serve(count: int) -> None:
    """Be the shop: answer pages of orders in the order of their change until it is ended."""

    class Shop(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = {name: one[-1] for name, one in parse_qs(urlsplit(self.path).query).items()}
            size, page = int(asked.get("per_page", 10)), int(asked.get("page", 1))
            first = 1
            if since := asked.get("modified_after"):
                at = datetime.fromisoformat(since.replace("Z", "+00:00"))
                at = at if at.tzinfo else at.replace(tzinfo=UTC)
                first = max(1, int((at - FIRST) / APART) + 1)
            begin = first + size * (page - 1)
            found = [record(number) for number in range(begin, min(begin + size, count + 1))]
            content = json.dumps(found).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("X-WP-TotalPages", "1")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    print(server.server_address[1], flush=True)
    server.serve_forever()


def measured(hub: Hub) -> list[float]:
    """Note from now on how long each write transaction holds the database, in milliseconds."""
    from contextlib import contextmanager

    spent: list[float] = []
    write = hub.store.write

    @contextmanager
    def timed(*given: Any, **named: Any) -> Any:
        with write(*given, **named) as session:
            began = time.perf_counter()
            yield session
        spent.append((time.perf_counter() - began) * 1000)

    hub.store.write = timed  # type: ignore[method-assign]
    return spent


def pull(hub: Hub, port: int) -> tuple[float, list[float]]:
    """Read the shop to its end; return the seconds, and what each write took."""
    with hub.store.write(System()) as session:
        merchant = add_merchant(session, "Bench").id
        add_depot(session, "Vaduz", Location(lat=47.14, lon=9.52))
        settings = {"url": f"http://127.0.0.1:{port}", "key": "ck_bench", "secret": "cs_bench"}
        shop = hub.connections.save(session, "woocommerce", settings, merchant=merchant).id
        pulls.request(session, shop)
    spent = measured(hub)
    began = time.perf_counter()
    while claims := claim(hub.store, "outward", "bench"):
        work(hub, claims[0])
    return time.perf_counter() - began, spent


def main() -> None:
    """Pull on a fresh SQLite database and print the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    words = [sys.executable, str(Path(__file__)), str(count), "serve"]
    shop = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert shop.stdout is not None
    port = int(shop.stdout.readline())
    os.environ["HUB_ALLOW_ADDRESSES"] = f"127.0.0.1:{port}"
    try:
        with tempfile.TemporaryDirectory() as folder:
            settings = Settings.read({"HUB_DIRECTORY": folder})
            store = Store(settings.database_url)
            migrations.upgrade(store)
            store.close()
            hub = open_hub(settings)
            assemble(hub)
            seconds, spent = pull(hub, port)
            with hub.store.read() as session:
                orders = session.exec(select(func.count()).select_from(OrderRow)).one()
            size = (Path(folder) / "hub.db").stat().st_size
            hub.close()
    finally:
        shop.terminate()
        shop.wait(10)
    assert orders == count, f"{orders} of {count} orders came"
    print(json.dumps({
        "orders": orders, "seconds": round(seconds, 2), "orders_per_s": round(orders / seconds),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "longest_write_ms": round(max(spent), 1),
        "writes_over_50_ms": sum(one > LONGEST_WRITE_MS for one in spent),
        "database_mb": round(size / 1e6),
    }))  # fmt: skip


if __name__ == "__main__":
    if sys.argv[2:] == ["serve"]:
        serve(int(sys.argv[1]))
    else:
        main()
