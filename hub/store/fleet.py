"""Tables of the fleet: depots, vehicles, drivers, shifts and the places they deliver to."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.store.columns import instant, key, later, later_json, maybe_money


class DepotRow(SQLModel, table=True):
    """Where routes begin and end; its zone is the one that times are shown in."""

    __tablename__ = "depot"
    id: str = key("dep")
    name: str = Field(unique=True)
    address: str = ""
    lat: float
    lon: float
    timezone: str = "Europe/Zurich"
    active: bool = later(True)
    """Orders are given to it; one that is switched off keeps what it has."""


class VehicleRow(SQLModel, table=True):
    """What drives: how much it carries, what it can, what it costs and how far it may go.

    `capacity` is of the operator's first measure of load (a line's `load` times its quantity).
    """

    __tablename__ = "vehicle"
    id: str = key("veh")
    name: str = Field(unique=True)
    capacity: int = 100
    capacities: dict[str, int] = later_json(dict)
    """Of the other measures, by name; one that is missing is unlimited."""
    profile: str = later("van")
    """bike | car | van | truck: which roads it may take, and how fast."""
    skills: list[str] = later_json(list)
    cost_fixed: Decimal | None = maybe_money()
    """For a day on which it is used, in the operator's currency."""
    cost_hour: Decimal | None = maybe_money()
    cost_km: Decimal | None = maybe_money()
    most_metres: int | None = None
    most_stops: int | None = None
    reload_depots: list[str] = later_json(list)
    """Ids of depots where it may fill up again; empty: it goes out once."""
    reload_seconds: int = later(600)
    most_reloads: int = later(1)
    stacked: bool = later(False)
    """What is loaded last is handed over first: goods are reached from the back only."""
    active: bool = later(True)


class DriverRow(SQLModel, table=True):
    """Someone who delivers; `colour` marks the driver's routes on every map."""

    __tablename__ = "driver"
    __table_args__ = (Index("ix_driver_tracker", "tracker", unique=True),)
    id: str = key("drv")
    name: str
    phone: str = ""
    depot: str = Field(foreign_key="depot.id", index=True)
    vehicle: str = Field(foreign_key="vehicle.id")
    colour: str = "#1f6feb"
    active: bool = True
    tracker: str | None = None
    """Id of the device that says where the driver is, besides the phone; no two share one."""
    skills: list[str] = later_json(list)
    """Beyond those of the vehicle."""
    start_place: str = later("")
    """Where the day begins: empty for the depot, `home`, or another depot's id."""
    end_place: str = later("")
    home_address: str = later("")
    home_lat: float | None = None
    home_lon: float | None = None
    overtime_minutes: int = later(0)
    overtime_hour: Decimal | None = maybe_money()
    """Price of an hour of it, on top of the vehicle's hour."""


class ShiftRow(SQLModel, table=True):
    """A driver's working time on one weekday (0 = Monday), HH:MM in the depot's zone."""

    __tablename__ = "shift"
    __table_args__ = (UniqueConstraint("driver", "weekday"),)
    id: str = key("shf")
    driver: str = Field(foreign_key="driver.id")
    weekday: int = Field(ge=0, le=6)
    starts: str = "08:00"
    ends: str = "17:00"
    breaks: list[dict[str, Any]] = later_json(list)
    """`{"start": HH:MM, "end": HH:MM, "minutes": n}`, taken within that time, in order."""


class PlaceRow(SQLModel, table=True):
    """A door: where an address really is, found by a geocoder or set by hand."""

    __tablename__ = "place"
    id: str = key("plc")
    address_key: str = Field(unique=True)
    """The address in lower case without punctuation (see hub.fleet.places)."""
    lat: float
    lon: float
    confidence: float = 1.0
    source: str = ""
    """`pin` for a dispatcher's click, else the name of the geocoder."""
    updated_at: datetime = instant()
