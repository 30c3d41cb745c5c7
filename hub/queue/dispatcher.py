"""The one process that numbers events, tells the live channel and rings for due work."""

from __future__ import annotations

import gc
import json
import logging
import signal
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError
from sqlmodel import col, delete, select

from hub.access import audit, sessions
from hub.connections import activity
from hub.events.log import LostLead, Numbered, number, tail, unnumbered
from hub.hub import Hub, open_hub
from hub.ledgers import impatient
from hub.queue.bell import DOORBELL, Bell, install
from hub.queue.leader import LEASE, lead, resign
from hub.queue.work import backlog, enqueue, sweep
from hub.queue.worker import label_of
from hub.settings import Settings
from hub.store import CursorRow, RouteRow, RouteWayRow, Session, WorkRow
from hub.store.database import Busy

if TYPE_CHECKING:
    from redis import Redis

LEAD = "dispatcher"
READER = "workflow"
"""The cursor of the reader for whose sake `evaluate` is made due."""
TICK = 0.2
BATCH = 100
"""Events numbered in one transaction, few enough to stay far below 50 ms."""
KEEP = timedelta(days=7)
"""How long the row of finished work stays, for people who ask what happened."""
WAYS = timedelta(days=30)
"""How long the lines and turns of a route stay after its day."""
SWEEP = 60.0
log = logging.getLogger(__name__)


def main(
    settings: Settings,
    assemble: Callable[[Hub], None],
    name: str = "",
    stop: threading.Event | None = None,
) -> None:
    """Dispatch until SIGTERM or SIGINT, or until `stop` is set; stand by while another leads.

    `name` (else the variable HUB_PROCESS) may be given by a supervisor that never runs two
    processes of one name on this machine: then a restart leads at once, instead of when the lease
    of its predecessor runs out.
    """
    stop = stop or stop_on_signals()
    holder = label_of(name, LEAD)
    hub = open_hub(settings, patience=15)
    try:
        assemble(hub)
        gc.freeze()  # what start-up made stays: looking through it would hold a write up for 100 ms
        serve(hub, holder, stop)
    finally:
        hub.close()


def stop_on_signals() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for wish in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wish, lambda *_: stop.set())
    return stop


def serve(hub: Hub, holder: str, stop: threading.Event) -> None:
    """Lead when possible and do a round whenever the doorbell rings, at least every 0.2 s."""
    bell, door = install(hub), impatient(hub.redis, 2.0)
    resign(hub.store, LEAD, holder)
    token, renew_at, sweep_at = None, 0.0, 0.0
    while not stop.is_set():
        now = time.monotonic()
        try:
            if now >= renew_at:
                token = lead(hub.store, LEAD, holder)
                renew_at = now + LEASE.total_seconds() / 3
            if token is None:
                renew_at = 0.0
                stop.wait(1)
                continue
            dispatch(hub, bell, token)
            if now >= sweep_at:
                tidy(hub)
                sweep_at = now + SWEEP
            answer_door(door, stop)
        except LostLead as error:
            log.info("%s", error)
            renew_at = 0.0
        except (Busy, DBAPIError) as error:
            log.warning("the dispatcher waits for the database: %s", error)
            stop.wait(1)
    resign(hub.store, LEAD, holder)


def answer_door(door: Redis, stop: threading.Event) -> None:
    """Wait until somebody rings or the tick is over."""
    from redis.exceptions import RedisError

    try:
        door.blpop([DOORBELL], timeout=TICK)
    except (RedisError, OSError):
        # Without the doorbell the rounds are made by the clock; nothing else depends on it.
        stop.wait(TICK)


def dispatch(hub: Hub, bell: Bell, token: int) -> list[Numbered]:
    """Make one round: number what is new, tell about it, ring for what is due."""
    with hub.store.read() as session:
        new, wanted, due = unnumbered(session), is_behind(session), backlog(session)
    numbered: list[Numbered] = []
    evaluates = "evaluate" in hub.handlers
    while new:
        batch = number_batch(hub, token, evaluates)
        publish(bell.redis, batch)
        numbered += batch
        new = len(batch) == BATCH
    if wanted and evaluates and not numbered:
        with hub.store.write() as session:
            enqueue(session, "evaluate", "events")
    for round_ in hub.rounds:
        round_(hub)
    bell(due)
    return numbered


def number_batch(hub: Hub, token: int, evaluates: bool) -> list[Numbered]:
    """Number some events and make their evaluation due, in one transaction."""
    with hub.store.write() as session:
        batch = number(session, token, BATCH)
        if batch and evaluates:
            enqueue(session, "evaluate", "events")
    return batch


def is_behind(session: Session) -> bool:
    """Say whether numbered events wait although nobody is asked to evaluate them.

    The row asked for at the time of numbering is enough as long as nothing goes wrong; this mends
    a wake-up that ended as a dead letter or stopped half-way.
    """
    seen = session.exec(select(CursorRow.seq).where(CursorRow.name == READER)).one_or_none() or 0
    if tail(session) <= seen:
        return False
    state = session.exec(
        select(WorkRow.state).where(WorkRow.kind == "evaluate", WorkRow.subject == "events")
    ).one_or_none()
    return state not in ("ready", "leased")


def publish(redis: Redis, numbered: list[Numbered]) -> None:
    """Tell the live channel what has happened; who misses it reads the database."""
    from redis.exceptions import RedisError

    try:
        with redis.pipeline(transaction=False) as pipeline:
            for one in numbered:
                about = {"t": "event", "type": one.type, "subject": one.subject, "seq": one.seq}
                pipeline.publish("live:board", json.dumps(about))
                if one.subject.startswith("stp_"):
                    pipeline.publish(f"live:stop:{one.subject}", '{"t": "changed"}')
            pipeline.execute()
    except (RedisError, OSError) as error:
        # The events are stored and numbered; pages that miss this fetch the state when they poll.
        log.info("the live channel is away: %s", error)


def tidy(hub: Hub) -> None:
    """Delete some rows of work, sessions and logs that are long over."""
    with hub.store.write() as session:
        sweep(session, session.wall - KEEP)
        audit.prune(session)
        sessions.prune(session)
    with hub.store.write() as session:
        activity.tidy(session)
        forget_ways(session)


def forget_ways(session: Session, limit: int = 20) -> int:
    """Delete up to `limit` ways of routes of past days, which lead to people's doors."""
    past = (session.now - WAYS).date()
    query = select(RouteWayRow.route).join(RouteRow, col(RouteRow.id) == RouteWayRow.route)
    found = session.exec(query.where(col(RouteRow.service_date) < past).limit(limit)).all()
    gone = delete(RouteWayRow).where(col(RouteWayRow.route).in_(found))
    return session.exec(gone).rowcount
