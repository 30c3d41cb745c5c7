"""`hub plan` and `hub publish`: a depot's day from the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from importlib import import_module
from itertools import combinations
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click
from sqlmodel import col, func, or_, select

from hub.hub import Hub, open_hub
from hub.settings import Settings
from hub.store import DepotRow, Operator, OrderRow, PlanRow, Session

if TYPE_CHECKING:
    from hub.dispatch.sheets import PlanSheet, RouteSheet
    from hub.dispatch.timeline import PauseLine

BY = Operator("dispatcher", user="cli")
MORE = {"explain": "hub.cli.explain", "list": "hub.cli.searches", "stop": "hub.cli.searches"}
"""What can be done with a plan, and where; imported when it is asked for."""


class Plans(click.Group):
    """`hub plan` with options plans a day; with a word it does something with a plan."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return what can be done with a plan."""
        return sorted(MORE)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import and return one of them."""
        if name not in MORE:
            return None
        found: click.Command = getattr(import_module(MORE[name]), f"{name}_command")
        return found


@click.group("plan", cls=Plans, invoke_without_command=True)
@click.option("--depot", default="", help="Name or id of the depot; the only one by default.")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Day to deliver.")
@click.option(
    "--seconds", default=0.0, help="How long the search may last; else the number of stops decides."
)
@click.option("--harder", is_flag=True, help="Search on from the drafts, three times as long.")
@click.option("--engine", default="", help="The only engine that may plan, e.g. ortools.")
@click.option("--improve", is_flag=True, help="Search on from the drafts; never worse than them.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def plan_command(
    context: click.Context,
    /,
    depot: str,
    day: datetime | None,
    as_json: bool,
    **wishes: Any,
) -> None:
    """Plan a depot's day into draft routes; drafts of the same day are replaced.

    Ctrl-C ends the search with the best that it has found so far.
    """
    if context.invoked_subcommand is not None:
        return
    if day is None:
        raise click.UsageError("say which day to plan: hub plan --depot NAME --date YYYY-MM-DD")
    sheet, zone, lost = planned(depot, day.date(), **wishes)
    click.echo(sheet.model_dump_json() if as_json else told(sheet, zone, lost))


def planned(depot: str, day: date, seconds: float, **wishes: Any) -> tuple[PlanSheet, str, int]:
    """Plan a day while somebody watches; return the plan, its depot's time zone, and how many
    orders of the day have no place. Raises `HubError` with the reason of a plan that failed.
    """
    from hub.cli.watching import Watching
    from hub.dispatch.sheets import plan_sheet
    from hub.errors import HubError
    from hub.fleet.roster import depot_or_only
    from hub.planning.fleet import SCALE, read_terms
    from hub.planning.plans import Wish, plan_now

    hub = ready()
    with hub.store.read(BY) as session:
        depot = depot_or_only(session, depot).name
        terms = read_terms(session)
    currency = terms.measures.currency if terms.priced else ""
    with Watching(f"planning {depot} {day}", currency, SCALE) as watching:
        wish = Wish(told=watching, **wishes)
        row = plan_now(hub, depot, day, seconds, "cli", wish)
    with hub.store.read(BY) as session:
        sheet = plan_sheet(session, session.get_one(PlanRow, row.id))
        zone = session.get_one(DepotRow, sheet.depot.id).timezone
        lost = unplaced(session, sheet)
    if sheet.state == "failed":
        raise HubError(f"plan {row.id} failed: {sheet.reason}")
    return sheet, zone, lost


def unplaced(session: Session, sheet: PlanSheet) -> int:
    """Return how many orders of the plan's day have no place yet, so that no plan has them."""
    query = select(func.count(col(OrderRow.id))).where(
        OrderRow.state == "needs_address",
        OrderRow.service_date == sheet.service_date,
        or_(col(OrderRow.depot).is_(None), OrderRow.depot == sheet.depot.id),
    )
    return session.exec(query).one()


@click.command("publish")
@click.argument("plan")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def publish_command(plan: str, as_json: bool) -> None:
    """Make the draft routes of PLAN (its id) ready and promise their windows."""
    from hub.dispatch.publish import publish_plan

    hub = ready()
    routes = publish_plan(hub, BY, plan)
    text = "\n".join(f"route {route} is ready" for route in routes)
    click.echo(json.dumps({"plan": plan, "routes": routes}) if as_json else text)


def ready() -> Hub:
    """Return an open hub whose writes wake the workers."""
    from hub.queue.bell import install
    from hub.workflow.parts import assemble

    hub = open_hub(Settings.read(), patience=30)
    assemble(hub)
    install(hub)
    return hub


def after(route: RouteSheet, pause: PauseLine) -> str:
    """Return a break or a reload with the stop that it follows."""
    ref = next((line.ref for line in route.stops if line.id == pause.after), "")
    return f"{pause.text} after {ref}" if ref else f"{pause.text} before the first stop"


def shared(routes: Sequence[RouteSheet]) -> Iterator[str]:
    """Yield a sentence for each two drivers who have the same vehicle at the same time."""
    for one, other in combinations(routes, 2):
        same = one.vehicle.id == other.vehicle.id
        if same and one.starts_at < other.ends_at and other.starts_at < one.ends_at:
            yield (
                f"{one.driver.name} and {other.driver.name} both drive {one.vehicle.name} at the "
                "same time; give one of them another vehicle or other hours"
            )


def told(sheet: PlanSheet, zone: str, unplaced: int = 0) -> str:
    """Return a plan in lines for people, its times at the depot."""
    here = ZoneInfo(zone)
    rough = " (travel times are approximate)" if sheet.approximate else ""
    lines = [f"plan {sheet.id} by {sheet.why or sheet.engine}{rough}"]
    for route in sheet.routes:
        lines.append(
            f"  {route.driver.name:<18} {len(route.stops):>3} stops  "
            f"{route.starts_at.astimezone(here):%H:%M}-{route.ends_at.astimezone(here):%H:%M}  "
            f"{route.metres / 1000:.1f} km"
            + (f"  {route.cost} {route.currency}" if route.cost is not None else "")
        )
        lines += [f"  {'':<18} {after(route, pause)}" for pause in route.pauses]
    for left in sheet.unserved:
        place = f": {left.place}" if left.place else ""
        lines.append(f"  left out: {left.ref}: {left.reason}{place}")
    lines += [f"  careful: {one}" for one in shared(sheet.routes)]
    if unplaced:
        lines.append(f"  not in it: {unplaced} of the day's orders, whose place is not known yet")
    if sheet.routes:
        lines.append(f"make it ready with: hub publish {sheet.id}")
    elif not sheet.unserved:
        lines.append(f"  {sheet.depot.name} has no open stops on {sheet.service_date}")
    return "\n".join(lines)
