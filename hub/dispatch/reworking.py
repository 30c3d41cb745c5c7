"""A re-optimisation done: what waits is put in, and what is better is written, a few routes a time.

All is worked out outside of any transaction. Routes that exchange stops are written as a whole or
not at all; the row knows what was written, so that a worker that dies half-way does no harm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from time import monotonic
from typing import Any

from sqlmodel import col, select

from hub.access import get
from hub.dispatch import insertion
from hub.dispatch.changes import Change, Overtaken, apply_groups
from hub.dispatch.churn import TOGETHER, moved
from hub.dispatch.flags import flag_unserved
from hub.dispatch.reoptimisations import ENDED, LOST, STAFF, conclude, unserved
from hub.dispatch.reoptimise import Better, Scene, improve, late_stops, searching, survey
from hub.errors import HubError, PluginError, Refused, Rejected
from hub.hub import Hub
from hub.planning.trials import PASSING, Step, Trial
from hub.queue import Claim, LeaseLost
from hub.store import FlagRow, ReoptimisationRow, Session, StopRow

WRITING = 0.25
"""Part of the time that is kept for writing down what was found."""
LEAST = 0.2
"""Part of the time that is searched, however long the reading took on a busy machine."""


class Cancelled(HubError):
    """Say that somebody does not want the re-optimisation any more."""


def now(hub: Hub, id: str) -> ReoptimisationRow:
    """Work at once, in this process, and return the ended row."""
    trial(hub, id).now()
    with hub.store.read(STAFF) as session:
        return session.get_one(ReoptimisationRow, id)


def work(hub: Hub, claim: Claim) -> None:
    """Do what a worker has claimed; what may pass is tried again."""
    trial(hub, claim.subject).work(hub, claim)


def trial(hub: Hub, id: str) -> Trial:
    """Return how it is done, or ended as failed."""
    return Trial(partial(make, hub, id), partial(fail, hub, id))


def make(hub: Hub, id: str, hold: Step, end: Step) -> None:
    """Put in what waits, search, apply; an error that will not pass ends it as failed."""
    try:
        row = begin(hub, id, hold)
        if row is None:
            with hub.store.write(STAFF) as session:
                end(session)
            return
        put_in(hub, row, hold)
        made = better(hub, row, hold) if row.stop is None else {}
        with hub.store.write(STAFF) as session:
            done = running(session, id)
            for name, value in made.items():
                setattr(done, name, value)
            done.unserved = [one for one in done.unserved if is_open(session, one["stop"])]
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
        session.refresh(row, with_for_update={"key_share": True})
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
    if row.stop:
        put_one(hub, row, row.stop, row.route, hold)
    for stop in orphans(hub, row):
        put_one(hub, row, stop, None, hold)


def put_one(hub: Hub, row: ReoptimisationRow, stop: str, route: str | None, hold: Step) -> None:
    """Put one stop into its best place and note it; flag one that fits nowhere."""
    waiting = row.waiting if row.stop else waits_at_depot(hub, row, stop)
    try:
        for last in (*[False] * (insertion.TRIES - 1), True):
            offered = insertion.price(hub, STAFF, stop, route, waiting=waiting)
            try:
                with hub.store.write(STAFF) as session:
                    kept = running(session, row.id)
                    hold(session)
                    insertion.insert(hub, session, stop, route, offered)
                    kept.inserted = [*kept.inserted, {"stop": stop, "route": offered.route}]
                    kept.unserved = [one for one in kept.unserved if one["stop"] != stop]
                return
            except Overtaken:
                if last:
                    raise
    except (Refused, Rejected, PluginError) as error:
        leave(hub, row.id, unserved(stop, str(error), waiting), hold)


def is_open(session: Session, stop: str) -> bool:
    """Say whether a stop still has no route: a person may have put it in meanwhile."""
    found = session.get(StopRow, stop)
    return found is not None and found.state == "unassigned"


def waits_at_depot(hub: Hub, row: ReoptimisationRow, stop: str) -> bool:
    """Say whether the goods of a stop are at the depot, as the last search that knew it says."""
    query = select(ReoptimisationRow.unserved).where(
        ReoptimisationRow.depot == row.depot, ReoptimisationRow.service_date == row.service_date
    )
    with hub.store.read(STAFF) as session:
        left = [one for told in session.exec(query.order_by(ReoptimisationRow.id)) for one in told]
    known = [bool(one["waiting"]) for one in left if one["stop"] == stop and "waiting" in one]
    return known[-1] if known else row.waiting


def leave(hub: Hub, id: str, left: dict[str, Any], hold: Step) -> None:
    """Note a stop that fits nowhere, once however often it is tried, and flag it."""
    stop, reason = left["stop"], left["reason"]
    with hub.store.write(STAFF) as session:
        kept = running(session, id)
        hold(session)
        if session.get_one(StopRow, stop).state != "unassigned":
            return  # a worker that died had put it in, or a person has
        others = [one for one in kept.unserved if one["stop"] != stop]
        kept.unserved = [*others, left]
        kept.reason = reason if kept.stop else kept.reason
        flag_unserved(session, stop, reason)


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


def better(hub: Hub, row: ReoptimisationRow, hold: Step) -> dict[str, Any]:
    """Look for better routes and apply what is found; return what the row says of it."""
    ends = monotonic() + row.seconds * (1 - WRITING)
    scene = survey(hub, STAFF, row.depot, row.service_date)
    seconds = max(ends - monotonic(), row.seconds * LEAST)
    found = improve(scene, searching(hub), row.most_moved, seconds)
    late = [late_stops(scene, found.judge, orders) for orders in (scene.before, found.after)]
    overtaken = 0
    for batch in batches(found.groups):
        with hub.store.write(STAFF) as session:
            kept = running(session, row.id)
            hold(session)
            stamps = apply_groups(session, batch)
            for group in batch:
                if group[0].route in stamps:
                    note(kept, scene, group, stamps)
                else:
                    overtaken += 1
    if overtaken and overtaken == len(found.groups):
        raise Overtaken("every route that could be better has changed meanwhile", after=1)
    return {
        "engine": found.engine or row.engine,
        "late_before": late[0],
        "late_after": late[1],
        "reason": said(found, scene, overtaken),
    }


def batches(groups: Sequence[tuple[Change, ...]]) -> Iterator[list[tuple[Change, ...]]]:
    """Yield groups in batches that are written in one short transaction each."""
    batch: list[tuple[Change, ...]] = []
    size = 0
    for group in groups:
        more = sum(len(made.stops) for made in group)
        if batch and size + more > TOGETHER:
            yield batch
            batch, size = [], 0
        batch.append(group)
        size += more
    if batch:
        yield batch


def note(
    row: ReoptimisationRow, scene: Scene, group: Sequence[Change], stamps: dict[str, str]
) -> None:
    """Write down what a group has brought, and how to take it back."""
    before = {made.route: scene.before[made.route] for made in group}
    mine = {made.route: stamps[made.route] for made in group}
    row.moved += moved(before, {made.route: made.stops for made in group})
    row.routes += len(group)
    row.gain_metres -= sum(made.metres for made in group)
    row.gain_seconds -= sum(made.seconds for made in group)
    row.before = {**{id: list(stops) for id, stops in before.items()}, **row.before}
    row.stamps = {**row.stamps, **mine}


def said(found: Better, scene: Scene, overtaken: int) -> str:
    """Return what a person should know of the search, beyond its numbers."""
    parts = []
    if not found.groups:
        parts.append(found.trouble or "nothing better was found")
    if overtaken:
        among = f"{overtaken} of {len(found.groups)} changes"
        parts.append(f"{among} were left out: their routes changed meanwhile")
    if scene.skipped:
        parts.append(f"routes left as they are, {len(scene.skipped)}: {scene.why_skipped}")
    return "; ".join(parts)


def fail(hub: Hub, id: str, reason: str, end: Step) -> None:
    """End it as failed, with the reason that people read; flag the stops that it leaves."""
    with hub.store.read(STAFF) as session:
        asked = session.get_one(ReoptimisationRow, id)
    left = orphans(hub, asked) if asked.state not in ENDED else []
    for stop in left:
        with hub.store.write(STAFF) as session:
            flag_unserved(session, stop, reason)
    with hub.store.write(STAFF) as session:
        row = session.get_one(ReoptimisationRow, id)
        session.refresh(row, with_for_update={"key_share": True})
        if row.state not in ENDED:
            told = {one["stop"]: one for one in row.unserved}
            for stop in left:
                known = told.get(stop, unserved(stop, reason, row.waiting))
                told[stop] = {**known, "reason": reason}
            row.reason, row.unserved = reason, list(told.values())
            conclude(session, row, "failed")
        end(session)
