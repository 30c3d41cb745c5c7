"""`hub plan` and `hub publish`: a depot's day from the terminal."""

from __future__ import annotations

import json
from datetime import datetime

import click

from hub.cli.explain import explain_command
from hub.hub import Hub, open_hub
from hub.settings import Settings
from hub.store import Operator, PlanRow

BY = Operator("dispatcher", user="cli")


@click.group("plan", invoke_without_command=True)
@click.option("--depot", help="Name or id of the depot.")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Day to deliver.")
@click.option("--seconds", default=5.0, show_default=True, help="How long the engine may search.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def plan_command(
    context: click.Context, depot: str | None, day: datetime | None, seconds: float, as_json: bool
) -> None:
    """Plan a depot's day into draft routes; drafts of the same day are replaced."""
    if context.invoked_subcommand is not None:
        return
    if depot is None or day is None:
        raise click.UsageError("name the depot and the day: hub plan --depot NAME --date DAY")
    from hub.dispatch.sheets import PlanSheet, plan_sheet
    from hub.errors import HubError
    from hub.planning.plans import plan_now

    hub = ready()
    row = plan_now(hub, depot, day.date(), seconds, by="cli")
    with hub.store.read(BY) as session:
        sheet: PlanSheet = plan_sheet(session, session.get_one(PlanRow, row.id))
    if sheet.state == "failed":
        raise HubError(f"plan {row.id} failed: {sheet.reason}")
    click.echo(sheet.model_dump_json() if as_json else told(sheet))


plan_command.add_command(explain_command)


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


def told(sheet: object) -> str:
    """Return a plan in lines for people."""
    from hub.dispatch.sheets import PlanSheet

    if not isinstance(sheet, PlanSheet):
        raise TypeError(sheet)
    rough = " (travel times are approximate)" if sheet.approximate else ""
    lines = [f"plan {sheet.id} by {sheet.engine}{rough}"]
    for route in sheet.routes:
        lines.append(
            f"  {route.driver.name:<18} {len(route.stops):>3} stops  "
            f"{route.starts_at:%H:%M}-{route.ends_at:%H:%M} UTC  {route.metres / 1000:.1f} km"
        )
    lines += [f"  left out: {left.ref}: {left.reason}" for left in sheet.unserved]
    lines.append(f"make it ready with: hub publish {sheet.id}")
    return "\n".join(lines)
