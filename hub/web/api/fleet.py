"""The API of the fleet: depots, vehicles, drivers with their shifts, and merchants."""

from __future__ import annotations

from flask import Blueprint, Response
from pydantic import Field, field_validator

from hub.access import get
from hub.driving import links
from hub.fleet import breaks, changes, roster
from hub.fleet.abilities import (
    DepotChange,
    DriverAbilities,
    DriverChange,
    Rests,
    VehicleAbilities,
    VehicleChange,
)
from hub.fleet.measures import Measures, measures, set_measures
from hub.nouns import Location, Noun
from hub.store import DepotRow, DriverRow, MerchantRow, Session, VehicleRow
from hub.web.answers import answer
from hub.web.bodies import body
from hub.web.context import read, write
from hub.web.policy import allow

blueprint = Blueprint("api_fleet", __name__, url_prefix="/api/v1")
STAFF = ("owner", "dispatcher")
KEY = "key:fleet:write"
"""The scope that only an operator's key can have; new merchants are left to the owner."""


class NewDepot(Noun):
    """A depot to add; the time zone is an IANA name."""

    name: str = Field(max_length=200)
    lat: float = Field(ge=-90, le=90, allow_inf_nan=False)
    lon: float = Field(ge=-180, le=180, allow_inf_nan=False)
    timezone: str = Field(default="Europe/Zurich", max_length=60)
    address: str = Field(default="", max_length=300)


class NewVehicle(VehicleAbilities):
    """A vehicle to add; capacity in units of the operator's first measure."""

    name: str = Field(max_length=200)
    capacity: int = 100


class Hours(Noun):
    """Working hours on a weekday (0 = Monday), HH:MM at the depot; empty is a day off."""

    weekday: int = Field(ge=0, le=6)
    starts: str = Field(default="", max_length=10)
    ends: str = Field(default="", max_length=10)
    breaks: Rests | None = None
    """Taken within this shift; left out: as they are."""


class Active(Noun):
    """Whether a driver is switched on."""

    active: bool


class NewDriver(DriverAbilities):
    """A driver to add, with depot and vehicle by id."""

    name: str = Field(max_length=200)
    depot: str = Field(max_length=60)
    vehicle: str = Field(max_length=60)
    phone: str = Field(default="", max_length=60)
    colour: str = Field(default="", max_length=20)
    shifts: tuple[Hours, ...] = Field(default=(), max_length=7)

    @field_validator("shifts")
    @classmethod
    def each_day_once(cls, shifts: tuple[Hours, ...]) -> tuple[Hours, ...]:
        """Refuse two shifts of one weekday, of which only the last would be kept."""
        if len({shift.weekday for shift in shifts}) < len(shifts):
            raise ValueError("a weekday has one shift; write the time between two as a break")
        return shifts


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
@allow(*STAFF, KEY)
def depots() -> Response:
    """List the depots by name."""
    with read() as session:
        return answer({"depots": roster.listed(session, DepotRow)})


@blueprint.post("/depots")
@allow(*STAFF, KEY)
def add_depot() -> Response:
    """Add a depot."""
    new = body(NewDepot)
    place = Location(lat=new.lat, lon=new.lon)
    with write() as session:
        row = roster.add_depot(session, new.name, place, timezone=new.timezone, address=new.address)
        return answer(row, 201)


@blueprint.get("/vehicles")
@allow(*STAFF, KEY)
def vehicles() -> Response:
    """List the vehicles by name."""
    with read() as session:
        return answer({"vehicles": roster.listed(session, VehicleRow)})


@blueprint.post("/vehicles")
@allow(*STAFF, KEY)
def add_vehicle() -> Response:
    """Add a vehicle."""
    new = body(NewVehicle)
    with write() as session:
        row = roster.add_vehicle(session, new.name, new.capacity)
        own = new.model_dump(include=set(VehicleAbilities.model_fields), exclude_unset=True)
        changes.change_vehicle(session, row, VehicleAbilities.model_validate(own))
        session.flush()
        return answer(row, 201)


@blueprint.patch("/vehicles/<id>")
@allow(*STAFF, KEY)
def change_vehicle(id: str) -> Response:
    """Change the fields of a vehicle that are given."""
    change = body(VehicleChange)
    with write() as session:
        row = changes.change_vehicle(session, get(session, VehicleRow, id), change)
        session.flush()
        return answer(row)


@blueprint.patch("/depots/<id>")
@allow(*STAFF, KEY)
def change_depot(id: str) -> Response:
    """Change the fields of a depot that are given."""
    change = body(DepotChange)
    with write() as session:
        row = changes.change_depot(session, get(session, DepotRow, id), change)
        session.flush()
        return answer(row)


@blueprint.get("/drivers")
@allow(*STAFF, KEY)
def drivers() -> Response:
    """List the drivers by name, each with the working hours of the week."""
    with read() as session:
        rows = roster.listed(session, DriverRow)
        return answer({"drivers": [roster.driver_sheet(session, row) for row in rows]})


@blueprint.post("/drivers")
@allow(*STAFF, KEY)
def add_driver() -> Response:
    """Add a driver with shifts."""
    new = body(NewDriver)
    hours = [(shift.weekday, shift.starts, shift.ends) for shift in new.shifts]
    own = new.model_dump(include=set(DriverAbilities.model_fields), exclude_unset=True)
    with write() as session:
        row = roster.add_driver(
            session, new.name, new.depot, new.vehicle, phone=new.phone, colour=new.colour,
            hours=hours,
        )  # fmt: skip
        changes.change_driver(session, row, DriverAbilities.model_validate(own))
        session.flush()
        for shift in new.shifts:
            set_rests(session, row.id, shift)
        return answer(roster.driver_sheet(session, row), 201)


def set_rests(session: Session, driver: str, hours: Hours) -> None:
    """Set the breaks of a weekday where they are given and there is a shift; those it had stay."""
    if hours.breaks is None:
        breaks.check_kept(session, session.get_one(DriverRow, driver), hours.weekday)
    elif hours.starts or hours.ends:
        breaks.set_breaks(session, driver, hours.weekday, hours.breaks)
        session.flush()


@blueprint.patch("/drivers/<id>")
@allow(*STAFF, KEY)
def change_driver(id: str) -> Response:
    """Change the fields of a driver that are given."""
    change = body(DriverChange)
    with write() as session:
        row = changes.change_driver(session, get(session, DriverRow, id), change)
        session.flush()
        return answer(roster.driver_sheet(session, row))


@blueprint.put("/drivers/<id>/active")
@allow(*STAFF, KEY)
def switch_driver(id: str) -> Response:
    """Switch a driver on or off; off ends the links and phones too."""
    wanted = body(Active)
    with write() as session:
        driver = get(session, DriverRow, id).id
        switch = links.switch_on if wanted.active else links.switch_off
        row = switch(session, driver)
        session.flush()
        return answer(roster.driver_sheet(session, row))


@blueprint.put("/drivers/<id>/shifts")
@allow(*STAFF, KEY)
def set_shift(id: str) -> Response:
    """Set a driver's hours on one weekday, or a day off."""
    hours = body(Hours)
    with write() as session:
        roster.set_shift(session, id, hours.weekday, hours.starts, hours.ends)
        session.flush()
        set_rests(session, id, hours)
        return answer(roster.driver_sheet(session, session.get_one(DriverRow, id)))


@blueprint.get("/measures")
@allow(*STAFF, KEY)
def show_measures() -> Response:
    """Return what the operator counts by: measures of load, currency, balance."""
    with read() as session:
        return answer(measures(session))


@blueprint.put("/measures")
@allow("owner", KEY)
def put_measures() -> Response:
    """Set what the operator counts by."""
    wanted = body(Measures)
    with write() as session:
        return answer(set_measures(session, wanted))


@blueprint.get("/merchants")
@allow(*STAFF, "ops", "accountant", KEY)
def merchants() -> Response:
    """List the merchants by name."""
    with read() as session:
        return answer({"merchants": roster.listed(session, MerchantRow)})


@blueprint.post("/merchants")
@allow("owner")
def add_merchant() -> Response:
    """Add a merchant."""
    new = body(NewMerchant)
    with write() as session:
        return answer(roster.add_merchant(session, **new.model_dump()), 201)
