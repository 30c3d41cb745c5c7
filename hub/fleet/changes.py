"""Change what is there: a vehicle, a driver, a depot, field by field, and switch it on or off."""

from __future__ import annotations

import re
from typing import Any

from sqlmodel import SQLModel, col, select

from hub.errors import Refused
from hub.fleet.abilities import HOME, DepotChange, DriverAbilities, VehicleAbilities
from hub.fleet.measures import check_names, measures
from hub.fleet.roster import (
    Row,
    check_works,
    clean,
    find_depot,
    find_vehicle,
    named,
    phone_of,
    zone_exists,
)
from hub.nouns import Noun
from hub.store import DepotRow, DriverRow, Session, VehicleRow


def change_vehicle(session: Session, row: VehicleRow, change: VehicleAbilities) -> VehicleRow:
    """Apply the fields that are given; raise `Refused` naming the one that cannot be."""
    said = fields(change)
    counted = measures(session)
    if "capacities" in said:
        check_names(counted, said["capacities"], "capacities")
        first = said["capacities"].pop(counted.first.name, None)
        if first is not None:
            said.setdefault("capacity", first)
    if "reload_depots" in said:
        said["reload_depots"] = [find_depot(session, one).id for one in said["reload_depots"]]
    if "name" in said:
        said["name"] = free_name(session, VehicleRow, row, said["name"])
    if said.get("active") is False and row.active:
        check_unused(session, row)
    return put(row, said)


def change_driver(session: Session, row: DriverRow, change: DriverAbilities) -> DriverRow:
    """Apply the fields that are given; raise `Refused` naming the one that cannot be."""
    said = fields(change)
    if "name" in said:
        said["name"] = named(said["name"])
    if said.get("phone", row.phone) != row.phone:
        said["phone"] = phone_of(session, said["phone"]) if said["phone"].strip() else ""
    if "colour" in said and not re.fullmatch("#[0-9a-fA-F]{6}", said["colour"]):
        raise Refused(f"{said['colour']!r} is no colour; write it like #1f6feb", "colour")
    if "depot" in said:
        said["depot"] = find_depot(session, said["depot"]).id
        if said["depot"] != row.depot:
            check_works(session, DepotRow, said["depot"], "depot")
    if "vehicle" in said and said["vehicle"] != row.vehicle:
        said["vehicle"] = working_vehicle(session, said["vehicle"]).id
    if "home_address" in said:
        said["home_address"] = clean(said["home_address"])
    for name in ("start_place", "end_place"):
        if said.get(name, HOME) not in ("", HOME):
            found = find_depot(session, said[name]).id
            said[name] = "" if found == said.get("depot", row.depot) else found
    put(row, said)
    check_home(row)
    return row


def change_depot(session: Session, row: DepotRow, change: DepotChange) -> DepotRow:
    """Apply the fields that are given; raise `Refused` naming the one that cannot be."""
    said = fields(change)
    if "timezone" in said and not zone_exists(said["timezone"]):
        unknown = said["timezone"]
        raise Refused(f"{unknown!r} is no time zone; write one like Europe/Zurich", "timezone")
    if "name" in said:
        said["name"] = free_name(session, DepotRow, row, said["name"])
    if "address" in said:
        said["address"] = clean(said["address"])
    if said.get("active") is False and row.active:
        check_left(session, row)
    return put(row, said)


def fields(change: Noun) -> dict[str, Any]:
    """Return the fields that were given, as columns keep them."""
    found = {name: getattr(change, name) for name in change.model_fields_set}
    return {name: list(one) if isinstance(one, tuple) else one for name, one in found.items()}


def put(row: Row, values: dict[str, Any]) -> Row:
    """Set columns of a row."""
    for name, value in values.items():
        setattr(row, name, value)
    return row


def free_name(session: Session, table: type[SQLModel], row: Any, name: str) -> str:
    """Return a name that no other row of the table has."""
    name = named(name)
    same = select(table).where(table.name == name, table.id != row.id)  # type: ignore[attr-defined]
    if session.exec(same).first() is not None:
        raise Refused(f"there is a {table.__tablename__} {name} already", "name")
    return name


def working_vehicle(session: Session, name: str) -> VehicleRow:
    """Return a vehicle that is switched on."""
    row = find_vehicle(session, name)
    if not row.active:
        raise Refused(f"{row.name} is switched off; switch it on first", "vehicle")
    return row


def check_home(row: DriverRow) -> None:
    """Refuse half a home, and a day that begins or ends at one that nobody knows."""
    if (row.home_lat is None) != (row.home_lon is None):
        missing = "home_lat" if row.home_lat is None else "home_lon"
        raise Refused("a home has both a latitude and a longitude, or neither", missing)
    for name in ("start_place", "end_place"):
        if getattr(row, name) == HOME and row.home_lat is None:
            raise Refused(f"{row.name} has no home yet; set where it is first", name)


def check_unused(session: Session, row: VehicleRow) -> None:
    """Refuse to switch a vehicle off that somebody drives."""
    drivers = session.exec(
        select(DriverRow.name).where(DriverRow.vehicle == row.id, col(DriverRow.active).is_(True))
    ).all()
    if drivers:
        names = ", ".join(drivers[:3])
        raise Refused(f"{names} drives {row.name}; choose another vehicle there first", "active")


def check_left(session: Session, row: DepotRow) -> None:
    """Refuse to switch the only depot off, or one that drivers belong to."""
    others = select(DepotRow.id).where(col(DepotRow.active).is_(True), DepotRow.id != row.id)
    if session.exec(others).first() is None:
        raise Refused(f"{row.name} is the only depot; orders need one", "active")
    drivers = session.exec(
        select(DriverRow.name).where(DriverRow.depot == row.id, col(DriverRow.active).is_(True))
    ).all()
    if drivers:
        names = ", ".join(drivers[:3])
        raise Refused(f"{names} belongs to {row.name}; choose another depot there first", "active")
