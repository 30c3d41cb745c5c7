"""A visit to a door: arriving, ending it with an attempt, leaving."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from hub.dispatch.held import Held
from hub.driving import attempts, routes
from hub.driving.words import Moment, Report
from hub.errors import Refused
from hub.events.catalogue import (
    StopArrived,
    StopCompleted,
    StopDeparted,
    StopFailed,
    StopPartial,
)
from hub.events.facts import ProofFacts
from hub.orders.happenings import tell_stop
from hub.store import AttemptRow, Session, StopRow
from hub.store.states import ENDED, LEFT_OUT, move_stop

Prove = Callable[[AttemptRow], ProofFacts]
"""Makes the proof of an attempt, in the attempt's own transaction."""

OUTCOME_EVENTS: dict[str, type[StopCompleted | StopPartial | StopFailed]] = {
    "completed": StopCompleted,
    "partial": StopPartial,
    "failed": StopFailed,
}


def arrive(session: Session, held: Held, stop: StopRow, at: datetime) -> bool:
    """Note that the driver is at the door; return False where that was known or is too late.

    The order of stops is the driver's to change: whichever stop was thought to be next waits.
    """
    check_on_route(stop)
    if stop.state == "arrived" or stop.state in ENDED:
        return False
    routes.start(session, held, at)
    routes.turn_back(held.stops, stop)
    move_stop(stop, "arrived")
    stop.arrived_at, stop.departed_at = at, None
    tell_stop(session, StopArrived, stop, on=held.facts(), occurred_at=at)
    return True


def depart(session: Session, held: Held, stop: StopRow, at: datetime) -> bool:
    """Note that the driver has left the door and heads on; return False where that was known.

    A stop that was left without an outcome is open again and comes last.
    """
    check_on_route(stop)
    if stop.departed_at is not None or stop.arrived_at is None:
        return False
    stop.departed_at = max(at, stop.arrived_at)
    if stop.state == "arrived":
        move_stop(stop, "dispatched")
    tell_stop(session, StopDeparted, stop, on=held.facts(), occurred_at=at)
    if held.route.state == "in_progress":
        routes.head_on(session, held, at, left=stop)
    return True


def end(
    session: Session, held: Held, stop: StopRow, report: Report, when: Moment, prove: Prove
) -> AttemptRow:
    """End a stop: arrive if need be, write the attempt and its proof, tell, close the route."""
    check_on_route(stop)
    if stop.state in ENDED:
        raise Refused(f"this stop is already {stop.state}; nothing was changed", "stop")
    draft = attempts.draft(session, stop, report)
    been_there = stop.arrived_at if stop.departed_at is not None else None
    arrive(session, held, stop, been_there or when.at)
    stop.arrived_at = min(stop.arrived_at or when.at, when.at)
    made = attempts.record(session, held.route, stop, draft, report, when)
    stop.attempts = made.number
    stop.reason = made.reason
    stop.ended_at = when.at
    move_stop(stop, made.outcome)
    kind = OUTCOME_EVENTS[made.outcome]
    proof = prove(made)
    tell_stop(session, kind, stop, on=held.facts(), occurred_at=when.at, proof=proof)
    routes.close_if_done(session, held, when.at)
    return made


def check_on_route(stop: StopRow) -> None:
    """Raise `Refused` for a stop that the dispatcher has taken off the route."""
    if stop.state in LEFT_OUT or stop.state in ("unassigned", "planned"):
        word = stop.state.replace("_", " ")
        raise Refused(f"the dispatcher has set this stop to {word}; leave it out", "stop")
