"""Decide events against 20 workflows and run steps, beside one RQ job per event; one JSON line.

`python bench/workflow.py 20000` decides as many events; the default is 4,000. Every event is
compared with the conditions of all 20 workflows, and every second one starts a run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy import func
from sqlmodel import select, update

from hub.events import MerchantFacts, OrderFacts
from hub.events.catalogue import OrderReceived
from hub.events.log import append_all, number
from hub.fleet.roster import add_merchant
from hub.hub import Hub, open_hub
from hub.queue import entry
from hub.queue.leader import lead
from hub.queue.server import server_binary
from hub.queue.work import enqueue, hold
from hub.settings import Settings
from hub.store import CursorRow, Operator, RunRow, StepRow, Store, WorkRow, migrations
from hub.store.tracing import TRACE, read
from hub.workflow.library import save
from hub.workflow.parts import assemble

WORKFLOWS = 20
CHUNK = 200
ROUNDS = 5
JOBS = 100
"""RQ jobs in a round of the comparison; each asks for the truth of an event's id, no more."""
STEPS = 900
"""Steps that are run end to end, three to a run."""
FLOW = """\
workflow: bench-{number}
on:
  - event: order.received
    if: >-
      event.order.total_minor == {number} && event.order.source == "bench"
      && event.order.ref.startsWith("R-")
steps:
"""
STEP = """\
  - id: note{step}
    use: dispatch.flag
    with: {{kind: bench{step}, text: "{{{{ event.order.ref }}}} {{{{ event.order.total_minor }}}}"}}
"""


def open_bench(folder: Path, redis: str) -> Hub:
    """Return a hub on a fresh SQLite database, with 20 workflows of three steps."""
    settings = Settings.read({"HUB_DIRECTORY": str(folder), "HUB_REDIS_URL": redis})
    store = Store(settings.database_url)
    migrations.upgrade(store)
    store.close()
    hub = open_hub(settings)
    assemble(hub)
    for flow in range(WORKFLOWS):
        steps = "".join(STEP.format(step=step) for step in range(3))
        with hub.store.write(Operator("owner")) as session:
            save(hub, session, FLOW.format(number=flow) + steps)
    return hub


def fill(hub: Hub, count: int) -> None:
    """Append `count` events, of which every second one fits one workflow, and number them."""
    with hub.store.write(Operator("owner")) as session:
        merchant = add_merchant(session, "Bench").id
    token = lead(hub.store, "dispatcher", "bench")
    assert token is not None
    for start in range(0, count, CHUNK):
        events = [event(merchant, row) for row in range(start, min(start + CHUNK, count))]
        with hub.store.write(Operator("owner")) as session:
            append_all(session, events)
        with hub.store.write() as session:
            number(session, token, CHUNK)


def event(merchant: str, row: int) -> OrderReceived:
    """Return the event of one order."""
    return OrderReceived(
        subject=f"ord_{row}",
        merchant_id=merchant,
        order=OrderFacts(
            id=f"ord_{row}", ref=f"R-{row}", source="bench",
            total_minor=row // 2 % WORKFLOWS if row % 2 else 1_000 + row,
        ),
        merchant=MerchantFacts(id=merchant, name="Bench"),
    )  # fmt: skip


def decide(hub: Hub, upto: int) -> tuple[float, float]:
    """Evaluate as a worker does until the cursor has come to `upto`; return seconds and CPU."""
    with hub.store.write() as session:
        enqueue(session, "evaluate", "events")

    def work() -> None:
        while position(hub) < upto:
            with hub.store.write() as session:
                row = session.exec(select(WorkRow).where(WorkRow.kind == "evaluate")).one()
                claim = hold(session, row, "bench")
            entry.work(hub, claim)

    return timed(work)


def position(hub: Hub) -> int:
    """Return up to which event was decided."""
    with hub.store.read() as session:
        row = session.get(CursorRow, "workflow")
        return row.seq if row else 0


def run_steps(hub: Hub) -> tuple[int, float]:
    """Run the steps of some of the runs as a worker does; return how many, and the seconds."""
    with hub.store.write() as session:
        due = session.exec(
            select(WorkRow.id).where(WorkRow.kind == "step").order_by(WorkRow.id)
        ).all()
        for id in due[STEPS // 3 :]:
            session.exec(update(WorkRow).where(WorkRow.id == id).values(state="parked"))

    def work() -> None:
        while entry.run(hub, "fast", "bench"):
            pass

    seconds, _ = timed(work)
    with hub.store.read() as session:
        done = select(func.count()).select_from(StepRow).where(StepRow.state == "done")
        return session.exec(done).one(), seconds


def one_job_per_event(redis: Redis) -> float:
    """Return the CPU seconds that RQ takes for one job that does nothing, its enqueuing included.

    The worker is RQ's quickest, which does not fork; what the Redis server takes is not counted.
    """
    queue = Queue("bench", connection=redis, serializer=JSONSerializer)

    def work() -> None:
        for row in range(JOBS):
            queue.enqueue("operator.truth", f"evt_{row}")
        worker = SimpleWorker([queue], connection=redis, serializer=JSONSerializer)
        worker.work(burst=True, logging_level="ERROR")

    _, cpu = timed(work)
    return cpu / JOBS


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Return how many seconds `work` takes, and how many of CPU."""
    began, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - cpu


def longest_write(path: Path) -> float:
    """Return how long the longest write transaction of the evaluator was held, in seconds."""
    return max(one.held for one in read(path) if one.name == "hub.workflow.engine.evaluate")


def measure(folder: Path, url: str, count: int) -> dict[str, Any]:
    """Return the figures of one run."""
    hub = open_bench(folder, url)
    fill(hub, count)
    decide(hub, CHUNK)  # the first batch compiles the workflows, once per process
    seconds = cpu = rq = 0.0
    for upto in range(CHUNK + (count - CHUNK) // ROUNDS, count + 1, (count - CHUNK) // ROUNDS):
        # By turns, because a shared machine is not always as quick.
        os.environ[TRACE] = str(folder / "writes")
        took = decide(hub, upto)
        del os.environ[TRACE]
        seconds, cpu = seconds + took[0], cpu + took[1]
        rq += one_job_per_event(hub.redis) / ROUNDS
    with hub.store.read() as session:
        runs = session.exec(select(func.count()).select_from(RunRow)).one()
    steps, step_seconds = run_steps(hub)
    hub.close()
    each = cpu / (count - CHUNK)
    return {
        "bench": "workflow", "workflows": WORKFLOWS, "events": count, "runs": runs,
        "events_per_second": round((count - CHUNK) / seconds),
        "longest_write_ms": round(longest_write(folder / "writes") * 1000, 1),
        "cpu_ms_per_event": round(each * 1000, 3),
        "cpu_ms_per_rq_job": round(rq * 1000, 3),
        "ratio_one_job_per_event": round(rq / each, 1),
        "steps": steps, "steps_per_second": round(steps / step_seconds),
    }  # fmt: skip


def main() -> None:
    """Measure on a fresh database and a Redis of its own, and print the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 4_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        socket = folder / "s"
        server = subprocess.Popen(
            [server_binary(), "--port", "0", "--unixsocket", str(socket), "--save", "",
             "--dir", name],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            while not socket.exists():
                time.sleep(0.02)
            print(json.dumps(measure(folder, f"unix://{socket}", count)))
        finally:
            server.terminate()
            server.wait(10)


if __name__ == "__main__":
    main()
