"""Webhooks in parallel bursts while the database is locked half of the time; one JSON line.

`python bench/webhooks.py 10000 100` sends as many webhooks, 100 at once, at a served hub on SQLite
with its dispatcher and a worker beside it. A hundredth of them has a wrong signature, a hundredth
comes twice, and a few are larger than 1 MB. Afterwards the lock is held for 8 s.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func
from sqlmodel import select

from hub.fleet.roster import add_depot, add_merchant
from hub.hub import Hub, open_hub
from hub.nouns import Location
from hub.queue.server import server_binary
from hub.settings import Settings
from hub.store import InboxRow, Operator, OrderRow, Store, System, migrations
from hub.testing.bursts import Bursts, Request, Sent, delivery, locked, percentile
from hub.workflow.incoming import open_address
from hub.workflow.parts import assemble

SECRET = "whsec-bench"
HELD = FREE = 0.25
LONG = 8.0
BY = Operator("owner")


def open_bench(folder: Path, redis: str) -> Hub:
    """Return a hub on a fresh SQLite database."""
    settings = Settings.read({"HUB_DIRECTORY": str(folder), "HUB_REDIS_URL": redis})
    store = Store(settings.database_url)
    migrations.upgrade(store)
    store.close()
    hub = open_hub(settings)
    assemble(hub)
    return hub


def connect(hub: Hub) -> str:
    """Add a shop of a merchant and return the path of its address."""
    config = {
        "url": "https://1.1.1.1", "key": "k", "secret": "s", "webhook_secret": SECRET,
    }  # fmt: skip
    with hub.store.write(BY) as session:
        merchant = add_merchant(session, "Bench").id
        add_depot(session, "Vaduz", Location(lat=47.141, lon=9.5209))
        row = hub.connections.save(session, "woocommerce", config, merchant=merchant)
        row.pull_at = row.check_at = session.wall.replace(year=2099)
        return urlsplit(open_address(hub, session, row)).path


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def start(settings: Settings, *words: str) -> subprocess.Popen[bytes]:
    """Start one of the hub's processes."""
    environ = os.environ | settings.environ() | {"HUB_PROCESS": "-".join(words[:2])}
    return subprocess.Popen([sys.executable, "-m", "hub", *words], env=environ)


def wait(said: Callable[[], Any], seconds: float) -> float:
    """Wait until something is true; return for how long."""
    began = time.monotonic()
    while not said():
        if time.monotonic() - began > seconds:
            raise SystemExit(f"not reached within {seconds:g} s")
        time.sleep(0.1)
    return time.monotonic() - began


def answers(port: int) -> bool:
    """Say whether the web answers."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def count(hub: Hub, query: Any) -> int:
    """Return a count."""
    with hub.store.read(System()) as session:
        return int(session.exec(query).one())


def fire(bursts: Bursts, total: int) -> tuple[list[Sent], Counter[str]]:
    """Send `total` good ones with bad ones among them; return the answers, the bad ones counted."""
    good: list[Sent] = []
    seen: Counter[str] = Counter()
    for first in range(1, total + 1, bursts.parallel):
        numbers = range(first, min(first + bursts.parallel, total + 1))
        requests = [delivery(number, SECRET) for number in numbers]
        forged = [delivery(number, "guessed") for number in numbers if number % 100 == 7]
        again = [delivery(number, SECRET) for number in numbers if number % 100 == 8]
        large: list[Request] = [(0, b"x" * 1_000_001, {})] if first % 1000 == 1 else []
        sent = bursts.send([*requests, *forged, *again, *large])
        good += sent[: len(requests)]
        rest = sent[len(requests) :]
        for name, kind in (("forged", forged), ("repeated", again), ("oversized", large)):
            for one in rest[: len(kind)]:
                seen[f"{name}_{one.status}"] += 1
            rest = rest[len(kind) :]
    return good, seen


def long_lock(hub: Hub, bursts: Bursts, first: int) -> dict[str, Any]:
    """Send one burst while the lock is held for 8 s; return how that was answered."""
    path = hub.settings.database_url.removeprefix("sqlite:///")
    with locked(path, LONG, LONG):
        sent = bursts.send([delivery(first + n, SECRET) for n in range(bursts.parallel)])
    statuses = Counter(one.status for one in sent)
    return {
        "long_lock_statuses": {str(status): number for status, number in statuses.items()},
        "long_lock_without_retry_after": sum(
            one.status == 503 and not one.retry_after for one in sent
        ),
        "long_lock_longest_s": round(max(one.seconds for one in sent), 2),
    }


def measure(folder: Path, url: str, total: int, parallel: int) -> dict[str, Any]:
    """Return the figures of one run."""
    hub = open_bench(folder, url)
    port, path = free_port(), connect(hub)
    database = hub.settings.database_url.removeprefix("sqlite:///")
    words = (("web", "--port", str(port)), ("dispatcher",), ("worker", "outward"))
    processes = [start(hub.settings, *one) for one in words]
    bursts = Bursts(port, path, parallel)
    try:
        wait(lambda: answers(port), 60)
        bursts.send([delivery(10**9, SECRET)])  # the first request imports what it needs
        with locked(database, HELD, FREE):
            began = time.perf_counter()
            good, seen = fire(bursts, total)
            seconds = time.perf_counter() - began
        taken = {one.number for one in good if one.status == 200}
        orders = select(func.count()).select_from(OrderRow)
        drained = wait(lambda: count(hub, orders) >= len(taken) + 1, 900)
        later = long_lock(hub, bursts, total + 1)
        waits = select(func.count()).where(InboxRow.kind == "delivery", InboxRow.status == 0)
        wait(lambda: not count(hub, waits), 60)
        with hub.store.read(System()) as session:
            refs = Counter(session.exec(select(OrderRow.ref)).all())
    finally:
        bursts.close()
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(20)
        hub.close()
    return {
        "bench": "webhooks", "webhooks": total, "parallel": parallel,
        "lock_held_ms": 250, "of_ms": 500, **latencies(good), "per_second": round(total / seconds),
        "accepted": len(taken), "statuses": dict(Counter(str(one.status) for one in good)),
        "orders_of_accepted": sum(refs[str(number)] == 1 for number in taken),
        "orders_twice": sum(number > 1 for number in refs.values()),
        **seen, "processed_after_s": round(drained, 1), **later,
    }  # fmt: skip


def latencies(sent: list[Sent]) -> dict[str, int]:
    """Return how long answers took, in milliseconds."""
    spent = [one.seconds for one in sent]
    return {
        "p50_ms": round(percentile(spent, 0.5) * 1000),
        "p99_ms": round(percentile(spent, 0.99) * 1000),
        "max_ms": round(max(spent) * 1000),
    }


def main() -> None:
    """Measure on a fresh database and a Redis of its own, and print the figures."""
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    parallel = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        socket_path = folder / "s"
        server = subprocess.Popen(
            [server_binary(), "--port", "0", "--unixsocket", str(socket_path), "--save", "",
             "--dir", name],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            wait(socket_path.exists, 10)
            print(json.dumps(measure(folder, f"unix://{socket_path}", total, parallel)))
        finally:
            server.terminate()
            server.wait(10)


if __name__ == "__main__":
    main()
