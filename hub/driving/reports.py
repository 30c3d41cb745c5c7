"""Take what a driver's phone says: once per report, in one transaction, with one answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlmodel import select

from hub.dispatch.held import Held
from hub.driving import routes, visits
from hub.driving.visits import Prove
from hub.driving.words import ENDINGS, Moment, Report, moment
from hub.errors import Missing, PluginError, Refused
from hub.hub import Hub
from hub.queue import inbox
from hub.store import MerchantRow, Session, StopRow


def report(
    hub: Hub,
    session: Session,
    driver: str,
    said: Report,
    *,
    prove: Prove | None = None,
    after: Callable[[Held], None] | None = None,
    raw: bytes | None = None,
) -> dict[str, Any]:
    """Apply one report of `driver` (an id) and return what the phone is told.

    The same report again changes nothing and returns the same answer. `prove` makes the proof of
    an attempt, so endings come through `hub.proofs.handover`; `after` is called with the route once
    the report is applied, not for a repeated one; `raw` is the report's JSON as it was sent.
    Raise `Missing` for a stop that is not the driver's, `Refused` for what makes no sense.
    """
    body = raw if raw is not None else said.model_dump_json().encode()
    row, new = inbox.receive(session, driver, str(said.id), "report", body)
    if not new:
        return dict(row.answer)
    when = moment(said.at, session.now)
    held, stop = find(session, driver, said)
    apply(session, held, stop, said, when, prove)
    if after is not None:
        after(held)
    answer = tell(held, stop, when)
    inbox.answer(session, row, 200, answer)
    return answer


def find(session: Session, driver: str, said: Report) -> tuple[Held, StopRow | None]:
    """Return the route and the stop that a report is about."""
    if said.stop is None:
        route = routes.current(session, driver)
        if route is None:
            raise Missing("you have no route today; ask the dispatcher to publish one")
        return routes.lock(session, driver, route.id), None
    query = select(StopRow.route, StopRow.merchant).where(StopRow.id == said.stop)
    found = session.exec(query).one_or_none()
    if found is None:
        raise routes.not_yours()
    on, merchant = found
    if said.kind in ENDINGS:
        hold_merchant(session, merchant)
    held = routes.lock(session, driver, on)
    stop = held.find(said.stop)
    if stop is None:
        raise routes.not_yours()  # it was taken off while this waited
    return held, stop


def hold_merchant(session: Session, merchant: str) -> None:
    """Hold the merchant, whose row the proof of an ending needs, before any stop is held.

    An intake of the merchant's orders holds it too, and then wants the stops of changed orders.
    """
    row = select(MerchantRow.id).where(MerchantRow.id == merchant)
    session.exec(row.with_for_update(key_share=True)).one()


def apply(
    session: Session,
    held: Held,
    stop: StopRow | None,
    said: Report,
    when: Moment,
    prove: Prove | None,
) -> None:
    """Do what the report's kind means."""
    if said.kind == "start" or (said.kind == "depart" and stop is None):
        routes.start(session, held, when.at)
        routes.head_on(session, held, when.at)
    elif stop is None:
        raise Refused(f"{said.kind} needs the stop it is about", "stop")
    elif said.kind == "arrive":
        visits.arrive(session, held, stop, when.at)
    elif said.kind == "depart":
        visits.depart(session, held, stop, when.at)
    elif prove is None:
        raise PluginError(f"{said.kind} makes a proof; call hub.proofs.handover.report instead")
    else:
        visits.end(session, held, stop, said, when, prove)


def tell(held: Held, stop: StopRow | None, when: Moment) -> dict[str, Any]:
    """Return the answer: the states now, where to go next, and a word about the clock."""
    following = routes.next_stop(held.stops)
    return {
        "route": {"id": held.route.id, "state": held.route.state},
        "stop": {"id": stop.id, "state": stop.state} if stop else None,
        "next": following.id if following else None,
        "at": when.at.isoformat(),
        "notes": [when.note()] if when.note() else [],
    }


__all__ = ["Report", "report"]
