"""The five numbers of a day, against days small enough to count by hand."""

from datetime import date, datetime, timedelta

import pytest

from hub.hub import Hub
from hub.insights import kpis
from hub.store import (
    AttemptRow,
    EtaRow,
    Merchant,
    OrderRow,
    RouteRow,
    StopRow,
    System,
)
from hub.testing.fixtures import MORNING, World

DAY = date(2026, 11, 23)
WINDOW = (MORNING + timedelta(hours=1), MORNING + timedelta(hours=2))


class Day:
    """Writes a route with stops that were tried."""

    def __init__(self, hub: Hub, world: World) -> None:
        self.hub, self.world, self.count = hub, world, 0
        with hub.store.write(System()) as session:
            self.route = self.new_route(DAY)
            session.add(self.route)

    def new_route(self, day: date) -> RouteRow:
        return RouteRow(
            depot=self.world.depot,
            driver=self.world.driver,
            vehicle=self.world.vehicle,
            service_date=day,
            starts_at=MORNING,
            ends_at=MORNING,
            started_at=MORNING,
        )

    def stop(self, *tries: tuple[str, datetime], promised: bool = True) -> str:
        """Add a stop with `tries` of (outcome, arrival) and return its id."""
        self.count += 1
        with self.hub.store.write(System()) as session:
            order = OrderRow(
                merchant=self.world.merchant, source="csv", ref=str(self.count),
                service_date=DAY, received_at=MORNING, updated_at=MORNING,
            )  # fmt: skip
            session.add(order)
            session.flush()
            stop = StopRow(
                merchant=order.merchant, order=order.id, depot=self.world.depot,
                service_date=DAY, lat=47.1, lon=9.5, route=self.route.id, attempts=len(tries),
                promised_start=WINDOW[0] if promised else None,
                promised_end=WINDOW[1] if promised else None,
            )  # fmt: skip
            session.add(stop)
            session.flush()
            for number, (outcome, arrived) in enumerate(tries, 1):
                session.add(self.attempt(stop, number, outcome, arrived))
            return stop.id

    def attempt(self, stop: StopRow, number: int, outcome: str, arrived: datetime) -> AttemptRow:
        return AttemptRow(
            merchant=stop.merchant, stop=stop.id, number=number, route=self.route.id,
            driver=self.world.driver, outcome=outcome, arrived_at=arrived,
            occurred_at=arrived + timedelta(minutes=3), recorded_at=arrived,
        )  # fmt: skip

    def numbers(self) -> kpis.Numbers:
        with self.hub.store.read(System()) as session:
            return kpis.day(session, DAY, self.world.depot)


@pytest.fixture
def day(hub: Hub, world: World) -> Day:
    return Day(hub, world)


INSIDE = WINDOW[0] + timedelta(minutes=30)
EARLY = WINDOW[0] - timedelta(seconds=1)
LATE = WINDOW[1] + timedelta(seconds=1)


def test_on_time_is_arrival_inside_the_promised_window_of_those_that_have_one(day: Day) -> None:
    for tried in ("completed", INSIDE), ("partial", WINDOW[1]), ("completed", EARLY):
        day.stop(tried)
    day.stop(("completed", LATE))
    day.stop(("failed", INSIDE))
    day.stop(("completed", LATE), promised=False)
    found = day.numbers()
    assert (found.on_time.numerator, found.on_time.denominator) == (2, 5)
    assert (found.early, found.late, found.failed_windows) == (1, 1, 1)


def test_a_stop_counts_with_its_last_attempt_and_its_order_with_the_first(day: Day) -> None:
    day.stop(("failed", INSIDE), ("completed", INSIDE))
    day.stop(("partial", INSIDE))
    day.stop(("completed", INSIDE))
    found = day.numbers()
    assert (found.failed.numerator, found.failed.denominator) == (0, 3)
    assert (found.first_attempt.numerator, found.first_attempt.denominator) == (1, 3)
    assert (found.on_time.numerator, found.on_time.denominator) == (3, 3)


def test_stops_per_driver_counts_only_drivers_that_started(day: Day) -> None:
    day.stop(("completed", INSIDE))
    day.stop(("completed", INSIDE))
    with day.hub.store.write(System()) as session:
        idle = day.new_route(DAY)
        idle.started_at = None
        session.add(idle)
    found = day.numbers().stops_per_driver
    assert (found.numerator, found.denominator, found.value) == (2, 1, 2.0)


def test_the_eta_is_judged_as_it_stood_an_hour_before_arrival(day: Day) -> None:
    stop = day.stop(("completed", INSIDE))
    young = day.stop(("completed", INSIDE))
    with day.hub.store.write(System()) as session:
        for id, before, off in (stop, 120, 40), (stop, 61, 12), (stop, 59, 0), (young, 30, 0):
            session.add(
                EtaRow(
                    stop=id,
                    issued_at=INSIDE - timedelta(minutes=before),
                    eta_at=INSIDE + timedelta(minutes=off),
                    low=INSIDE,
                    high=INSIDE,
                )
            )
    found = day.numbers().eta_error
    assert (found.measured, found.median, found.p90) == (1, 12.0, 12.0)
    assert (found.within_10.numerator, found.within_10.denominator) == (0, 1)


def test_a_day_without_deliveries_has_no_values_instead_of_zeros(day: Day) -> None:
    found = day.numbers()
    assert found.on_time.value is None
    assert found.first_attempt.value is None
    assert found.eta_error.median is None
    assert found.stops_per_driver.value == 0


def test_a_merchant_gets_the_numbers_of_its_own_stops(day: Day) -> None:
    day.stop(("completed", INSIDE))
    with day.hub.store.read(Merchant("mer_other")) as session:
        other = kpis.day(session, DAY)
    with day.hub.store.read(Merchant(day.world.merchant)) as session:
        own = kpis.day(session, DAY)
    assert (other.failed.denominator, other.stops_per_driver.denominator) == (0, 0)
    assert (own.failed.denominator, own.stops_per_driver.denominator) == (1, 1)


@pytest.mark.parametrize(("share", "expected"), [(0.5, 2.0), (0.9, 4.0), (1.0, 4.0), (0.0, 1.0)])
def test_percentiles_are_nearest_rank(share: float, expected: float) -> None:
    assert kpis.percentile([1.0, 2.0, 3.0, 4.0], share) == expected
