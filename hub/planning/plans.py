"""Plan a depot's day: asked for in a transaction, solved outside of any, stored as drafts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from sqlmodel import col, select

from hub.access import get
from hub.errors import HubError, Refused
from hub.events import append
from hub.events.catalogue import PlanFinished
from hub.events.facts import PlanFacts
from hub.fleet.roster import find_depot
from hub.hub import Hub
from hub.nouns import Found, Plan, PlannedRoute, Problem, Unserved
from hub.planning import reasons_later
from hub.planning.costs import cost
from hub.planning.day import Day, approximate, seconds_since, survey
from hub.planning.drafts import Copy, bring_back, check_unmoved, discard, drafts, keep, put
from hub.planning.explain import outcome
from hub.planning.limits import LEAST, LONGEST, budget
from hub.planning.progress import Progress
from hub.planning.solving import solve
from hub.planning.travel import tables
from hub.planning.trials import PASSING, Step, Trial
from hub.queue import Claim, LeaseLost, enqueue
from hub.store import DepotRow, PlanRow, RouteRow, Session, System

KIND = "plan"
TOGETHER = 15
"""Stops that are stored in one transaction: a few milliseconds each on a small machine."""


@dataclass(frozen=True)
class Wish:
    """How somebody who waits wants a plan to be made."""

    seed: int = 1
    engine: str = ""
    """The only one that may plan; empty: the one that fits."""
    harder: bool = False
    """Search longer, and as with `improve`."""
    improve: bool = False
    """Begin with the drafts that there are, instead of anew; what comes is never worse."""
    told: Callable[[Found, float], bool] | None = None
    """Hears what is found, and how long the search may last, and says whether to search on."""


@dataclass(frozen=True)
class Made:
    """A plan with what was asked and what its search came to, before it is stored."""

    problem: Problem
    plan: Plan
    progress: dict[str, float]


class Superseded(HubError):
    """Say that a newer plan for the same depot and day is under way."""


def add(
    session: Session, depot: str, day: date, by: str, seconds: float, improve: bool = False
) -> PlanRow:
    """Add the row of a plan that is about to be made."""
    check(day, seconds)
    row = PlanRow(
        depot=find_depot(session, depot).id,
        service_date=day,
        seconds=seconds,
        requested_by=by,
        created_at=session.now,
        improve=improve,
    )
    session.add(row)
    session.flush()
    return row


def check(day: date, seconds: float) -> None:
    """Raise `Refused` for a day or a time that no plan is made for."""
    if not 2000 <= day.year < 2100:
        raise Refused(f"{day} is no day to deliver on", "service_date")
    if seconds and not LEAST <= seconds <= LONGEST:
        reason = f"seconds must lie between {LEAST} and {LONGEST:.0f}, not {seconds}"
        raise Refused(f"{reason}; 0 lets the number of stops decide", "seconds")


def request(
    session: Session,
    depot: str,
    date: date,
    by: str = "",
    seconds: float = 0,
    improve: bool = False,
) -> PlanRow:
    """Ask for a plan of a depot (id or name) and day; a worker makes it.

    With 0 seconds it takes as long as so many stops need. Asked twice before a worker has begun,
    it is one plan, which takes the longer time. With `improve` the search begins with the drafts
    that there are, instead of anew.
    """
    found = find_depot(session, depot)
    check(date, seconds)
    query = select(PlanRow).where(
        PlanRow.depot == found.id, PlanRow.service_date == date, PlanRow.state == "waiting"
    )
    query = query.order_by(PlanRow.id).limit(1).with_for_update(key_share=True)
    waiting = session.exec(query).first()
    if waiting is not None:
        waiting.improve = waiting.improve or improve  # which is never worse than the drafts
        waiting.seconds = max(waiting.seconds, seconds)
        return waiting
    row = add(session, found.id, date, by, seconds, improve)
    enqueue(session, KIND, row.id, queue="heavy")
    return row


def plan_now(
    hub: Hub,
    depot: str,
    date: date,
    seconds: float = 0,
    by: str = "",
    wish: Wish | None = None,
) -> PlanRow:
    """Plan at once, in this process, and return the ended plan (`done` or `failed`)."""
    with hub.store.write(System()) as session:
        improve = wish is not None and (wish.improve or wish.harder)
        row = add(session, depot, date, by, seconds, improve)
    trial(hub, row.id, wish or Wish()).now()
    with hub.store.read(System()) as session:
        return session.get_one(PlanRow, row.id)


def work(hub: Hub, claim: Claim) -> None:
    """Make the plan that a worker has claimed; what may pass is tried again."""
    trial(hub, claim.subject, Wish()).work(hub, claim)


def trial(hub: Hub, id: str, wish: Wish) -> Trial:
    """Return how a plan is made, or ended as failed."""

    def making(hold: Step, end: Step) -> None:
        make(hub, id, hold, end, wish)

    return Trial(making, partial(fail, hub, id), "planning", "; plan fewer stops")


def make(hub: Hub, id: str, hold: Step, end: Step, wish: Wish) -> None:
    """Survey, solve, store; an error that will not pass ends the plan as failed."""
    try:
        day, seconds = begin(hub, id, hold)
        if day is None:
            with hub.store.write(System()) as session:
                end(session)
            return
        times = tables(hub, day.points, day.profiles, day.departs)
        first = times.pop(day.profiles[0])
        seconds = seconds or budget(len(day.stops), harder=wish.harder)
        problem = day.problem(first, seconds, wish.seed, times)
        watch = Progress(hub, id, seconds, hold, wish.told)
        plan = solve(hub, problem, watch, engine=wish.engine)
        store(hub, id, day, Made(problem, plan, result(problem, plan, watch)), hold, end)
    except (*PASSING, LeaseLost):
        raise
    except HubError as error:
        fail(hub, id, str(error), end)


def result(problem: Problem, plan: Plan, watch: Progress) -> dict[str, float]:
    """Return what the search has come to, as its progress was told."""
    return {
        "cost": cost(problem, plan),
        "left_out": len(plan.unserved),
        "seconds": watch.elapsed,
        "of": watch.seconds,
    }


def begin(hub: Hub, id: str, hold: Step) -> tuple[Day | None, float]:
    """Mark the plan as running and return its day; None where it has already ended."""
    with hub.store.write(System()) as session:
        plan = get(session, PlanRow, id)
        session.refresh(plan, with_for_update={"key_share": True})
        hold(session)
        if plan.state in ("done", "failed"):
            return None, 0
        plan.state = "running"
        depot, day, seconds, improve = plan.depot, plan.service_date, plan.seconds, plan.improve
    with hub.store.read(System()) as session:
        return survey(session, session.get_one(DepotRow, depot), day, improve), seconds


def store(hub: Hub, id: str, day: Day, made: Made, hold: Step, end: Step) -> None:
    """Replace the day's drafts by those of `plan`; raise `Moved` when the day has changed.

    Where that goes wrong half-way, the drafts that were thrown away are made anew.
    """
    still(hub, day, made.plan)
    with hub.store.read(System()) as session:
        ids = [route.id for route in drafts(session, session.get_one(PlanRow, id))]
    old: list[Copy] = []
    try:
        for route_id in ids:
            with hub.store.write(System()) as session:
                newest(session, id)
                hold(session)
                copy = discard(session, route_id)
            old += [copy] if copy else []
        fill(hub, id, day, made, hold, end)
    except (Superseded, LeaseLost):
        raise  # whoever has taken over throws away what there is
    except BaseException:
        undo(hub, id, old)
        raise


def undo(hub: Hub, id: str, old: Sequence[Copy]) -> None:
    """Throw away what was stored of a plan, and bring back the drafts of before."""
    with hub.store.read(System()) as session:
        mine = [one.id for one in drafts(session, session.get_one(PlanRow, id)) if one.plan == id]
    for route_id in mine:
        with hub.store.write(System()) as session:
            newest(session, id)
            discard(session, route_id)
    for copy in old:
        with hub.store.write(System()) as session:
            newest(session, id)
            bring_back(session, copy)


def fill(hub: Hub, id: str, day: Day, made: Made, hold: Step, end: Step) -> None:
    """Store the routes of a plan as drafts, and end it as done."""
    plan = made.plan
    for route in plan.routes:
        if route.visits:
            store_route(hub, id, day, route, hold)
    told = outcome(made.problem, plan).model_dump(mode="json")
    with hub.store.write(System()) as session:
        row = newest(session, id)
        row.progress, row.outcome = made.progress, told
        conclude(session, row, (*plan.unserved, *day.left), plan, approximate(made.problem))
        if reasons_later.awaited(plan.unserved):
            enqueue(session, reasons_later.KIND, row.id, queue="heavy")
        end(session)


def store_route(hub: Hub, id: str, day: Day, route: PlannedRoute, hold: Step) -> None:
    """Store one route as a draft, its stops some at a time so that no write is long."""
    with hub.store.write(System()) as session:
        plan = newest(session, id)
        hold(session)
        row = keep(session, plan, day, route)
    for first in range(0, len(route.visits), TOGETHER):
        with hub.store.write(System()) as session:
            newest(session, id)
            hold(session)
            put(session, day, row, route.visits[first : first + TOGETHER], first + 1)


def still(hub: Hub, day: Day, plan: Plan) -> None:
    """Raise `Moved` when what was planned has changed: stops, their goods, or who drives."""
    with hub.store.read(System()) as session:
        now = survey(session, session.get_one(DepotRow, day.depot), day.date)
        begun = seconds_since(day.zero, session.now)
    check_unmoved(day, now, plan, begun)


def newest(session: Session, id: str) -> PlanRow:
    """Return the plan, or raise `Superseded` when a newer one for its day has begun."""
    plan = session.get_one(PlanRow, id)
    newer = select(PlanRow.id).where(
        PlanRow.depot == plan.depot,
        PlanRow.service_date == plan.service_date,
        col(PlanRow.id) > plan.id,
        col(PlanRow.state).in_(["running", "done"]),
    )
    if session.exec(newer).first() is not None:
        raise Superseded("a newer plan for the same depot and day took its place")
    return plan


def conclude(
    session: Session, row: PlanRow, left: Sequence[Unserved], plan: Plan, approximate: bool
) -> None:
    """End the plan as done and tell it."""
    row.state, row.reason, row.finished_at = "done", "", session.now
    row.engine, row.why, row.approximate = plan.engine, plan.why, approximate
    row.unserved = [one.model_dump(mode="json") for one in left]
    tell(session, row)


def fail(hub: Hub, id: str, reason: str, end: Step) -> None:
    """End the plan as failed, with the reason that people read."""
    with hub.store.write(System()) as session:
        row = session.get_one(PlanRow, id)
        row.state, row.reason, row.finished_at = "failed", reason, session.now
        tell(session, row)
        end(session)


def tell(session: Session, row: PlanRow) -> None:
    """Append `plan.finished`."""
    session.flush()
    made = session.exec(select(RouteRow.id).where(RouteRow.plan == row.id)).all()
    append(
        session,
        PlanFinished(
            subject=row.id,
            plan=PlanFacts(
                id=row.id,
                depot=row.depot,
                service_date=row.service_date.isoformat(),
                engine=row.engine,
                routes=len(made),
                unserved=len(row.unserved),
                approximate=row.approximate,
            ),
        ),
    )
