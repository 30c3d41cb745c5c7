"""`hub plan list` and `hub plan stop`: the plans there are, and a search that is to end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import click
from sqlmodel import col

from hub.access import get, scoped
from hub.cli.plans import BY
from hub.cli.terminal import opened, show
from hub.errors import Missing, Refused
from hub.fleet.measures import measures
from hub.fleet.roster import find_depot, listed
from hub.planning.progress import stop
from hub.store import DepotRow, PlanRow, RouteRow, Session

AS_JSON = click.option("--json", "as_json", is_flag=True, help="For programs.")
COLUMNS = (
    "id", "day", "depot", "state", "stops", "left_out", "km", "cost", "engine", "age", "note",
)  # fmt: skip


@click.command("list")
@click.option("--depot", default="", help="Name or id of the depot; all by default.")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Only plans of this day.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@AS_JSON
def list_command(depot: str, day: datetime | None, limit: int, as_json: bool) -> None:
    """Print the newest plans: of which day, how far they are, what they came to."""
    with opened() as hub, hub.store.read(BY) as session:
        depots = {row.id: row.name for row in listed(session, DepotRow)}
        query = scoped(session, PlanRow).order_by(col(PlanRow.id).desc()).limit(limit)
        if depot:
            query = query.where(PlanRow.depot == find_depot(session, depot).id)
        if day is not None:
            query = query.where(PlanRow.service_date == day.date())
        plans = session.exec(query).all()
        costs = costs_of(session, [plan.id for plan in plans])
        currency = measures(session).currency
        rows = [
            line(plan, depots[plan.depot], session.now, costs.get(plan.id))
            | {"currency": currency if plan.id in costs else ""}
            for plan in plans
        ]
    if not as_json:
        for row in rows:
            row["cost"] = f"{row['cost']} {row['currency']}" if row["currency"] else ""
    show(rows, COLUMNS, as_json, none_yet(depot, day))


@click.command("stop")
@click.argument("plan")
@AS_JSON
def stop_command(plan: str, as_json: bool) -> None:
    """End the search for PLAN (its id) with the best that it has found so far."""
    with opened() as hub, hub.store.write(BY) as session:
        try:
            row = get(session, PlanRow, plan)
        except Missing as error:
            raise Missing(f"{error}; see which there are with: hub plan list") from None
        depot = session.get_one(DepotRow, row.depot).name
        if not stop(session, row.id):
            raise Refused(over(row, depot))
        waits = row.state == "waiting"
    if as_json:
        click.echo(json.dumps({"id": row.id, "stopping": True}))
        return
    when = "as soon as a worker has begun it" if waits else "within a second or two"
    click.echo(f"the search for {depot} on {row.service_date} ends with the best so far, {when}")
    click.echo(f"see what came of it with: hub plan list --date {row.service_date}", err=True)


def over(row: PlanRow, depot: str) -> str:
    """Return why there is no search to end, and what can be done instead."""
    if row.state == "failed":
        again = f"plan again with: hub plan --depot {depot!r} --date {row.service_date}"
        return f"plan {row.id} has failed ({row.reason}); {again}"
    return f"plan {row.id} is done already; look at it with: hub plan explain {row.id}"


def line(row: PlanRow, depot: str, now: datetime, cost: Decimal | None) -> dict[str, Any]:
    """Return a plan as the list has it; what is not known yet is None."""
    done = row.state == "done"
    metres = row.outcome.get("metres") if done else None
    return {
        "id": row.id,
        "day": row.service_date,
        "depot": depot,
        "state": row.state,
        "stops": sum(map(len, row.outcome.get("routes", {}).values())) if done else None,
        "left_out": len(row.unserved) if done else row.progress.get("left_out"),
        "km": None if metres is None else round(metres / 1000, 1),
        "cost": cost,
        "engine": row.engine,
        "age": old(now - row.created_at),
        "note": note(row),
        "requested_by": row.requested_by,
        "created_at": row.created_at,
        "finished_at": row.finished_at,
    }


def note(row: PlanRow) -> str:
    """Return how far a search is, or why there are no routes."""
    if row.state == "failed":
        return row.reason
    if row.state == "done":
        return ""
    if row.stop_asked:
        return "is asked to end"
    if row.state == "waiting":
        return "no worker has begun it yet"
    if "of" not in row.progress:
        return "has just begun"
    return f"{row.progress['seconds']:g} of {row.progress['of']:g} s"


def old(age: timedelta) -> str:
    """Return an age in its largest unit of which there are two: `90 s`, `5 min`, `3 h`, `12 d`."""
    seconds = max(0, int(age.total_seconds()))
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def costs_of(session: Session, plans: Sequence[str]) -> dict[str, Decimal]:
    """Return what the routes of plans cost that are still there, where prices are known."""
    query = scoped(session, RouteRow).where(
        col(RouteRow.plan).in_(plans), RouteRow.state != "cancelled"
    )
    found: dict[str, Decimal] = {}
    for route in session.exec(query):
        if route.plan is not None and route.cost is not None:
            found[route.plan] = found.get(route.plan, Decimal(0)) + route.cost
    return found


def none_yet(depot: str, day: datetime | None) -> str:
    """Return that there is no such plan, and how one is made."""
    of = f" of {depot}" if depot else ""
    on = f" on {day:%Y-%m-%d}" if day else ""
    where = f"{depot!r}" if depot else "NAME"
    when = f"{day:%Y-%m-%d}" if day else "YYYY-MM-DD"
    return f"there is no plan{of}{on} yet; make one with: hub plan --depot {where} --date {when}"
