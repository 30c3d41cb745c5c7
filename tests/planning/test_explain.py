"""What a plan means: timelines, late stops, and what changed."""

from __future__ import annotations

from hub.nouns import (
    Break,
    Matrix,
    Plan,
    Problem,
    ProblemStop,
    ProblemVehicle,
    Reloads,
    Shipment,
)
from hub.planning.explain import Move, compare, late, outcome, timeline
from hub.planning.rules import AtDepot, Item
from hub.planning.schedule import drive, planned
from hub.planning.settle import settle

CELLS = tuple(tuple(abs(a - b) * 100 for b in range(6)) for a in range(6))
LINE = Matrix(seconds=CELLS, metres=CELLS)
STOPS = (
    ProblemStop(id="a", point=1, service=50, deliver=(2,), windows=((500, 900),)),
    ProblemStop(id="b", point=2, service=50, deliver=(1,), collect=(4,)),
    ProblemStop(id="c", point=3, service=50, deliver=(3,)),
)


def van(id: str = "v", **changed: object) -> ProblemVehicle:
    made = ProblemVehicle(id=id, start=0, end=0, capacity=(20,), shift=(0, 5000))
    return made.model_copy(update=changed)


def day(*vehicles: ProblemVehicle) -> Problem:
    return Problem(stops=STOPS, vehicles=vehicles or (van(),), matrix=LINE)


def plan(problem: Problem, **orders: str) -> Plan:
    """Return the plan in which each vehicle visits the stops that a word spells."""
    routes = []
    for id, order in orders.items():
        items: list[Item] = [problem.stop_of[stop] for stop in order]
        vehicle = problem.vehicle_of[id]
        routes.append(planned(vehicle, drive(problem, vehicle, items)))
    return Plan(engine="test", routes=tuple(routes))


def test_a_timeline_tells_driving_slack_and_load() -> None:
    problem = day()
    line = timeline(problem, plan(problem, v="abc").routes[0])
    assert [moment.driving for moment in line.moments] == [100, 100, 100]
    assert [moment.loads for moment in line.moments] == [(4,), (7,), (4,)]
    assert (line.loads, line.driving, line.service) == ((6,), 600, 150)
    assert line.moments[0].slack == 900 - line.moments[0].begins
    assert line.moments[2].slack == 5000 - 300 - 50 - line.moments[2].begins
    assert line.loading == (("c", "b", "a"),)


def test_what_is_fetched_on_the_way_is_not_loaded_at_the_depot() -> None:
    stops = (
        ProblemStop(id="a", point=1, deliver=(1,)),
        ProblemStop(id="b", point=2, collect=(1,)),
        ProblemStop(id="p", point=2),
        ProblemStop(id="d", point=3),
        ProblemStop(id="e", point=3, deliver=(0,)),
        ProblemStop(id="f", point=1, deliver=(9,)),
    )
    vehicle = van(capacity=(9,), reloads=Reloads(points=(0,), seconds=0), shift=(0, 50_000))
    goods = (Shipment(pickup="p", delivery="d", load=(1,)),)
    problem = Problem(stops=stops, vehicles=(vehicle,), matrix=LINE, shipments=goods)
    items = [*stops[:5], AtDepot(0), stops[5]]
    line = timeline(problem, planned(vehicle, drive(problem, vehicle, items)))
    assert line.loading == (("e", "a"), ("f",))


def test_waiting_is_told_where_a_door_is_closed() -> None:
    vehicle = van(visited=1)
    problem = day(vehicle)
    line = timeline(problem, plan(problem, v="ab").routes[0])
    assert [moment.waiting for moment in line.moments] == [400, 0]
    assert line.waiting == 400


def test_slack_stops_where_a_break_would_come_too_late() -> None:
    vehicle = van(breaks=(Break(window=(700, 750), seconds=300),))
    loose = timeline(day(), plan(day(), v="cba").routes[0])
    tight = timeline(day(vehicle), plan(day(vehicle), v="cba").routes[0])
    assert [moment.slack for moment in loose.moments] == [300, 300, 300]
    assert [moment.slack for moment in tight.moments] == [100, 100, 100]


def test_a_late_stop_is_told_with_what_its_promise_would_have_to_be() -> None:
    vehicle = van(shift=(1000, 5000), visited=1)
    (found,) = late(day(vehicle), vehicle, [STOPS[0], STOPS[1]])
    assert (found.stop, found.seconds, found.rule) == ("a", 200, "window")
    assert [(one.edge, one.amount) for one in found.relaxations] == [("closes", 200)]
    assert late(day(), van(), [STOPS[0]]) == ()


def test_a_comparison_tells_who_moved_and_who_changed_places() -> None:
    problem = day(van(), van("w"))
    before, after = plan(problem, v="abc"), plan(problem, v="ba", w="c")
    change = compare(before, after, problem)
    assert change.moved == (Move(stop="c", before="v", after="w"),)
    assert len(change.reordered) == 1
    assert change.churn == round(2 / 3, 4)
    told = outcome(problem, after).metres - outcome(problem, before).metres
    assert change.metres == told
    fewer = compare(before, plan(problem, v="ab"), problem)
    assert (fewer.left_out, fewer.served, fewer.moved) == (("c",), (), ())


def test_the_same_plan_has_no_changes() -> None:
    problem = day()
    same = settle(problem, "test", {"v": list(STOPS)})
    change = compare(same, same, problem)
    assert (change.churn, change.cost, change.moved, change.reordered) == (0, 0, (), ())
