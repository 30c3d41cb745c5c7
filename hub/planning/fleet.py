"""Who can drive on a day, as an engine is asked: driver and vehicle, hours, rules and costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import cast

from sqlmodel import col, or_, select

from hub.fleet.abilities import HOME
from hub.fleet.breaks import Due, breaks_on
from hub.fleet.measures import Measures, measures
from hub.nouns import Break, Costs, ProblemVehicle, Reloads, Window
from hub.nouns.ways import Profile
from hub.planning.visits import Point, seconds_since
from hub.store import DepotRow, DriverRow, Session, VehicleRow

SCALE = 1_000_000
"""Units of a problem's costs in one of the operator's currency."""
HOUR, KM = Decimal(36), Decimal("0.10")
"""What an hour and a kilometre cost where nobody says it."""
UNLIMITED = 10**12
"""Capacity in a measure that a vehicle says nothing about."""


@dataclass(frozen=True)
class Terms:
    """In what a problem counts: the same for all its stops and vehicles."""

    measures: Measures
    priced: bool
    """Whether any vehicle or driver has a price: then costs are millionths of the currency."""

    @property
    def names(self) -> tuple[str, ...]:
        """The measures of load, in the problem's order."""
        return self.measures.names

    def money(self, cost: int) -> Decimal | None:
        """Return a problem's costs in the currency, None where nobody knows prices."""
        return (Decimal(cost) / SCALE).quantize(Decimal("0.01")) if self.priced else None


def read_terms(session: Session) -> Terms:
    """Return in what the operator's problems count."""
    prices = (VehicleRow.cost_fixed, VehicleRow.cost_hour, VehicleRow.cost_km)
    known = select(VehicleRow.id).where(or_(*(col(price).is_not(None) for price in prices)))
    late = select(DriverRow.id).where(col(DriverRow.overtime_hour).is_not(None))
    priced = any(session.exec(query.limit(1)).first() is not None for query in (known, late))
    return Terms(measures(session), priced)


def able(
    driver: DriverRow,
    vehicle: VehicleRow,
    shift: Window,
    places: dict[Point, int],
    depots: Mapping[str, DepotRow],
    terms: Terms,
    breaks: Sequence[Break] = (),
) -> ProblemVehicle:
    """Return a driver with a vehicle as an engine is asked; new places get the next numbers.

    `id` is the driver's; `depots` are all of the operator's, by id.
    """
    return ProblemVehicle(
        id=driver.id,
        start=places.setdefault(place_of(driver, driver.start_place, depots), len(places)),
        end=places.setdefault(place_of(driver, driver.end_place, depots), len(places)),
        capacity=capacity(vehicle, terms.names),
        shift=shift,
        overtime=driver.overtime_minutes * 60,
        breaks=tuple(breaks),
        skills=frozenset([*vehicle.skills, *driver.skills]),
        profile=cast(Profile, vehicle.profile),
        costs=costs(driver, vehicle, terms),
        most_metres=vehicle.most_metres,
        most_stops=vehicle.most_stops,
        reloads=reloads(vehicle, places, depots),
        stacked=vehicle.stacked,
    )


def place_of(driver: DriverRow, wanted: str, depots: Mapping[str, DepotRow]) -> Point:
    """Return where a driver's day begins or ends: at the depot where nothing else is known."""
    if wanted == HOME and driver.home_lat is not None and driver.home_lon is not None:
        return driver.home_lat, driver.home_lon
    depot = depots.get(wanted, depots[driver.depot])
    return depot.lat, depot.lon


def capacity(vehicle: VehicleRow, names: Sequence[str]) -> tuple[int, ...]:
    """Return what a vehicle carries in each measure; those at the end without a limit are left."""
    limits = [vehicle.capacities.get(name) for name in names[1:]]
    while limits and limits[-1] is None:
        limits.pop()
    return (vehicle.capacity, *(UNLIMITED if limit is None else limit for limit in limits))


def costs(driver: DriverRow, vehicle: VehicleRow, terms: Terms) -> Costs:
    """Return what a driver with a vehicle costs, in the problem's one scale."""
    if not terms.priced:
        return Costs()
    hour = HOUR if vehicle.cost_hour is None else vehicle.cost_hour
    km = KM if vehicle.cost_km is None else vehicle.cost_km
    late = hour if driver.overtime_hour is None else driver.overtime_hour
    return Costs(
        fixed=round((vehicle.cost_fixed or 0) * SCALE),
        per_second=round(hour * SCALE / 3600),
        per_metre=round(km * SCALE / 1000),
        per_overtime_second=round(late * SCALE / 3600),
    )


def reloads(
    vehicle: VehicleRow, places: dict[Point, int], depots: Mapping[str, DepotRow]
) -> Reloads | None:
    """Return where a vehicle may fill up again; depots that are gone or off are left out."""
    there = [depots[id] for id in vehicle.reload_depots if id in depots and depots[id].active]
    if not there:
        return None
    points = [places.setdefault((one.lat, one.lon), len(places)) for one in there]
    return Reloads(
        points=tuple(dict.fromkeys(points)),
        seconds=vehicle.reload_seconds,
        most=vehicle.most_reloads,
    )


def rests(session: Session, driver: DriverRow, day: date, zero: datetime) -> tuple[Break, ...]:
    """Return the breaks of a driver's day in seconds from `zero`."""
    return as_breaks(breaks_on(session, driver, day), zero)


def as_breaks(due: Iterable[Due], zero: datetime) -> tuple[Break, ...]:
    """Return breaks in seconds from `zero`."""
    return tuple(
        Break(window=(seconds_since(zero, opens), seconds_since(zero, closes)), seconds=seconds)
        for opens, closes, seconds in due
    )


def all_depots(session: Session) -> dict[str, DepotRow]:
    """Return the operator's depots by id."""
    return {row.id: row for row in session.exec(select(DepotRow))}
