"""Tables of the fleet: depots, vehicles, drivers, shifts and the places they deliver to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.store.columns import instant, key


class DepotRow(SQLModel, table=True):
    """Where routes begin and end; its zone is the one that times are shown in."""

    __tablename__ = "depot"
    id: str = key("dep")
    name: str = Field(unique=True)
    address: str = ""
    lat: float
    lon: float
    timezone: str = "Europe/Zurich"


class VehicleRow(SQLModel, table=True):
    """Something that carries `capacity` load units (a line's `load` times its quantity)."""

    __tablename__ = "vehicle"
    id: str = key("veh")
    name: str = Field(unique=True)
    capacity: int = 100


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


class ShiftRow(SQLModel, table=True):
    """A driver's working time on one weekday (0 = Monday), HH:MM in the depot's zone."""

    __tablename__ = "shift"
    __table_args__ = (UniqueConstraint("driver", "weekday"),)
    id: str = key("shf")
    driver: str = Field(foreign_key="driver.id")
    weekday: int = Field(ge=0, le=6)
    starts: str = "08:00"
    ends: str = "17:00"


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
