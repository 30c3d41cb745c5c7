"""Which engine plans, what happens when it does not, and when a search ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.connector import Connector
from hub.errors import PluginError, Refused, Unauthorized
from hub.hub import Hub
from hub.nouns import Break, Found, Matrix, Plan, Problem, ProblemStop
from hub.planning import solving
from hub.planning.check import faults
from hub.planning.limits import MOST_STOPS, budget
from hub.planning.solving import solve
from hub.store import ConnectionRow
from tests.planning.engines import (
    alive,
    crash,
    dies,
    each,
    engine,
    hangs,
    liar,
    nothing,
    plain,
    plugins,
    problem,
    ticking,
)

RESTS = (Break(window=(600, 1200), seconds=60),)
Engines = Callable[..., None]


@pytest.fixture
def engines(hub: Hub) -> Engines:
    """Return what makes engines the only ones, some of them with a connection."""

    def bring(*kinds: type[Connector[Any]], connected: str = "") -> None:
        hub.plugins = hub.connections.plugins = plugins(*kinds)
        if connected:
            with hub.store.write() as session:
                hub.connections.save(session, connected, {})

    return bring


def state(hub: Hub) -> tuple[str, str]:
    with hub.store.read() as session:
        (row,) = hub.connections.find(session, "routing_engines", None)
        return row.state, session.get_one(ConnectionRow, row.id).reason


def resting(**values: Any) -> Problem:
    asked = problem(**values)
    return asked.model_copy(update={"vehicles": each(asked, breaks=RESTS)})


def test_the_default_engine_plans_what_it_can_keep(hub: Hub, engines: Engines) -> None:
    engines(engine("ortools", plain, "breaks", title="OR-Tools"), engine("pyvrp", nothing))
    plan = solve(hub, problem())
    assert (plan.engine, plan.why) == ("nothing", "Pyvrp")


def test_another_one_plans_what_the_default_does_not_keep(hub: Hub, engines: Engines) -> None:
    engines(engine("ortools", nothing, "breaks", title="OR-Tools"), engine("pyvrp", plain))
    plan = solve(hub, resting())
    assert (plan.engine, plan.why) == ("nothing", "OR-Tools, because 2 drivers take breaks")


def test_breaks_put_in_afterwards_are_compared_where_there_is_time(
    hub: Hub, engines: Engines
) -> None:
    engines(engine("ortools", nothing, "breaks", title="OR-Tools"), engine("pyvrp", plain))
    plan = solve(hub, resting(seconds=60))
    assert plan.engine == "simple"
    assert plan.why == ("Pyvrp, with breaks put in afterwards; it leaves out less than OR-Tools")


def test_where_nobody_keeps_all_the_one_that_misses_least_plans(hub: Hub, engines: Engines) -> None:
    engines(engine("ortools", nothing, "breaks"), engine("pyvrp", plain))
    asked = resting(balance=1.1)
    plan = solve(hub, asked)
    assert plan.engine == "nothing"
    assert plan.why == "Ortools, which does not know a fair share of the work"


def test_what_an_engine_does_not_know_is_mended(hub: Hub, engines: Engines) -> None:
    def blind(asked: Problem) -> Plan:
        return plain(asked.model_copy(update={"stops": tuple(map(easy, asked.stops))}))

    def easy(stop: ProblemStop) -> ProblemStop:
        return stop.model_copy(update={"skills": frozenset()})

    engines(engine("pyvrp", blind))
    asked = problem()
    cold = asked.stops[0].model_copy(update={"skills": frozenset({"fridge"})})
    asked = asked.model_copy(update={"stops": (cold, *asked.stops[1:])})
    plan = solve(hub, asked)
    assert faults(asked, plan) == []
    assert [(left.stop, "fridge" in left.reason) for left in plan.unserved] == [("s1", True)]


def test_the_connected_engine_comes_first(hub: Hub, engines: Engines) -> None:
    engines(engine("pyvrp", plain), engine("own", nothing, title="Own"), connected="own")
    plan = solve(hub, problem())
    assert (plan.engine, plan.why) == ("nothing", "Own, because it is connected")


def test_an_engine_can_be_asked_by_name(hub: Hub, engines: Engines) -> None:
    engines(engine("pyvrp", plain), engine("vroom", nothing, title="VROOM"))
    assert solve(hub, problem(), engine="vroom").why == "VROOM, as asked"
    with pytest.raises(Refused, match="no engine vrom; there are: pyvrp, vroom"):
        solve(hub, problem(), engine="vrom")


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (crash, "Own failed: ZeroDivisionError: division by zero"),
        (liar, "Own: liar made a plan that is wrong: s1 is missing"),
        (dies, "Own: its process was ended (SIGKILL)"),
        (lambda _: "routes", "Own returned no Plan"),
    ],
)
def test_an_engine_that_breaks_is_passed_over_and_the_plan_says_so(
    hub: Hub, engines: Engines, broken: Any, said: str
) -> None:
    engines(engine("pyvrp", plain), engine("own", broken, title="Own"), connected="own")
    plan = solve(hub, problem(seconds=30))  # each is back at once, on a busy machine a bit later
    assert plan.engine == "simple"
    assert plan.why.startswith("Pyvrp; passed over: ")
    assert said in plan.why
    assert state(hub)[0] == "healthy"


def test_an_engine_whose_login_ended_is_passed_over_and_expires(hub: Hub, engines: Engines) -> None:
    def locked(asked: Problem) -> Plan:
        raise Unauthorized("the key is not known any more")

    engines(engine("pyvrp", plain), engine("own", locked), connected="own")
    assert solve(hub, problem(seconds=30)).engine == "simple"
    assert state(hub) == ("action_needed", "the key is not known any more")


def test_an_engine_that_hangs_is_ended_and_its_connection_marked(
    hub: Hub, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(solving, "LEAST_PATIENCE", 0.1)
    engines(engine("pyvrp", crash), engine("own", hangs, title="Own"), connected="own")
    asked = problem(seconds=0.3)
    plan = solve(hub, asked)
    assert faults(asked, plan) == []
    assert "a rough plan, because no engine came back in time" in plan.why
    assert "Own: it did not come back in time" in plan.why
    assert state(hub)[0] == "degraded"


def test_when_all_engines_break_each_says_why(hub: Hub, engines: Engines) -> None:
    engines(engine("pyvrp", crash, title="PyVRP"), engine("ortools", liar, title="OR-Tools"))
    with pytest.raises(PluginError, match=r"PyVRP failed: Zero.*; OR-Tools: liar made a plan"):
        solve(hub, problem(seconds=30))


def test_every_core_gets_a_seed_and_the_best_is_kept(
    hub: Hub, engines: Engines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(solving, "crew", lambda points: 3)

    def search(self: Any, asked: Problem, report: Any) -> Plan:
        (tmp_path / str(os.getpid())).write_text(str(asked.seed))
        return plain(asked) if asked.seed == 8 else nothing(asked)

    engines(engine("pyvrp", plain, search=search))
    plan = solve(hub, problem(stops=70, seconds=5, seed=7))
    assert plan.engine == "simple"
    made = {int(path.name): path.read_text() for path in tmp_path.iterdir() if path.name.isdigit()}
    assert sorted(made.values()) == ["7", "8", "9"]
    assert os.getpid() not in made
    assert list(alive(list(made))) == []


def test_one_seed_that_dies_does_no_harm(
    hub: Hub, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(solving, "crew", lambda points: 2)

    def search(self: Any, asked: Problem, report: Any) -> Plan:
        if asked.seed == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return plain(asked)

    engines(engine("pyvrp", plain, search=search))
    plan = solve(hub, problem(stops=70, seconds=5))
    assert (plan.engine, plan.why) == ("simple", "Pyvrp")


def test_a_small_day_is_planned_in_this_process(hub: Hub, engines: Engines) -> None:
    seen: list[int] = []

    def here(asked: Problem) -> Plan:
        seen.append(os.getpid())
        return plain(asked)

    engines(engine("pyvrp", here))
    solve(hub, problem(seconds=10))
    assert seen == [os.getpid()]


@pytest.mark.parametrize("stops", [6, 70])
def test_a_search_ends_when_whoever_watches_has_seen_enough(
    hub: Hub, engines: Engines, stops: int
) -> None:
    engines(engine("pyvrp", plain, search=lambda self, asked, report: ticking(asked, report)))
    heard: list[Found] = []

    def watch(found: Found) -> bool:
        heard.append(found)
        return len(heard) < 2

    plan = solve(hub, problem(stops=stops, seconds=3600), watch)
    assert plan.engine == "simple"
    assert {found.cost for found in heard} == {1000}


@pytest.mark.parametrize("stops", [6, 70])
def test_a_search_ends_by_itself_when_it_gains_nothing(
    hub: Hub, engines: Engines, stops: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(solving, "patience", lambda stops: 0.2)
    engines(engine("pyvrp", plain, search=lambda self, asked, report: ticking(asked, report)))
    assert solve(hub, problem(stops=stops, seconds=3600)).engine == "simple"


def asking(*stops: ProblemStop) -> Problem:
    return problem().model_copy(update={"stops": stops})


TABLE = [[0] * 3] * 3
SMALL = Matrix(seconds=TABLE, metres=TABLE)
HALF = Matrix(
    seconds=[[0 if a == b else 5 for b in range(7)] for a in range(7)],
    metres=[[0 if a == b else -1 for b in range(7)] for a in range(7)],
)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            asking(*(ProblemStop(id=f"s{n}", point=0) for n in range(100_000))),
            f"100000 stops are too many for one plan, which takes {MOST_STOPS}",
        ),
        (asking(ProblemStop(id="s", point=9)), "stop s is at point 9, and there are"),
        (asking(*(ProblemStop(id="s", point=1),) * 2), "stop s is there 2 times"),
        (problem(profiles={"van": SMALL}), "travel times of a van are not 7 x 7"),
        (problem(profiles={"van": HALF}), "from point 0 to 1 takes 5 seconds and -1 metres"),
    ],
)
def test_what_makes_no_sense_is_refused_before_an_engine_sees_it(
    hub: Hub, engines: Engines, asked: Problem, said: str
) -> None:
    engines(engine("pyvrp", crash))
    with pytest.raises(Refused, match=said):
        solve(hub, asked)


def test_no_vehicles_windows_in_the_past_and_lost_places_are_left_out_with_reasons(
    hub: Hub,
) -> None:
    empty = solve(hub, problem(vehicles=0))
    assert len(empty.unserved) == 6
    assert "no driver is free" in empty.unserved[0].reason
    past = tuple(stop.model_copy(update={"windows": ((-5000, -4000),)}) for stop in problem().stops)
    late = solve(hub, problem(stops=6).model_copy(update={"stops": past}))
    assert all("lies outside every shift" in left.reason for left in late.unserved)
    cells = [[0 if a == b else -1 for b in range(7)] for a in range(7)]
    lost = solve(hub, problem(matrix=Matrix(seconds=cells, metres=cells)))
    assert all("no way" in left.reason for left in lost.unserved)
    assert len(lost.unserved) == 6


WARM = {"v0": ("s1", "s2", "s3", "s4", "s5", "s6")}


@pytest.mark.parametrize("broken", [nothing, hangs])
def test_routes_to_begin_with_are_kept_where_an_engine_has_only_worse_ones(
    hub: Hub, engines: Engines, broken: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if broken is hangs:
        monkeypatch.setattr(solving, "LEAST_PATIENCE", 0.1)
    engines(engine("own", broken, title="Own"), connected="own")
    asked = problem(seconds=0.3, warm=WARM)
    plan = solve(hub, asked)
    assert faults(asked, plan) == []
    assert [[visit.stop for visit in route.visits] for route in plan.routes] == [[*WARM["v0"]]]
    said = "Own, because it is connected" if broken is nothing else "a rough plan"
    assert plan.why.startswith("as before, which is better than: ") is (broken is nothing)
    assert said in plan.why


def test_a_better_plan_replaces_the_routes_to_begin_with(hub: Hub, engines: Engines) -> None:
    engines(engine("pyvrp", plain))
    plan = solve(hub, problem(warm={"v0": ("s6", "s1", "s5"), "v1": ("s2", "s4", "s3")}))
    assert plan.why == "Pyvrp"
    assert len(plan.routes) == 1


def test_large_days_get_more_time() -> None:
    assert [budget(100), budget(100, harder=True), budget(2000)] == [10, 30, 60]


@pytest.mark.parametrize("named", ["pyvrp", "ortools", ""])
def test_what_whoever_listens_raises_is_no_fault_of_an_engine(hub: Hub, named: str) -> None:
    told = []

    def busy(found: Found) -> bool:
        told.append(found)
        raise ConnectionError("the database is busy")

    with pytest.raises(ConnectionError, match="the database is busy"):
        solve(hub, problem(stops=40, seconds=3.0), busy, engine=named)
    assert len(told) == 1


@pytest.mark.parametrize(("stops", "seconds", "searches"), [(61, 2.0, 2), (61, 1.9, 1), (60, 9, 1)])
def test_every_core_searches_from_sixty_stops_and_two_seconds_on(
    hub: Hub,
    engines: Engines,
    monkeypatch: pytest.MonkeyPatch,
    stops: int,
    seconds: float,
    searches: int,
) -> None:
    engines(engine("pyvrp", plain, search=lambda self, problem, report: plain(problem)))
    monkeypatch.setattr(solving, "crew", lambda points: 2)
    real, seen = solving.run, list[int]()

    def run(asked: Problem, batch: Any, *given: Any) -> Any:
        seen.append(len(batch))
        return real(asked, batch, *given)

    monkeypatch.setattr(solving, "run", run)
    solve(hub, problem(stops=stops, seconds=seconds))
    assert seen == [searches]
