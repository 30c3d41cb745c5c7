"""`hub plan` and `hub publish`: a depot's day from the terminal."""

from __future__ import annotations

import json
from datetime import date, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from hub.hub import Hub, open_hub
from hub.settings import Settings
from hub.store import Operator, PlanRow

if TYPE_CHECKING:
    from hub.dispatch.sheets import PlanSheet, RouteSheet
    from hub.dispatch.timeline import PauseLine

BY = Operator("dispatcher", user="cli")
MORE = {"explain": "hub.cli.explain"}
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
@click.option("--depot", help="Name or id of the depot.")
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
    depot: str | None,
    day: datetime | None,
    as_json: bool,
    **wishes: Any,
) -> None:
    """Plan a depot's day into draft routes; drafts of the same day are replaced.

    Ctrl-C ends the search with the best that it has found so far.
    """
    if context.invoked_subcommand is not None:
        return
    if depot is None or day is None:
        raise click.UsageError("say which day to plan: hub plan --depot NAME --date YYYY-MM-DD")
    sheet = planned(depot, day.date(), **wishes)
    click.echo(sheet.model_dump_json() if as_json else told(sheet))


def planned(depot: str, day: date, seconds: float, **wishes: Any) -> PlanSheet:
    """Plan a day while somebody watches; raise `HubError` with the reason of one that failed."""
    from hub.cli.watching import Watching
    from hub.dispatch.sheets import plan_sheet
    from hub.errors import HubError
    from hub.planning.plans import Wish, plan_now

    hub = ready()
    with Watching(f"planning {depot} {day}") as watching:
        wish = Wish(told=watching, **wishes)
        row = plan_now(hub, depot, day, seconds, "cli", wish)
    with hub.store.read(BY) as session:
        sheet = plan_sheet(session, session.get_one(PlanRow, row.id))
    if sheet.state == "failed":
        raise HubError(f"plan {row.id} failed: {sheet.reason}")
    return sheet


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


def told(sheet: PlanSheet) -> str:
    """Return a plan in lines for people."""
    rough = " (travel times are approximate)" if sheet.approximate else ""
    lines = [f"plan {sheet.id} by {sheet.why or sheet.engine}{rough}"]
    for route in sheet.routes:
        lines.append(
            f"  {route.driver.name:<18} {len(route.stops):>3} stops  "
            f"{route.starts_at:%H:%M}-{route.ends_at:%H:%M} UTC  {route.metres / 1000:.1f} km"
            + (f"  {route.cost} {route.currency}" if route.cost is not None else "")
        )
        lines += [f"  {'':<18} {after(route, pause)}" for pause in route.pauses]
    lines += [f"  left out: {left.ref}: {left.reason}" for left in sheet.unserved]
    lines.append(f"make it ready with: hub publish {sheet.id}")
    return "\n".join(lines)
