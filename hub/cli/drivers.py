"""`hub driver`: who drives and when, the phone's link, the tracker, and switching one off."""

from __future__ import annotations

from typing import Any

import click
from sqlmodel import col, select

from hub.access import scoped
from hub.cli.fleet import pairs
from hub.cli.terminal import BY, opened, show, show_link
from hub.driving import links
from hub.fleet import breaks as rests
from hub.fleet import changes, roster
from hub.fleet.shifts import Hours, read_hours, write_hours
from hub.fleet.words import driver_words
from hub.planning.day import TAKEN
from hub.store import DepotRow, DriverRow, RouteRow, Session, ShiftRow, VehicleRow

USUAL = ("mon-fri 08:00-17:00",)


@click.group("driver")
def driver_command() -> None:
    """Add drivers, sign their phones in, switch them off."""


@driver_command.command("add")
@click.argument("name")
@click.option("--depot", required=True, help="Name or id of the depot.")
@click.option("--vehicle", required=True, help="Name or id of the vehicle.")
@click.option("--phone", default="", help="Number that the dispatcher may call.")
@click.option("--colour", default="", help="On maps, like #1f6feb; given in turn by default.")
@click.option(
    "--hours", multiple=True, default=USUAL, show_default=True,
    help="When the driver works, at the depot's time; may be given several times.",
)  # fmt: skip
def add_driver(
    name: str, depot: str, vehicle: str, phone: str, colour: str, hours: tuple[str, ...]
) -> None:
    """Add a driver."""
    with opened() as hub, hub.store.write(BY) as session:
        at, van = roster.find_depot(session, depot), roster.find_vehicle(session, vehicle)
        row = roster.add_driver(
            session, name, at.id, van.id, phone=phone, colour=colour, hours=days(hours)
        )
        told = working(session, row)
    click.echo(f"added driver {row.name}: id {row.id}, works {told}")
    click.echo(f"sign the phone in with: hub driver link {row.id}", err=True)


@driver_command.command("hours")
@click.argument("driver")
@click.argument("hours", nargs=-1, required=True)
def set_hours(driver: str, hours: tuple[str, ...]) -> None:
    """Set when DRIVER works; days that are not named stay.

    HOURS are written like "mon-fri 08:00-17:00" or "sat,sun off", each in quotation marks.
    """
    with opened() as hub, hub.store.write(BY) as session:
        row = roster.find_driver(session, driver)
        for weekday, starts, ends in days(hours):
            roster.set_shift(session, row.id, weekday, starts, ends)
            rests.check_kept(session, row, weekday)
        session.flush()
        told = working(session, row)
    click.echo(f"{row.name} works {told}")


@driver_command.command("set")
@click.argument("driver")
@click.argument("fields", nargs=-1, required=True)
def set_driver(driver: str, fields: tuple[str, ...]) -> None:
    """Change FIELDS of DRIVER (name or id), each written field=value.

    Such as skills=adr,lift start=home end=depot home=47.14,9.52 overtime_minutes=60
    overtime_hour=48 vehicle="Van 2" depot=Vaduz phone=+4232300000. Places are depot, home, or the
    name of another depot.
    """
    said = pairs(fields)
    with opened() as hub, hub.store.write(BY) as session:
        row = roster.find_driver(session, driver)
        changes.change_driver(session, row, driver_words(said, row))
    click.echo(f"{row.name}: {', '.join(f'{name}={text}' for name, text in said.items())}")


@driver_command.command("breaks")
@click.argument("driver")
@click.argument("breaks", nargs=-1, required=True)
def set_breaks(driver: str, breaks: tuple[str, ...]) -> None:
    """Set the breaks of DRIVER (name or id); days that are not named stay.

    BREAKS are written like "mon-fri 12:00-13:30 30": 30 minutes between these times, several with
    commas between, or "sat off", each in quotation marks.
    """
    with opened() as hub, hub.store.write(BY) as session:
        row = roster.find_driver(session, driver)
        for text in breaks:
            days, found = rests.read_breaks(text)
            for weekday in days:
                rests.set_breaks(session, row.id, weekday, found)
        session.flush()
        told = resting(session, row)
    click.echo(f"{row.name} rests {told or 'never'}")


@driver_command.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_drivers(as_json: bool) -> None:
    """Print the drivers with depot, vehicle and working hours."""
    with opened() as hub, hub.store.read(BY) as session:
        depots = {row.id: row.name for row in roster.listed(session, DepotRow)}
        vehicles = {row.id: row.name for row in roster.listed(session, VehicleRow)}
        rows: list[dict[str, Any]] = []
        for row in roster.listed(session, DriverRow):
            rows.append(
                {
                    **roster.driver_sheet(session, row),
                    "depot": depots[row.depot],
                    "vehicle": vehicles[row.vehicle],
                    "works": working(session, row),
                    "rests": resting(session, row),
                    "state": "on" if row.active else "off",
                    "tracker": row.tracker or "",
                }
            )
    none = "there is no driver; add one with: hub driver add NAME --depot DEPOT --vehicle VEHICLE"
    columns = ("name", "id", "state", "depot", "vehicle", "phone", "tracker", "works", "rests")
    show(rows, columns, as_json, none)


@driver_command.command("link")
@click.argument("driver")
def link_driver(driver: str) -> None:
    """Print a link that signs the phone of DRIVER (name or id) in once."""
    with opened() as hub, hub.store.write(BY) as session:
        url = links.driver_link(hub, session, roster.find_driver(session, driver).id)
    show_link(hub, url)


@driver_command.command("tracker")
@click.argument("driver")
@click.argument("device")
def set_tracker(driver: str, device: str) -> None:
    """Say that DEVICE tells where DRIVER (name or id) is; `off` for none.

    DEVICE is the id by which a connection under "Positions in" knows it, such as Traccar's
    identifier. Its positions count while the driver works, beside those of the phone.
    """
    wanted = "" if device == "off" else device
    with opened() as hub, hub.store.write(BY) as session:
        row = roster.find_driver(session, driver)
        roster.set_tracker(session, row, wanted)
    if row.tracker is None:
        click.echo(f"no device tells any more where {row.name} is")
    else:
        click.echo(f"the device {row.tracker} tells where {row.name} is during working hours")


@driver_command.command("off")
@click.argument("driver")
def switch_off(driver: str) -> None:
    """Plan DRIVER (name or id) no more, and refuse the driver's phones from now on."""
    with opened() as hub, hub.store.write(BY) as session:
        row = links.switch_off(session, roster.find_driver(session, driver).id)
        query = scoped(session, RouteRow).where(
            RouteRow.driver == row.id, col(RouteRow.state).in_(TAKEN)
        )
        routes = session.exec(query.order_by(col(RouteRow.service_date))).all()
    click.echo(f"{row.name} is switched off; switch on again with: hub driver on {row.id}")
    for route in routes:
        click.echo(
            f"{row.name} still has route {route.id} on {route.service_date}; take it back with "
            f"POST /api/v1/routes/{route.id}/unpublish or, once begun, its stops one by one with "
            "POST /api/v1/stops/ID/unassign",
            err=True,
        )


@driver_command.command("on")
@click.argument("driver")
def switch_on(driver: str) -> None:
    """Plan DRIVER (name or id) again; the phone needs a new link."""
    with opened() as hub, hub.store.write(BY) as session:
        row = links.switch_on(session, roster.find_driver(session, driver).id)
    click.echo(f"{row.name} is switched on; sign the phone in with: hub driver link {row.id}")


def days(texts: tuple[str, ...]) -> list[Hours]:
    """Return the working days that several texts say, one after the other."""
    return [day for text in texts for day in read_hours(text)]


def resting(session: Session, row: DriverRow) -> str:
    """Return when a driver takes breaks, in words."""
    shifts = session.exec(select(ShiftRow).where(ShiftRow.driver == row.id))
    return rests.write_breaks(shifts)


def working(session: Session, row: DriverRow) -> str:
    """Return when a driver works, in words."""
    shifts = roster.driver_sheet(session, row)["shifts"]
    told = write_hours((one["weekday"], one["starts"], one["ends"]) for one in shifts)
    return told or "never: set it with hub driver hours"
