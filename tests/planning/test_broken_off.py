"""Plans that break off: the drafts of before are there again, and the plan says what happened."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import select

from hub.hub import Hub
from hub.nouns import Matrix
from hub.planning import plans
from hub.planning.drafts import Moved, put
from hub.store import PlanRow, System, VehicleRow
from hub.testing.town import Town


def seen(town: Town) -> list[tuple[Any, ...]]:
    """Return the routes with their stops and times."""
    return [
        (
            route.model_dump(),
            [(s.id, s.state, s.route, s.position, s.planned_at) for s in town.on(route.id)],
        )
        for route in town.routes()
    ]


def test_drafts_come_back_when_their_successors_cannot_be_stored(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.stops(20)
    town.plan()
    before = seen(town)

    def refused(session: Any, day: Any, route: str, visits: Any, first: int) -> None:
        if first > 1:  # some are stored by then
            raise Moved("a stop was changed meanwhile; plan again")
        put(session, day, route, visits, first)

    monkeypatch.setattr(plans, "put", refused)
    second = town.plan()
    assert (second.state, second.reason) == ("failed", "a stop was changed meanwhile; plan again")
    assert seen(town) == before


def test_of_drafts_that_come_back_only_free_stops_are_in_them(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, stays = town.stop(), town.stop(0.02)
    town.plan()

    def refused(*_: Any) -> None:
        town.change(gone, state="cancelled")
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(plans, "store_route", refused)
    with pytest.raises(ZeroDivisionError):
        town.plan()
    (route,) = town.routes()
    assert [stop.id for stop in town.on(route.id)] == [stays]
    assert (town.read(gone).state, town.read(gone).route) == ("cancelled", None)


def test_a_plan_made_at_once_that_breaks_off_has_failed(
    hub: Hub, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.stops(2)

    def broken(*_: Any, **named: Any) -> None:
        raise MemoryError("no memory")

    monkeypatch.setattr(plans, "solve", broken)
    with pytest.raises(MemoryError):
        town.plan()
    with hub.store.read(System()) as session:
        row = session.exec(select(PlanRow)).one()
    assert (row.state, row.reason) == ("failed", "planning broke off: MemoryError: no memory")
    assert len(town.events("plan.finished")) == 1


def test_a_plan_is_approximate_where_only_the_times_of_a_bike_are(
    hub: Hub, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.driver("Ana Biker")
    town.driver("Eva Third")
    with hub.store.write(System()) as session:
        named = select(VehicleRow).where(VehicleRow.name == "Van of Ana Biker")
        session.exec(named).one().profile = "bike"
    town.stops(4)
    real, rough = plans.tables, {"bike"}

    def tables(*given: Any) -> dict[str, Matrix]:
        return {
            kind: found.model_copy(update={"approximate": kind in rough})
            for kind, found in real(*given).items()
        }

    monkeypatch.setattr(plans, "tables", tables)
    assert town.plan().approximate
    rough.clear()
    assert not town.plan().approximate
