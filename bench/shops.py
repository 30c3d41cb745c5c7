"""Pull orders from a WooCommerce shop on loopback in a worker-like process; one JSON line.

`python bench/shops.py 10000` reads as many orders, which is the default. The shop is a process of
its own, whose time counts as well: a real one takes a quarter of a second for each page of 100.
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
from pathlib import Path

from sqlalchemy import func
from sqlmodel import select

from hub.fleet.roster import add_depot, add_merchant
from hub.hub import open_hub
from hub.nouns import Location
from hub.queue.entry import work
from hub.queue.work import claim
from hub.settings import Settings
from hub.store import ConnectionRow, OrderRow, Store, System, migrations
from hub.testing.peers.woocommerce import WooCommercePeer
from hub.workflow import pulls
from hub.workflow.parts import assemble

BURST = 7
"""Orders that share a second, so that pages end in the middle of one."""


def serve(folder: Path, total: int) -> None:
    """Be the shop: sell, say where it is, and answer until the other end is closed."""
    peer = WooCommercePeer(folder)
    at = datetime(2026, 11, 1, tzinfo=UTC)
    for number in range(total):
        moment = at + timedelta(seconds=number // BURST)
        peer.now = lambda moment=moment: moment
        place = {
            "first_name": "Customer", "last_name": str(number), "city": "Vaduz",
            "address_1": f"Street {number % 97}", "postcode": "9490", "country": "LI",
        }  # fmt: skip
        lines = [{"name": "Box", "quantity": 1 + number % 3, "total": "12.50", "sku": "BOX"}]
        slot = [{"key": "_delivery_date", "value": "2027-01-04"},
                {"key": "delivery_time", "value": "10:00 - 12:00"}]  # fmt: skip
        peer.sell(shipping=place, billing=place, line_items=lines, currency="CHF", meta_data=slot)
    peer.start()
    print(peer.port, flush=True)
    sys.stdin.read()
    peer.stop()


def main() -> None:
    """Pull everything into a fresh SQLite database and print the figures."""
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        shop = subprocess.Popen(
            [sys.executable, __file__, "serve", folder, str(total)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert shop.stdout is not None
        port = int(shop.stdout.readline())
        os.environ["HUB_ALLOW_ADDRESSES"] = f"127.0.0.1:{port}"
        try:
            print(json.dumps(pull(Path(folder), port)))
        finally:
            shop.communicate("")


def pull(folder: Path, port: int) -> dict[str, object]:
    """Read the shop to its end as workers do, and return the figures."""
    settings = Settings.read({"HUB_DIRECTORY": str(folder)})
    store = Store(settings.database_url)
    migrations.upgrade(store)
    store.close()
    hub = open_hub(settings)
    assemble(hub)
    config = {
        "url": f"http://127.0.0.1:{port}", "key": WooCommercePeer.key,
        "secret": WooCommercePeer.secret,
    }  # fmt: skip
    with hub.store.write(System()) as session:
        merchant = add_merchant(session, "Bench").id
        add_depot(session, "Vaduz", Location(lat=47.14, lon=9.52))
        id = hub.connections.save(session, "woocommerce", config, merchant=merchant).id
        pulls.request(session, id)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, busy, turns = time.perf_counter(), time.process_time(), 0
    while claims := claim(hub.store, "outward", "bench"):
        work(hub, claims[0])
        turns += 1
    seconds, busy = time.perf_counter() - began, time.process_time() - busy
    with hub.store.read(System()) as session:
        taken = session.exec(select(func.count()).select_from(OrderRow)).one()
        row = session.get_one(ConnectionRow, id)
        state, reason = row.state, row.reason
    hub.close()
    return {
        "bench": "shops", "orders": taken, "seconds": round(seconds, 1),
        "processor_seconds": round(busy, 1), "orders_per_second": round(taken / seconds),
        "turns": turns, "state": f"{state} {reason}".strip(), "before_mb": round(before / 1024),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
