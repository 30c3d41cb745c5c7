"""What there is to plan on one depot's day: its open stops and the drivers who have time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from hub.errors import Refused
from hub.fleet.measures import Measures
from hub.fleet.shifts import shift_on
from hub.nouns import Matrix, Problem, ProblemStop, ProblemVehicle, Shipment, Unserved
from hub.nouns.plans import Wall
from hub.nouns.ways import Profile
from hub.planning.fleet import Terms, able, all_depots, read_terms, rests
from hub.planning.visits import FIRST as FIRST
from hub.planning.visits import LAST as LAST
from hub.planning.visits import Point as Point
from hub.planning.visits import asked as asked
from hub.planning.visits import seconds_since as seconds_since
from hub.planning.visits import shipments, somewhere
from hub.store import DepotRow, DriverRow, PlanRow, RouteRow, Session, StopRow, VehicleRow

LARGEST = 5000
"""Stops in one plan; a matrix of that many places takes 200 MB."""
TAKEN = ("ready", "loaded", "in_progress")
DAY, QUARTER = 86_400, 900
"""Seconds; clocks change on a quarter of an hour."""
NOWHERE = "its place lies nowhere on the map; set the pin of its order"


@dataclass(frozen=True)
class Day:
    """One depot's day in the numbers of a problem, still without travel times."""

    depot: str
    date: date
    zero: datetime
    """Local midnight, from which all seconds count."""
    points: tuple[Point, ...]
    """Depot first; then every place once."""
    stops: tuple[ProblemStop, ...]
    vehicles: tuple[ProblemVehicle, ...]
    """One per driver: `id` is the driver's."""
    shipments: tuple[Shipment, ...] = ()
    terms: Terms = field(default_factory=lambda: Terms(Measures(), priced=False))
    depots: Mapping[int, str] = field(default_factory=dict)
    """Ids of depots by their point, where vehicles may reload."""
    warm: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Driver -> stops in the order of the draft that the search begins with."""
    left: tuple[Unserved, ...] = ()
    """Stops that no engine is asked for, and why."""
    wall: Wall = ()

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """What drives, each once; that of most vehicles first, a van where nobody drives."""
        used = [vehicle.profile for vehicle in self.vehicles]
        return tuple(sorted(set(used), key=lambda one: (-used.count(one), one))) or ("van",)

    @property
    def shipment_of(self) -> dict[str, Shipment]:
        """The goods that go from stop to stop, by both stops."""
        return {id: one for one in self.shipments for id in (one.pickup, one.delivery)}

    @property
    def departs(self) -> datetime:
        """When the first driver leaves."""
        return self.at(min((vehicle.shift[0] for vehicle in self.vehicles), default=0))

    def problem(
        self,
        matrix: Matrix,
        seconds: float,
        seed: int = 1,
        profiles: Mapping[Profile, Matrix] | None = None,
    ) -> Problem:
        """Return the problem for an engine.

        `matrix` holds the travel times of the first of `self.profiles`, `profiles` those of others.
        """
        return Problem(
            stops=level(self.stops),
            vehicles=self.vehicles,
            matrix=matrix,
            profiles=dict(profiles or {}),
            shipments=self.shipments,
            balance=self.terms.measures.balance,
            warm=dict(self.warm),
            seconds=seconds,
            seed=seed,
            wall=self.wall,
        )

    def at(self, second: int) -> datetime:
        """Return a second of the day as an instant."""
        return self.zero + timedelta(seconds=second)


def level(stops: Sequence[ProblemStop]) -> tuple[ProblemStop, ...]:
    """Return stops without their priority where it is the same for all: nothing hangs on it."""
    if len({stop.priority for stop in stops}) > 1:
        return tuple(stops)
    return tuple(stop.model_copy(update={"priority": 0}) for stop in stops)


def approximate(problem: Problem) -> bool:
    """Say whether the travel times of any vehicle are straight lines made longer."""
    used = [problem.matrix_of(vehicle) for vehicle in problem.vehicles]
    return any(matrix.approximate for matrix in used or [problem.matrix])


def midnight(day: date, timezone: str) -> datetime:
    """Return the instant from which a day's seconds count, in UTC: noon less twelve hours.

    That is midnight, but for days on which the clocks change at night: from then on the seconds
    read as the clock on the wall all day.
    """
    noon = datetime.combine(day, time(12), ZoneInfo(timezone))
    return noon.astimezone(UTC) - timedelta(hours=12)


def wall(day: date, timezone: str) -> Wall:
    """Return where a day's seconds, and those of the night after it, are not the wall's clock."""
    zone, zero = ZoneInfo(timezone), midnight(day, timezone)

    def ahead(second: int) -> int:
        told = (zero + timedelta(seconds=second)).astimezone(zone).replace(tzinfo=UTC)
        return int((told - datetime.combine(day, time(), UTC)).total_seconds()) - second

    first, last = -DAY // 2, 3 * DAY
    if ahead(first) == ahead(last) == 0:
        return ()
    found = [(first, ahead(first))]
    for second in range(first, last, QUARTER):
        if ahead(second) != found[-1][1]:
            found.append((second, ahead(second)))
    return tuple(found)


def survey(session: Session, depot: DepotRow, day: date, improve: bool = False) -> Day:
    """Return all that can be planned: stops without a route or in a draft, drivers without one.

    With `improve` the drafts are where the search begins. Raises `Refused` for more stops than one
    plan takes; a stop that cannot be asked for is left out with the reason.
    """
    zero = midnight(day, depot.timezone)
    terms, depots = read_terms(session), all_depots(session)
    check_size(session, depot, day)
    rows = open_stops(session, depot.id, day)
    lost = [Unserved(stop=row.id, reason=NOWHERE) for row in rows if not somewhere(row)]
    found, alone = shipments((row for row in rows if somewhere(row)), terms.names)
    left = {one.stop: one for one in (*lost, *alone)}
    rows = [row for row in rows if row.id not in left]
    places: dict[Point, int] = {(depot.lat, depot.lon): 0}
    stops = tuple(asked(row, places, zero, terms.names) for row in rows)
    vehicles = tuple(available(session, depot, day, zero, places, depots, terms))
    at = {(one.lat, one.lon): one.id for one in depots.values()}
    return Day(
        depot=depot.id,
        date=day,
        zero=zero,
        points=tuple(places),
        stops=stops,
        vehicles=vehicles,
        shipments=tuple(found),
        terms=terms,
        depots={number: at[place] for place, number in places.items() if place in at},
        warm=before(session, depot, day, rows, vehicles) if improve else {},
        left=tuple(left.values()),
        wall=wall(day, depot.timezone),
    )


def check_size(session: Session, depot: DepotRow, day: date) -> None:
    """Raise `Refused` for more stops than one plan takes, before any of them is read."""
    count = session.exec(select(func.count()).select_from(waiting(depot.id, day).subquery())).one()
    if count > LARGEST:
        raise Refused(
            f"{depot.name} has {count:,} open stops on {day}; one plan takes at most {LARGEST:,}. "
            f"Give some of them to another depot or day",
            "service_date",
        )


def waiting(depot: str, day: date) -> SelectOfScalar[StopRow]:
    """Return the select of a depot's stops of a day that no published route has."""
    return select(StopRow).where(
        StopRow.depot == depot,
        StopRow.service_date == day,
        col(StopRow.state).in_(["unassigned", "planned"]),
    )


def open_stops(session: Session, depot: str, day: date) -> list[StopRow]:
    """Return the stops of a depot's day that no published route has, oldest first."""
    return list(session.exec(waiting(depot, day).order_by(StopRow.id)))


def before(
    session: Session,
    depot: DepotRow,
    day: date,
    rows: Sequence[StopRow],
    vehicles: Sequence[ProblemVehicle],
) -> dict[str, tuple[str, ...]]:
    """Return the routes that there are, stops by driver in their order; of those who have time.

    They are the drafts, or what the last plan came to where its drafts are gone or were being
    replaced when something broke off.
    """
    routes = {row.route for row in rows if row.state == "planned" and row.route is not None}
    query = select(RouteRow, PlanRow.state).join(
        PlanRow, col(PlanRow.id) == col(RouteRow.plan), isouter=True
    )
    drafts = session.exec(
        query.where(col(RouteRow.id).in_(routes), RouteRow.state == "draft")
    ).all()
    if drafts and all(state in ("done", None) for _, state in drafts):
        found = drafted(rows, {route.id: route.driver for route, _ in drafts})
    else:
        found = planned_last(session, depot, day)
    free, open = {vehicle.id for vehicle in vehicles}, {row.id for row in rows}
    return {
        driver: tuple(stop for stop in stops if stop in open)
        for driver, stops in found.items()
        if driver in free
    }


def drafted(rows: Sequence[StopRow], drivers: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the stops of drafts, whose drivers are given, in their order, by driver."""
    found: dict[str, list[str]] = {}
    for row in sorted(rows, key=lambda row: row.position or 0):
        if row.route is not None and row.route in drivers:
            found.setdefault(drivers[row.route], []).append(row.id)
    return found


def planned_last(session: Session, depot: DepotRow, day: date) -> dict[str, list[str]]:
    """Return what the last plan of a depot's day came to, stops by driver."""
    query = select(PlanRow).where(
        PlanRow.depot == depot.id, PlanRow.service_date == day, PlanRow.state == "done"
    )
    row = session.exec(query.order_by(col(PlanRow.id).desc()).limit(1)).first()
    return dict(row.outcome.get("routes", {})) if row is not None and row.outcome else {}


def available(
    session: Session,
    depot: DepotRow,
    day: date,
    zero: datetime,
    places: dict[Point, int],
    depots: Mapping[str, DepotRow],
    terms: Terms,
) -> list[ProblemVehicle]:
    """Return the depot's drivers with shift time left who have no published route that day."""
    query = (
        select(DriverRow, VehicleRow)
        .join(VehicleRow, col(VehicleRow.id) == col(DriverRow.vehicle))
        .where(
            DriverRow.depot == depot.id,
            col(DriverRow.active).is_(True),
            col(VehicleRow.active).is_(True),
            col(DriverRow.id).not_in(
                select(RouteRow.driver).where(
                    RouteRow.service_date == day, col(RouteRow.state).in_(TAKEN)
                )
            ),
        )
        .order_by(DriverRow.id)
    )
    pairs = session.exec(query).all()
    found = (at_work(session, *pair, day, zero, places, depots, terms) for pair in pairs)
    return [one for one in found if one is not None]


def at_work(
    session: Session,
    driver: DriverRow,
    vehicle: VehicleRow,
    day: date,
    zero: datetime,
    places: dict[Point, int],
    depots: Mapping[str, DepotRow],
    terms: Terms,
) -> ProblemVehicle | None:
    """Return a driver with a vehicle as an engine is asked; None without shift time left."""
    hours = shift_on(session, driver, day)
    if hours is None:
        return None
    starts, ends = (seconds_since(zero, at) for at in hours)
    starts = max(starts, seconds_since(zero, session.now))
    if starts >= ends:
        return None
    breaks = rests(session, driver, day, zero)
    return able(driver, vehicle, (starts, ends), places, depots, terms, breaks)
