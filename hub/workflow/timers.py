"""What time does: waits end, schedules come due, queued runs begin, late ones fail.

All of it is rows with a business time beside them, looked through by whoever leads, so that a
restart, an emptied Redis or a clock that jumps changes nothing but when it is noticed.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from hub.events import append
from hub.events.catalogue import ScheduleDue
from hub.events.facts import RequestFacts
from hub.queue import enqueue
from hub.store import RunRow, ScheduleRow, Session, StepRow
from hub.workflow import gates
from hub.workflow.language import Schedule
from hub.workflow.library import Library
from hub.workflow.runs import RUN_KIND

if TYPE_CHECKING:
    from hub.hub import Hub

MOST = 50
"""Rows that are woken in one transaction."""
MOST_MISSED = 100
"""Missed times of one schedule that are made up for with `run_all`."""
log = logging.getLogger(__name__)


def go_round(library: Library, hub: Hub) -> None:
    """Wake what is due by business time; called by the leading dispatcher a few times a second."""
    with hub.store.read() as session:
        now = session.now
        schedules = library.schedules(session)
        work = due_steps(session, now), due_runs(session, now), behind(session, schedules, now)
        lines = gates.stuck(session)
    if not any(work) and not lines:
        return
    with hub.store.write() as session:
        for step in due_steps(session, now):
            row = session.get_one(StepRow, step)
            row.state, row.wake_at = "pending", None
            session.flush()
            enqueue(session, "step", step)
        for run in [*due_runs(session, now), *lines]:
            enqueue(session, RUN_KIND, run)
        for name, number, schedule in behind(session, schedules, now):
            come_round(session, name, number, schedule, now)


def due_steps(session: Session, now: datetime) -> list[str]:
    """Return waiting steps whose time has come."""
    query = select(StepRow.id).where(StepRow.state == "waiting", col(StepRow.wake_at) <= now)
    return list(session.exec(query.order_by(col(StepRow.wake_at)).limit(MOST)))


def due_runs(session: Session, now: datetime) -> list[str]:
    """Return queued runs whose time has come and running ones whose time is over."""
    begin = select(RunRow.id).where(RunRow.state == "queued", col(RunRow.starts_at) <= now)
    over = select(RunRow.id).where(RunRow.state == "running", col(RunRow.deadline) <= now)
    return [*session.exec(begin.limit(MOST)), *session.exec(over.limit(MOST))]


Known = list[tuple[str, int, Schedule]]
"""Workflow, place under `on:`, schedule."""


def behind(session: Session, schedules: Known, now: datetime) -> Known:
    """Return the schedules that are due or not yet known, or were changed."""
    rows = {(row.workflow, row.number): row for row in session.exec(select(ScheduleRow))}
    found = []
    for name, number, schedule in schedules:
        row = rows.get((name, number))
        due = row is not None and row.next_at is not None and row.next_at <= now
        if row is None or due or row.text != schedule.model_dump_json():
            found.append((name, number, schedule))
    return found


def come_round(session: Session, name: str, number: int, schedule: Schedule, now: datetime) -> None:
    """Tell about the times of a schedule that have passed, and set when it is due next."""
    row = session.get(ScheduleRow, (name, number), with_for_update=True)
    text = schedule.model_dump_json()
    if row is None or row.text != text:
        if row is None:
            row = ScheduleRow(workflow=name, number=number, text=text)
            session.add(row)
        row.text, row.next_at = text, after(schedule, name, now)
        return
    passed: list[datetime] = []
    while row.next_at is not None and row.next_at <= now and len(passed) < MOST_MISSED:
        passed.append(row.next_at)
        row.next_at = after(schedule, name, row.next_at)
    if row.next_at is not None and row.next_at <= now:
        row.next_at = after(schedule, name, now)
    for due in wanted(schedule, passed, now):
        append(
            session,
            ScheduleDue(
                subject=name,
                request=RequestFacts(workflow=name, due_at=due.isoformat(), trigger=number),
            ),
        )
        row.last_at = due


def wanted(schedule: Schedule, passed: list[datetime], now: datetime) -> list[datetime]:
    """Return for which of the times that passed the workflow is to start.

    A time counts as missed when the next one has passed too, or it is more than a minute ago.
    """
    in_time = [due for due in passed if now - due <= schedule.max_late]
    missed = [due for due in in_time if now - due > timedelta(minutes=1)]
    if schedule.if_missed == "run_all":
        return in_time
    if schedule.if_missed == "skip":
        return [due for due in in_time if due not in missed][-1:]
    return in_time[-1:]


def after(schedule: Schedule, name: str, moment: datetime) -> datetime | None:
    """Return the first time of a schedule after `moment`, None where there is none any more.

    The fields are read on the wall clock of its zone: a time that a change to summer time leaves
    out comes right after the gap, one that comes twice is taken once (cronsim, after Debian).
    """
    from cronsim import CronSim, CronSimError

    shift = delay(schedule, name)
    local = (moment - shift).astimezone(ZoneInfo(schedule.tz))
    try:
        found: datetime = next(CronSim(schedule.cron, local))
    except (StopIteration, CronSimError):
        return None
    return found.astimezone(moment.tzinfo) + shift


def delay(schedule: Schedule, name: str) -> timedelta:
    """Return the workflow's own share of the jitter: always the same for one name."""
    share = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) / 2**32
    return timedelta(seconds=int(schedule.jitter.total_seconds() * share))
