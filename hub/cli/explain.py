"""`hub plan explain`: the routes of a plan along the clock, and why stops were left out."""

from __future__ import annotations

import click

from hub.nouns.plans import Wall


@click.command("explain")
@click.argument("plan")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def explain_command(plan: str, as_json: bool) -> None:
    """Explain PLAN (its id): each route along the clock, what is left out, what has changed."""
    from hub.access import get
    from hub.cli.plans import BY, ready
    from hub.dispatch.explanation import explained
    from hub.planning.reasons_later import look_again
    from hub.store import PlanRow

    hub = ready()
    look_again(hub, plan)
    with hub.store.read(BY) as session:
        found = explained(session, get(session, PlanRow, plan))
    click.echo(found.model_dump_json() if as_json else told(found))


def told(found: object) -> str:
    """Return an explanation in lines for people."""
    from hub.dispatch.explanation import Explanation
    from hub.planning.day import wall

    if not isinstance(found, Explanation):
        raise TypeError(found)
    lines = [f"plan {found.plan} of {found.depot.name}, {found.service_date}"]
    for route in found.routes:
        lines += told_route(route, found.names, wall(found.service_date, found.timezone))
    for left in found.left_out:
        place = f": {left.place}" if left.place else ""
        lines.append(f"left out: {left.ref or left.stop}: {left.reason}{place}")
        if left.fits and left.driver is not None:
            lines.append(f"    with {left.driver.name}: {left.fits}")
    return "\n".join([*lines, *told_changes(found)])


def told_route(route: object, names: dict[str, str], said: Wall) -> list[str]:
    """Return one route in lines."""
    from hub.dispatch.explanation import RouteTold
    from hub.planning.words import clock

    if not isinstance(route, RouteTold):
        raise TypeError(route)
    line = route.timeline
    lines = [
        f"{route.driver.name}  {clock(line.starts, said)}-{clock(line.ends, said)}  "
        f"{line.metres / 1000:.1f} km  drives {line.driving // 60} min, "
        f"waits {line.waiting // 60} min, {line.slack // 60} min to spare"
    ]
    rests = [
        (
            pause.after,
            f"  {clock(pause.begins, said)}  {pause.kind} until {clock(pause.ends, said)}",
        )
        for pause in line.pauses
    ]
    for number, moment in enumerate(line.moments):
        lines += [text for after, text in rests if after == number]
        waits = f"  waited {moment.waiting // 60} min" if moment.waiting >= 60 else ""
        loads = "/".join(map(str, moment.loads))
        lines.append(
            f"  {clock(moment.begins, said)}  {names.get(moment.stop, moment.stop):<12} "
            f"spare {moment.slack // 60} min  load {loads or 0}{waits}"
        )
    return [*lines, *(text for after, text in rests if after >= len(line.moments))]


def told_changes(found: object) -> list[str]:
    """Return in lines what is different from the plan before."""
    from hub.dispatch.explanation import Explanation

    if not isinstance(found, Explanation) or found.changes is None:
        return []
    change = found.changes
    return [
        f"since plan {found.previous}: {len(change.moved)} stops with another driver, "
        f"{len(change.reordered)} in another order, {len(change.served)} more served, "
        f"{len(change.left_out)} no more served, {change.metres / 1000:+.1f} km, "
        f"{change.seconds // 60:+d} min"
    ]
