"""Re-optimisations: asked for in a transaction, worked out outside of any, applied in short ones.

Each group of routes that exchange stops is written as a whole or not at all, in a transaction of
its own; the row knows what was written, so that a worker that dies half-way does no harm, and the
whole can be taken back as long as nobody has driven on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from sqlmodel import col, select

from hub.access import get
from hub.dispatch import insertion
from hub.dispatch.changes import Change, Overtaken, apply_together
from hub.dispatch.churn import Judge, moved
from hub.dispatch.flags import raise_flag
from hub.dispatch.reoptimise import (
    MOST_MOVED,
    SECONDS,
    Found,
    Scene,
    improve,
    late_stops,
    searching,
    survey,
)
from hub.errors import HubError, Refused, Retry, Unauthorized
from hub.events import append
from hub.events.catalogue import RouteReoptimised
from hub.events.facts import ReoptimisationFacts
from hub.fleet.roster import find_depot
from hub.hub import Hub
from hub.planning.limits import LONGEST
from hub.planning.plans import TRIES
from hub.planning.providers import pass_over
from hub.queue import Claim, LeaseLost, defer, enqueue, finish
from hub.queue.work import renew
from hub.store import FlagRow, Operator, ReoptimisationRow, RouteRow, Session, StopRow
from hub.store.database import Busy

KIND = "reoptimise"
ENDED = ("done", "failed", "cancelled", "undone")
LOST = "goods_lost"
"""The kind of flag on stops whose goods are gone: nothing puts them into a route by itself."""
UNSERVED = "not_redistributed"
STAFF = Operator("dispatcher", user="reoptimisation")
"""On whose behalf workers look for better routes: for the operator's dispatchers."""
PASSING = (Retry, Unauthorized, Busy)
Step = Callable[[Session], None]


class Cancelled(HubError):
    """Say that somebody does not want the re-optimisation any more."""


def request(
    session: Session,
    depot: str,
    day: date,
    by: str = "",
    *,
    seconds: float = SECONDS,
    most_moved: float = MOST_MOVED,
    insert: bool = False,
    waiting: bool = False,
) -> ReoptimisationRow:
    """Ask for better routes of a depot (id or name) and day; a worker looks for them.

    With `insert` promised stops that have lost their route are put into others first; with
    `waiting` only into routes that have not left, because the goods are at the depot. Asked twice
    before a worker has begun, it is one search.
    """
    found = find_depot(session, depot)
    check(seconds, most_moved)
    known = waits(session, found.id, day)
    if known is not None:
        known.insert, known.waiting = known.insert or insert, known.waiting or waiting
        return known
    row = ReoptimisationRow(
        depot=found.id,
        service_date=day,
        insert=insert,
        waiting=waiting,
        seconds=seconds,
        most_moved=most_moved,
        requested_by=by,
        created_at=session.now,
    )
    return ask(session, row)


def waits(session: Session, depot: str, day: date) -> ReoptimisationRow | None:
    """Return the search of a day that no worker has begun yet."""
    query = select(ReoptimisationRow).where(
        ReoptimisationRow.depot == depot,
        ReoptimisationRow.service_date == day,
        ReoptimisationRow.state == "waiting",
        col(ReoptimisationRow.stop).is_(None),
    )
    return session.exec(query).first()


def request_insert(
    session: Session, stop_id: str, route_id: str | None = None, by: str = ""
) -> ReoptimisationRow:
    """Ask that an unassigned stop is put into the cheapest place, or into one route."""
    stop = get(session, StopRow, stop_id)
    insertion.check_open(stop)
    if route_id:
        get(session, RouteRow, route_id)
    row = ReoptimisationRow(
        depot=stop.depot,
        service_date=stop.service_date,
        stop=stop.id,
        route=route_id or None,
        requested_by=by,
        created_at=session.now,
    )
    return ask(session, row)


def ask(session: Session, row: ReoptimisationRow) -> ReoptimisationRow:
    """Add a row and make its work due."""
    session.add(row)
    session.flush()
    enqueue(session, KIND, row.id, queue="heavy")
    return row


def check(seconds: float, most_moved: float) -> None:
    """Raise `Refused` for numbers that make no sense."""
    if not 0.1 <= seconds <= LONGEST:
        raise Refused(f"seconds must lie between 0.1 and {LONGEST:.0f}, not {seconds}", "seconds")
    if not 0 < most_moved <= 10_000:
        raise Refused(
            "most_moved is a share below 1 or a number of stops from 1 on, above 0", "most_moved"
        )


def cancel(session: Session, id: str) -> ReoptimisationRow:
    """Stop a search; what it has written already stays, and can be taken back."""
    row = get(session, ReoptimisationRow, id)
    if row.state in ("done", "failed", "undone"):
        raise Refused(f"re-optimisation {row.id} is {row.state} already", "state")
    if row.state != "cancelled":
        row.reason = "cancelled by a person"
        conclude(session, row, "cancelled")
    return row


def now(hub: Hub, id: str) -> ReoptimisationRow:
    """Work at once, in this process, and return the ended row."""
    for last in (*[False] * (TRIES - 1), True):
        try:
            make(hub, id, nothing, nothing)
            break
        except PASSING as error:
            if last:
                fail(hub, id, str(error), nothing)
    with hub.store.read(STAFF) as session:
        return session.get_one(ReoptimisationRow, id)


def nothing(_: Session) -> None:
    """Add nothing to a transaction: nobody holds a claim."""


def work(hub: Hub, claim: Claim) -> None:
    """Do what a worker has claimed; what may pass is tried again."""

    def hold(session: Session) -> None:
        renew(session, claim)

    def end(session: Session) -> None:
        finish(session, claim)

    if claim.losses >= TRIES:
        fail(hub, claim.subject, f"it broke off {claim.losses} times (the log says how)", end)
        return
    if claim.hung:
        pass_over(hub, claim.why)
    try:
        make(hub, claim.subject, hold, end)
    except PASSING as error:
        if claim.tries >= TRIES:
            fail(hub, claim.subject, str(error), end)
            return
        after = error.after if isinstance(error, Retry) else None
        wait = 1.0 if after is None else after
        with hub.store.write(STAFF) as session:
            defer(session, claim, session.wall + timedelta(seconds=wait), str(error))


def make(hub: Hub, id: str, hold: Step, end: Step) -> None:
    """Put in what waits, search, apply; an error that will not pass ends it as failed."""
    try:
        row = begin(hub, id, hold)
        if row is None:
            with hub.store.write(STAFF) as session:
                end(session)
            return
        put_in(hub, row, hold)
        if row.stop is None:
            better(hub, row, hold)
        with hub.store.write(STAFF) as session:
            done = running(session, id)
            conclude(session, done, "failed" if done.stop and not done.inserted else "done")
            end(session)
    except Cancelled:
        with hub.store.write(STAFF) as session:
            end(session)
    except (*PASSING, LeaseLost):
        raise
    except HubError as error:
        fail(hub, id, str(error), end)


def begin(hub: Hub, id: str, hold: Step) -> ReoptimisationRow | None:
    """Mark it as running and return it; None where it has already ended."""
    with hub.store.write(STAFF) as session:
        row = get(session, ReoptimisationRow, id)
        hold(session)
        if row.state in ENDED:
            return None
        row.state = "running"
        return row


def running(session: Session, id: str) -> ReoptimisationRow:
    """Return the row, held; raise `Cancelled` when somebody has stopped it meanwhile."""
    query = select(ReoptimisationRow).where(ReoptimisationRow.id == id)
    row = session.exec(query.with_for_update(key_share=True)).one()
    if row.state != "running":
        raise Cancelled(f"re-optimisation {id} is {row.state}")
    return row


def put_in(hub: Hub, row: ReoptimisationRow, hold: Step) -> None:
    """Put the stop that was named, or all that have lost their route, into their best places."""
    wanted = [(row.stop, row.route)] if row.stop else [(id, None) for id in orphans(hub, row)]
    for stop, route in wanted:
        put_one(hub, row, stop, route, hold)


def put_one(hub: Hub, row: ReoptimisationRow, stop: str, route: str | None, hold: Step) -> None:
    """Put one stop into its best place and note it; flag one that fits nowhere."""
    try:
        for last in (*[False] * (insertion.TRIES - 1), True):
            offered = insertion.price(hub, STAFF, stop, route, waiting=row.waiting)
            try:
                with hub.store.write(STAFF) as session:
                    kept = running(session, row.id)
                    hold(session)
                    insertion.insert(hub, session, stop, route, offered)
                    kept.inserted = [*kept.inserted, {"stop": stop, "route": offered.route}]
                return
            except Overtaken:
                if last:
                    raise
    except Refused as error:
        with hub.store.write(STAFF) as session:
            kept = running(session, row.id)
            if kept.stop and session.get_one(StopRow, stop).state == "dispatched":
                return  # a worker that died had put it in
            kept.unserved = [*kept.unserved, {"stop": stop, "reason": str(error)}]
            kept.reason = str(error) if kept.stop else kept.reason
            flag_unserved(session, stop, str(error))


def flag_unserved(session: Session, stop: str, reason: str) -> None:
    """Raise a flag on a stop that has lost its route and fits into no other; once per attempt."""
    found = session.get_one(StopRow, stop)
    key = f"{UNSERVED}:{stop}:{found.attempts}"
    text = f"It has no route, and none can take it: {reason}"
    raise_flag(session, key, UNSERVED, text, subject=stop, merchant=found.merchant)


def orphans(hub: Hub, row: ReoptimisationRow) -> list[str]:
    """Return the promised stops of the day that have lost their route, those promised first first.

    Without those whose goods are lost.
    """
    if not row.insert:
        return []
    lost = select(FlagRow.subject).where(FlagRow.kind == LOST)
    query = select(StopRow.id).where(
        StopRow.depot == row.depot,
        StopRow.service_date == row.service_date,
        StopRow.state == "unassigned",
        col(StopRow.promised_end).is_not(None),
        col(StopRow.id).not_in(lost),
    )
    with hub.store.read(STAFF) as session:
        return list(session.exec(query.order_by(col(StopRow.promised_end), StopRow.id)))


def better(hub: Hub, row: ReoptimisationRow, hold: Step) -> None:
    """Look for better routes and apply what is found, group by group."""
    scene = survey(hub, STAFF, row.depot, row.service_date)
    found = improve(scene, searching(hub), row.most_moved, row.seconds)
    judge = Judge(scene.problem, scene.promised)
    overtaken = 0
    for group in found.groups:
        try:
            with hub.store.write(STAFF) as session:
                kept = running(session, row.id)
                hold(session)
                note(kept, scene, group, apply_together(session, group))
        except Overtaken:
            overtaken += 1
    if overtaken and overtaken == len(found.groups):
        raise Overtaken("every route that could be better has changed meanwhile", after=1)
    with hub.store.write(STAFF) as session:
        kept = running(session, row.id)
        kept.engine = found.engine or kept.engine
        kept.late_before = late_stops(scene, judge, scene.before)
        kept.late_after = late_stops(scene, judge, found.after)
        kept.reason = said(found, scene, overtaken)


def note(
    row: ReoptimisationRow, scene: Scene, group: Sequence[Change], stamps: dict[str, str]
) -> None:
    """Write down what a group has brought, and how to take it back."""
    before = {made.route: scene.before[made.route] for made in group}
    row.moved += moved(before, {made.route: made.stops for made in group})
    row.routes += len(group)
    row.gain_metres -= sum(made.metres for made in group)
    row.gain_seconds -= sum(made.seconds for made in group)
    row.before = {**{id: list(stops) for id, stops in before.items()}, **row.before}
    row.stamps = {**row.stamps, **stamps}


def said(found: Found, scene: Scene, overtaken: int) -> str:
    """Return what a person should know of the search, beyond its numbers."""
    parts = []
    if not found.groups:
        parts.append(found.trouble or "nothing better was found")
    if overtaken:
        parts.append(f"{overtaken} changes were left out, because drivers went on meanwhile")
    if scene.skipped:
        parts.append(f"{len(scene.skipped)} routes were left as they are: {scene.why_skipped}")
    return "; ".join(parts)


def fail(hub: Hub, id: str, reason: str, end: Step) -> None:
    """End it as failed, with the reason that people read."""
    with hub.store.write(STAFF) as session:
        row = session.get_one(ReoptimisationRow, id)
        if row.state not in ENDED:
            row.reason = reason
            conclude(session, row, "failed")
        end(session)


def conclude(session: Session, row: ReoptimisationRow, state: str) -> None:
    """End it and tell it."""
    row.state, row.finished_at = state, session.now
    session.flush()
    append(session, RouteReoptimised(subject=row.id, reoptimisation=facts(row)))


def facts(row: ReoptimisationRow) -> ReoptimisationFacts:
    """Return what an event says about it."""
    names = set(ReoptimisationFacts.model_fields) - {"service_date", "inserted", "unserved"}
    return ReoptimisationFacts(
        **row.model_dump(include=names),
        service_date=row.service_date.isoformat(),
        inserted=len(row.inserted),
        unserved=len(row.unserved),
    )
