"""`hub merchant`, `depot`, `vehicle`, `measure`: what a hub needs before orders come in."""

from __future__ import annotations

import math

import click

from hub.cli.terminal import BY, opened, show
from hub.fleet import changes, roster
from hub.fleet.abilities import DepotChange, given
from hub.fleet.measures import Measures, measures, set_measures
from hub.fleet.words import vehicle_words
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


@depot_command.command("set")
@click.argument("depot")
@click.option("--active/--off", default=True, required=True, help="Whether it gets orders.")
def switch_depot(depot: str, active: bool) -> None:
    """Switch DEPOT (name or id) on or off."""
    with opened() as hub, hub.store.write(BY) as session:
        row = changes.change_depot(
            session, roster.find_depot(session, depot), DepotChange(active=active)
        )
    click.echo(f"{row.name} gets {'orders' if row.active else 'no new orders'}")


@click.group("vehicle")
def vehicle_command() -> None:
    """Add and list vehicles, say what they can, may and cost."""


@vehicle_command.command("add")
@click.argument("name")
@click.option("--capacity", default=100, show_default=True, help="Load units that it carries.")
@click.argument("fields", nargs=-1)
def add_vehicle(name: str, capacity: int, fields: tuple[str, ...]) -> None:
    """Add a vehicle; FIELDS as behind `hub vehicle set`."""
    said = pairs(fields)
    with opened() as hub, hub.store.write(BY) as session:
        row = roster.add_vehicle(session, name, capacity)
        changes.change_vehicle(session, row, vehicle_words(said, row))
    click.echo(f"added vehicle {row.name}: id {row.id}")


@vehicle_command.command("set")
@click.argument("vehicle")
@click.argument("fields", nargs=-1, required=True)
def set_vehicle(vehicle: str, fields: tuple[str, ...]) -> None:
    """Change FIELDS of VEHICLE (name or id), each written field=value.

    Such as capacity=120 capacity.kg=800 profile=truck skills=fridge,lift cost_hour=32 cost_km=0.35
    cost_fixed=20 most_km=180 most_stops=60 reload_depots=Vaduz reload_minutes=10 most_reloads=2
    stacked=yes active=no. An empty value takes a limit, a price or a capacity away.
    """
    said = pairs(fields)
    with opened() as hub, hub.store.write(BY) as session:
        row = roster.find_vehicle(session, vehicle)
        changes.change_vehicle(session, row, vehicle_words(said, row))
    click.echo(f"{row.name}: {', '.join(f'{name}={text}' for name, text in said.items())}")


def pairs(fields: tuple[str, ...]) -> dict[str, str]:
    """Return what `field=value` words say; raise `BadParameter` for another word."""
    found = {}
    for word in fields:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{word!r} is not written field=value")
        found[name.strip()] = text
    return found


@click.group("measure")
def measure_command() -> None:
    """Say what load is counted by, in which currency vehicles cost, how evenly work is shared."""


@measure_command.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_measures(as_json: bool) -> None:
    """Print what the operator counts by."""
    with opened() as hub, hub.store.read(BY) as session:
        found = measures(session)
    click.echo(found.model_dump_json() if as_json else told(found))


@measure_command.command("set")
@click.argument("loads", nargs=-1)
@click.option("--currency", default="", help="Three letters; of what vehicles cost.")
@click.option("--balance", type=float, help="Most work of one driver, in equal shares; 0: any.")
def put_measures(loads: tuple[str, ...], currency: str, balance: float | None) -> None:
    """Count load by LOADS, the first as vehicles' capacity: units kg m3=m³.

    Each is a name, or name=unit where the unit is written otherwise. Without any they stay.
    """
    with opened() as hub, hub.store.write(BY) as session:
        values = measures(session).model_dump()
        if loads:
            parts = [word.partition("=") for word in loads]
            values["loads"] = [{"name": name, "unit": unit} for name, _, unit in parts]
        values |= {"currency": currency.upper()} if currency else {}
        values |= {} if balance is None else {"balance": balance}
        found = set_measures(session, given(Measures, values))
    click.echo(told(found))


def told(found: Measures) -> str:
    """Return what the operator counts by, in words."""
    loads = ", ".join(f"{one.name} ({one.unit})" if one.unit else one.name for one in found.loads)
    share = f"at most {found.balance:g} equal shares each" if found.balance else "not shared evenly"
    return f"load in {loads}; costs in {found.currency}; work {share}"


@vehicle_command.command("list")
@AS_JSON
def list_vehicles(as_json: bool) -> None:
    """Print the vehicles."""
    with opened() as hub, hub.store.read(BY) as session:
        rows = [row.model_dump() for row in roster.listed(session, VehicleRow)]
    none = "there is no vehicle; add one with: hub vehicle add NAME"
    for row in rows:
        row["state"] = "on" if row["active"] else "off"
        more = [f"{amount} {name}" for name, amount in row["capacities"].items()]
        row["carries"] = ", ".join([str(row["capacity"]), *more])
    show(rows, ("name", "id", "state", "carries", "profile", "skills"), as_json, none)
