"""An import whose worker is killed with -9 goes on where it stopped."""

import os
import signal
import subprocess
import sys
import time

import pytest
from sqlmodel import select

from hub import orders
from hub.hub import Hub
from hub.orders import imports
from hub.queue.work import claim
from hub.store import ImportErrorRow, ImportRow, OrderLineRow, OrderRow, System, WorkRow
from hub.testing.fixtures import World
from hub.testing.patience import PATIENCE

WORKER = """
import signal

from hub import orders
from hub.hub import open_hub
from hub.orders import imports
from hub.queue.work import claim
from hub.settings import Settings

real, calls = imports.store_chunk, []

def store_chunk(*given, **more):
    calls.append(1)
    if len(calls) > 2:
        signal.pause()  # killed here, however late
    return real(*given, **more)

imports.store_chunk = store_chunk
hub = open_hub(Settings.read(), patience=60)
orders.register(hub)
for one in claim(hub.store, "heavy", "doomed"):
    hub.handlers[one.kind](hub, one)
"""
ORDERS = 600


def rows_done(hub: Hub, id: str) -> int:
    with hub.store.read(System()) as session:
        return session.get_one(ImportRow, id).rows


def kill_in_the_middle(hub: Hub, id: str, already: int) -> None:
    """Let a real worker process import, and kill it once it has taken some more rows in."""
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER], env={**os.environ, **hub.settings.environ()}
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while rows_done(hub, id) <= already and worker.poll() is None:
            assert time.monotonic() < deadline, "the worker took nothing in"
            time.sleep(0.005)
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait(PATIENCE)
    with hub.store.write(System()) as session:
        for row in session.exec(select(WorkRow).where(WorkRow.state == "leased")):
            row.lease_until = session.wall


@pytest.mark.chaos
def test_nothing_is_lost_or_doubled_when_the_worker_is_killed_twice(hub: Hub, world: World) -> None:
    lines = ["ref,city,lat,lon,item,quantity"]
    for n in range(ORDERS):
        lat = "1000" if n % 100 == 50 else "47.1"
        lines += [f"A{n},Vaduz,{lat},9.5,Bread,1", f"A{n},,,,Honey,2"]
    content = "\n".join(lines).encode()
    id = imports.start(hub, System(), world.merchant, "nov.csv", content)
    kill_in_the_middle(hub, id, 0)
    halfway = rows_done(hub, id)
    assert 0 < halfway < ORDERS
    kill_in_the_middle(hub, id, halfway)
    orders.register(hub)
    while claims := claim(hub.store, "heavy", "heir"):
        hub.handlers["import"](hub, claims[0])
    with hub.store.read(System()) as session:
        row = session.get_one(ImportRow, id)
        refs = session.exec(select(OrderRow.ref)).all()
        errors = session.exec(select(ImportErrorRow.line)).all()
        articles = session.exec(select(OrderLineRow.id)).all()
    assert row.state == "done"
    assert (row.rows, row.created, row.updated, row.unchanged) == (ORDERS, ORDERS - 6, 0, 0)
    assert len(refs) == len(set(refs)) == ORDERS - 6
    assert len(articles) == 2 * (ORDERS - 6)
    assert len(errors) == row.refused == 6
