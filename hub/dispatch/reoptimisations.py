"""Re-optimisations as people know them: asked for, cancelled, told when they end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlmodel import col, or_, select

from hub.access import get
from hub.dispatch import insertion
from hub.dispatch.reoptimise import MOST_MOVED, SECONDS
from hub.dispatch.road import check_published
from hub.errors import Refused
from hub.events import append
from hub.events.catalogue import RouteReoptimised
from hub.events.facts import ReoptimisationFacts
from hub.fleet.roster import find_depot
from hub.planning.limits import LONGEST
from hub.queue import enqueue
from hub.store import DepotRow, Operator, ReoptimisationRow, RouteRow, Session, StopRow

KIND = "reoptimise"
ENDED = ("done", "failed", "cancelled", "undone")
LOST = "goods_lost"
"""The kind of flag on stops whose goods are gone: nothing puts them into a route by itself."""
STAFF = Operator("dispatcher", user="reoptimisation")
"""On whose behalf workers look for better routes: for the operator's dispatchers."""


def request(
    session: Session,
    depot: str | DepotRow,
    day: date,
    by: str = "",
    *,
    seconds: float = SECONDS,
    most_moved: float = MOST_MOVED,
    insert: bool = False,
    waiting: bool = False,
    stops: Sequence[str] = (),
) -> ReoptimisationRow:
    """Ask for better routes of a depot (its row, id or name) and day; a worker looks for them.

    With `insert` promised stops that have lost their route are put into others first; with
    `waiting` only into routes that have not left, because the goods are at the depot. `stops` are
    those of which that is known; it stays known until they have a route again. Asked twice
    before a worker has begun, it is one search, the longer one, unless other stops may move or the
    goods are elsewhere.
    """
    row = of_day(session, depot, day, by, seconds=seconds, most_moved=most_moved, insert=insert)
    row.waiting = waiting
    row.unserved = [unserved(stop, "it was not tried yet", waiting) for stop in stops]
    known = waits(session, row)
    if known is not None:
        known.unserved = [*known.unserved, *row.unserved]
        known.insert, known.waiting = known.insert or insert, known.waiting or waiting
        known.seconds = max(known.seconds, seconds)
        return known
    return ask(session, row)


def unserved(stop: str, reason: str, waiting: bool) -> dict[str, Any]:
    """Return what a search says of a stop that it has not put in, and whether its goods wait."""
    return {"stop": stop, "reason": reason, "waiting": waiting}


def begun(
    session: Session, depot: str, day: date, by: str = "", **wishes: Any
) -> ReoptimisationRow:
    """Add the search of a day for who begins it at once (see `hub.dispatch.reworking.now`).

    No worker is asked. Takes what `request` takes.
    """
    row = of_day(session, depot, day, by, **wishes)
    row.state = "running"
    session.add(row)
    return row


def of_day(
    session: Session,
    depot: str | DepotRow,
    day: date,
    by: str,
    *,
    seconds: float = SECONDS,
    most_moved: float = MOST_MOVED,
    insert: bool = False,
) -> ReoptimisationRow:
    """Return the search of a day, not yet stored; raise `Refused` for what makes no sense."""
    found = depot if isinstance(depot, DepotRow) else find_depot(session, depot)
    check(seconds, most_moved)
    return ReoptimisationRow(
        depot=found.id,
        service_date=day,
        insert=insert,
        seconds=seconds,
        most_moved=most_moved,
        requested_by=by,
        created_at=session.now,
    )


def waits(session: Session, wish: ReoptimisationRow) -> ReoptimisationRow | None:
    """Return a search like `wish` that no worker has begun yet, held so that none begins now."""
    query = select(ReoptimisationRow).where(
        ReoptimisationRow.depot == wish.depot,
        ReoptimisationRow.service_date == wish.service_date,
        ReoptimisationRow.state == "waiting",
        ReoptimisationRow.most_moved == wish.most_moved,
        col(ReoptimisationRow.stop).is_(None),
    )
    if wish.insert:
        either = col(ReoptimisationRow.insert).is_(False)
        query = query.where(or_(either, ReoptimisationRow.waiting == wish.waiting))
    query = query.order_by(ReoptimisationRow.id).limit(1)
    return session.exec(query.with_for_update(key_share=True)).first()


def request_insert(
    session: Session, stop_id: str, route_id: str | None = None, by: str = ""
) -> ReoptimisationRow:
    """Ask that an unassigned stop is put into the cheapest place, or into one route."""
    stop = get(session, StopRow, stop_id)
    insertion.check_open(stop)
    if route_id:
        check_published(get(session, RouteRow, route_id))
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
    session.refresh(row, with_for_update={"key_share": True})
    if row.state in ("done", "failed", "undone"):
        raise Refused(f"re-optimisation {row.id} is {row.state} already", "state")
    if row.state != "cancelled":
        row.reason = "cancelled by a person"
        conclude(session, row, "cancelled")
    return row


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
