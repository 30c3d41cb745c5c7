"""`hub merchant`, `hub depot` and `hub vehicle`: what a fresh hub needs before orders come in."""

from __future__ import annotations

import math

import click

from hub.cli.terminal import BY, opened, show
from hub.fleet import roster
from hub.nouns import Location
from hub.store import DepotRow, MerchantRow, VehicleRow

AS_JSON = click.option("--json", "as_json", is_flag=True, help="For programs.")


def finite(_context: click.Context, parameter: click.Parameter, value: float) -> float:
    """Refuse what is a number to Python only; every comparison lets NaN pass."""
    if not math.isfinite(value):
        raise click.BadParameter(f"{value} is no number of degrees; write it like 47.14")
    return value


@click.group("merchant")
def merchant_command() -> None:
    """Add and list the brands that are delivered for."""


@merchant_command.command("add")
@click.argument("name")
@click.option("--slug", default="", help="Its short name in commands; made of NAME by default.")
@click.option("--accent", default="#1f6feb", show_default=True, help="Colour of its pages.")
@click.option("--phone", default="", help="Number that recipients may call.")
@click.option("--email", default="", help="Address that recipients may write to.")
@click.option("--sender", default="", help="Name that text messages come from.")
@click.option("--currency", default="CHF", show_default=True, help="Of cash on delivery.")
def add_merchant(name: str, **more: str) -> None:
    """Add a merchant."""
    with opened() as hub, hub.store.write(BY) as session:
        row = roster.add_merchant(session, name, **more)
    click.echo(f"added merchant {row.name}: slug {row.slug}, id {row.id}")


@merchant_command.command("list")
@AS_JSON
def list_merchants(as_json: bool) -> None:
    """Print the merchants."""
    with opened() as hub, hub.store.read(BY) as session:
        rows = [row.model_dump() for row in roster.listed(session, MerchantRow)]
    columns = ("slug", "name", "id", "phone", "email", "sender", "currency")
    show(rows, columns, as_json, "there is no merchant; add one with: hub merchant add NAME")


@click.group("depot")
def depot_command() -> None:
    """Add and list depots."""


@depot_command.command("add")
@click.argument("name")
@click.option(
    "--lat", type=click.FloatRange(-90, 90), required=True, callback=finite,
    help="Degrees north, such as 47.14.",
)  # fmt: skip
@click.option(
    "--lon", type=click.FloatRange(-180, 180), required=True, callback=finite,
    help="Degrees east, such as 9.52.",
)  # fmt: skip
@click.option("--timezone", default="Europe/Zurich", show_default=True, help="Its IANA name.")
@click.option("--address", default="", help="In one line, for people.")
def add_depot(name: str, lat: float, lon: float, timezone: str, address: str) -> None:
    """Add a depot, where routes begin and end."""
    place = Location(lat=lat, lon=lon)
    with opened() as hub, hub.store.write(BY) as session:
        row = roster.add_depot(session, name, place, timezone=timezone, address=address)
    click.echo(f"added depot {row.name}: id {row.id}")


@depot_command.command("list")
@AS_JSON
def list_depots(as_json: bool) -> None:
    """Print the depots."""
    with opened() as hub, hub.store.read(BY) as session:
        rows = [row.model_dump() for row in roster.listed(session, DepotRow)]
    columns = ("name", "id", "lat", "lon", "timezone", "address")
    none = "there is no depot; add one with: hub depot add NAME --lat LAT --lon LON"
    show(rows, columns, as_json, none)


@click.group("vehicle")
def vehicle_command() -> None:
    """Add and list vehicles."""


@vehicle_command.command("add")
@click.argument("name")
@click.option("--capacity", default=100, show_default=True, help="Load units that it carries.")
def add_vehicle(name: str, capacity: int) -> None:
    """Add a vehicle."""
    with opened() as hub, hub.store.write(BY) as session:
        row = roster.add_vehicle(session, name, capacity)
    click.echo(f"added vehicle {row.name}: id {row.id}")


@vehicle_command.command("list")
@AS_JSON
def list_vehicles(as_json: bool) -> None:
    """Print the vehicles."""
    with opened() as hub, hub.store.read(BY) as session:
        rows = [row.model_dump() for row in roster.listed(session, VehicleRow)]
    none = "there is no vehicle; add one with: hub vehicle add NAME"
    show(rows, ("name", "id", "capacity"), as_json, none)
