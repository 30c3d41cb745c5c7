"""`hub routes`: change what is on the road from the terminal."""

from __future__ import annotations

import json
from datetime import datetime

import click

from hub.cli.plans import BY, ready


@click.group("routes")
def routes_command() -> None:
    """Better the routes on the road, put stops in, spread a lost driver's stops."""


@routes_command.command("reoptimise")
@click.option("--depot", required=True, help="Name or id of the depot.")
@click.option(
    "--date", "day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Day of the routes."
)
@click.option("--seconds", default=1.5, show_default=True, help="How long may be searched.")
@click.option(
    "--most-moved",
    default=0.2,
    show_default=True,
    help="Share of the stops ahead that may move, or their number from 1 on.",
)
@click.option("--insert", is_flag=True, help="First put in promised stops without a route.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def reoptimise(
    depot: str, day: datetime, seconds: float, most_moved: float, insert: bool, as_json: bool
) -> None:
    """Look for better routes at once, and keep them if they are."""
    from hub.dispatch import reoptimisations, reworking
    from hub.errors import HubError

    hub = ready()
    with hub.store.write(BY) as session:
        row = reoptimisations.begun(
            session,
            depot,
            day.date(),
            "cli",
            seconds=seconds,
            most_moved=most_moved,
            insert=insert,
        )
    done = reworking.now(hub, row.id)
    if done.state == "failed":
        raise HubError(f"re-optimisation {done.id} failed: {done.reason}")
    if as_json:
        click.echo(json.dumps(done.model_dump(mode="json", exclude={"before", "stamps"})))
        return
    click.echo(
        f"{done.moved} stops moved on {done.routes} routes, {done.gain_seconds // 60} min and "
        f"{done.gain_metres / 1000:.1f} km less, late {done.late_before} -> {done.late_after}"
    )
    if done.reason:
        click.echo(done.reason)
    if done.moved:
        click.echo(f"take it back with: hub routes undo {done.id}")


@routes_command.command("undo")
@click.argument("reoptimisation")
def undo(reoptimisation: str) -> None:
    """Take a REOPTIMISATION (its id) back, while nobody has driven on."""
    from hub.dispatch.undoing import undo as take_back

    take_back(ready(), BY, reoptimisation)
    click.echo(f"{reoptimisation} is taken back")


@routes_command.command("insert")
@click.argument("stop")
@click.option("--route", default=None, help="Id of the only route that may take it.")
@click.option("--dry", is_flag=True, help="Only say what it would cost.")
@click.option("--even-late", is_flag=True, help="Also where promises are broken.")
def insert(stop: str, route: str | None, dry: bool, even_late: bool) -> None:
    """Put an unassigned STOP (its id) into the route that it costs least."""
    from hub.dispatch import insertion

    do = insertion.price if dry else insertion.place
    offer = do(ready(), BY, stop, route, even_late=even_late)
    click.echo(
        f"{offer.driver_name}, stop {offer.position}, {offer.planned_at:%H:%M} UTC: "
        f"{offer.extra_seconds / 60:.0f} min and {offer.extra_metres / 1000:.1f} km more"
    )
    for one in offer.later:
        late = f", {one.late / 60:.0f} min late" if one.late else ""
        click.echo(f"  {one.ref} {one.name}: {one.seconds / 60:.0f} min later{late}")
    for other in offer.others:
        click.echo(
            f"  or {other.driver_name}: {other.extra_seconds / 60:.0f} min and "
            f"{other.extra_metres / 1000:.1f} km more"
        )


@routes_command.command("lost")
@click.argument("route")
@click.option("--reason", default="", help="Why the driver cannot go on.")
@click.option(
    "--goods",
    type=click.Choice(["at_depot", "handed_over", "lost"]),
    default=None,
    help="Where the goods are, once the driver has left.",
)
@click.option("--only-tell", is_flag=True, help="Leave the stops to a workflow.")
def lost(route: str, reason: str, goods: str | None, only_tell: bool) -> None:
    """Say that the driver of ROUTE (its id) cannot go on, and give the stops to others."""
    from hub.dispatch.dropout import drop, redistribute

    hub = ready()
    if only_tell:
        with hub.store.write(BY) as session:
            dropped = drop(session, route, reason, goods or "")
        click.echo(f"{len(dropped.stops)} stops have no route now")
        return
    made = redistribute(hub, BY, route, reason, goods or "", "cli")
    click.echo(f"{len(made.placed)} stops were given to others, {len(made.left)} to nobody")
    for one in made.left:
        click.echo(f"  {one.stop}: {one.reason}")
