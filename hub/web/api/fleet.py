"""The API of the fleet: depots, vehicles, drivers with their shifts, and merchants."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response
from pydantic import Field
from sqlmodel import SQLModel, col, select

from hub.access import scoped
from hub.fleet import roster
from hub.nouns import Location, Noun
from hub.store import DepotRow, DriverRow, MerchantRow, Session, ShiftRow, VehicleRow
from hub.web.answers import answer
from hub.web.bodies import body
from hub.web.context import read, write
from hub.web.policy import allow

blueprint = Blueprint("api_fleet", __name__, url_prefix="/api/v1")
STAFF = ("owner", "dispatcher")


class NewDepot(Noun):
    """A depot to add; the time zone is an IANA name."""

    name: str = Field(max_length=200)
    lat: float = Field(ge=-90, le=90, allow_inf_nan=False)
    lon: float = Field(ge=-180, le=180, allow_inf_nan=False)
    timezone: str = Field(default="Europe/Zurich", max_length=60)
    address: str = Field(default="", max_length=300)


class NewVehicle(Noun):
    """A vehicle to add; capacity in load units."""

    name: str = Field(max_length=200)
    capacity: int = 100


class Hours(Noun):
    """Working hours on a weekday (0 = Monday), HH:MM at the depot; empty is a day off."""

    weekday: int = Field(ge=0, le=6)
    starts: str = Field(default="", max_length=10)
    ends: str = Field(default="", max_length=10)


class NewDriver(Noun):
    """A driver to add, with depot and vehicle by id."""

    name: str = Field(max_length=200)
    depot: str = Field(max_length=60)
    vehicle: str = Field(max_length=60)
    phone: str = Field(default="", max_length=60)
    colour: str = Field(default="", max_length=20)
    shifts: tuple[Hours, ...] = Field(default=(), max_length=7)


class NewMerchant(Noun):
    """A merchant to add."""

    name: str = Field(max_length=200)
    slug: str = Field(default="", max_length=60)
    accent: str = Field(default="#1f6feb", max_length=20)
    phone: str = Field(default="", max_length=60)
    email: str = Field(default="", max_length=300)
    sender: str = Field(default="", max_length=60)
    currency: str = Field(default="CHF", max_length=3)


@blueprint.get("/depots")
@allow(*STAFF)
def depots() -> Response:
    """List the depots by name."""
    with read() as session:
        return listed("depots", session, DepotRow)


@blueprint.post("/depots")
@allow(*STAFF)
def add_depot() -> Response:
    """Add a depot."""
    new = body(NewDepot)
    place = Location(lat=new.lat, lon=new.lon)
    with write() as session:
        row = roster.add_depot(
            session, new.name, place, timezone=new.timezone, address=clean(new.address)
        )
        return answer(row, 201)


@blueprint.get("/vehicles")
@allow(*STAFF)
def vehicles() -> Response:
    """List the vehicles by name."""
    with read() as session:
        return listed("vehicles", session, VehicleRow)


@blueprint.post("/vehicles")
@allow(*STAFF)
def add_vehicle() -> Response:
    """Add a vehicle."""
    new = body(NewVehicle)
    with write() as session:
        return answer(roster.add_vehicle(session, new.name, new.capacity), 201)


@blueprint.get("/drivers")
@allow(*STAFF)
def drivers() -> Response:
    """List the drivers by name, each with the working hours of the week."""
    with read() as session:
        rows = session.exec(scoped(session, DriverRow).order_by(DriverRow.name, DriverRow.id))
        return answer({"drivers": [driver_sheet(session, row) for row in rows]})


@blueprint.post("/drivers")
@allow(*STAFF)
def add_driver() -> Response:
    """Add a driver with shifts."""
    new = body(NewDriver)
    with write() as session:
        row = roster.add_driver(
            session, new.name, new.depot, new.vehicle, phone=clean(new.phone), colour=new.colour
        )
        for hours in new.shifts:
            roster.set_shift(session, row.id, hours.weekday, hours.starts, hours.ends)
        return answer(driver_sheet(session, row), 201)


@blueprint.put("/drivers/<id>/shifts")
@allow(*STAFF)
def set_shift(id: str) -> Response:
    """Set a driver's hours on one weekday, or a day off."""
    hours = body(Hours)
    with write() as session:
        roster.set_shift(session, id, hours.weekday, hours.starts, hours.ends)
        session.flush()
        return answer(driver_sheet(session, session.get_one(DriverRow, id)))


@blueprint.get("/merchants")
@allow(*STAFF, "ops", "accountant")
def merchants() -> Response:
    """List the merchants by name."""
    with read() as session:
        return listed("merchants", session, MerchantRow)


@blueprint.post("/merchants")
@allow("owner")
def add_merchant() -> Response:
    """Add a merchant."""
    new = body(NewMerchant)
    more = {name: clean(text) for name, text in new.model_dump(exclude={"name"}).items()}
    with write() as session:
        return answer(roster.add_merchant(session, new.name, **more), 201)


def listed(name: str, session: Session, table: type[SQLModel]) -> Response:
    """Answer all rows of a table that the caller may see, by name."""
    rows = session.exec(scoped(session, table).order_by(table.name, table.id))  # type: ignore[attr-defined]
    return answer({name: list(rows)})


def driver_sheet(session: Session, row: DriverRow) -> dict[str, Any]:
    """Return a driver with shifts from Monday on."""
    shifts = session.exec(
        select(ShiftRow).where(ShiftRow.driver == row.id).order_by(col(ShiftRow.weekday))
    )
    hours = [{"weekday": one.weekday, "starts": one.starts, "ends": one.ends} for one in shifts]
    return {**row.model_dump(), "shifts": hours}


def clean(text: str) -> str:
    """Return a text without control characters, which no database column takes."""
    return "".join(sign for sign in text if sign.isprintable()).strip()
