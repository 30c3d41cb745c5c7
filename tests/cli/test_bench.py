"""`hub bench routing` reads known instances, measures engines and tells who is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hub.cli import cli, measuring
from hub.cli.instances import instance
from hub.errors import Refused
from hub.nouns import Found, Plan, PlannedRoute, Problem
from tests.needs import shared, shared_folder

OWN = Path(__file__).resolve().parents[2] / "bench" / "instances"
SOLOMON = """\
C-TINY

VEHICLE
NUMBER     CAPACITY
  3         10

CUSTOMER
CUST NO.  XCOORD.  YCOORD.  DEMAND  READY TIME  DUE DATE  SERVICE TIME

    0      0     0     0     0   100    0
    1      3     4     5    10    20    7
    2      6     8     5     0    50    7
"""
TABLE = """\
NAME : tiny
TYPE : CVRP
DIMENSION : 3
CAPACITY : 10
EDGE_WEIGHT_TYPE : EXPLICIT
EDGE_WEIGHT_FORMAT : {form}
EDGE_WEIGHT_SECTION
{cells}
DEMAND_SECTION
1 0
2 4
3 5
DEPOT_SECTION
1
-1
EOF
"""
WHOLE = TABLE.format(form="FULL_MATRIX", cells="0 1 2\n1 0 3\n2 3 0")


def bench(*words: str) -> Result:
    return CliRunner().invoke(cli, ["bench", "routing", *words], catch_exceptions=False)


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["village-20", "village-20-windows"])
def test_engines_reach_what_is_proven_to_be_best(name: str) -> None:
    result = bench(
        str(OWN / f"{name}.vrp"), "--engines", "auto,pyvrp-plain", "--seconds", "1", "--json"
    )
    assert result.exit_code == 0
    told = lines(result)
    assert [one["engine"] for one in told] == ["pyvrp", "pyvrp-plain"]
    for one in told:
        assert (one["instance"], one["valid"], one["left_out"]) == (name, True, 0)
        assert one["cost"] == one["best_known"]
        assert one["gap_pct"] == 0
        assert one["cpu_seconds"] > 0


def test_people_get_a_table_with_the_mean_of_each_engine() -> None:
    result = bench(str(OWN), "--seconds", "0.5", "--seed", "1", "--seed", "2")
    assert result.output.count("village-20-windows pyvrp") == 2
    assert "auto         mean gap 0.00 % of 4" in result.output


def test_a_plan_that_the_checker_refuses_makes_the_exit_code_1(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def liar(problem: Problem, report: Any) -> Plan:
        report(Found(cost=1))
        route = PlannedRoute(vehicle="x", visits=(), starts=0, ends=0)
        return Plan(engine="liar", why="0", routes=(route,))

    monkeypatch.setitem(measuring.BASELINES, "liar", liar)
    result = bench(str(OWN / "village-20.vrp"), "--engines", "liar", "--json")
    assert result.exit_code == 1
    (told,) = lines(result)
    assert (told["valid"], told["cost"], told["gap_pct"]) == (False, None, None)
    assert "is missing" in told["fault"]


@pytest.mark.parametrize("seed", ["-1", "99999999999"])
def test_a_seed_that_no_engine_takes_is_refused_before_it_runs(seed: str) -> None:
    result = bench(str(OWN / "village-20.vrp"), "--seed", seed)
    assert result.exit_code == 2
    assert "is not in the range 0<=x<=2147483647" in result.output


def test_an_engine_that_breaks_is_wrong_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def crash(problem: Problem, report: Any) -> Plan:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setitem(measuring.BASELINES, "crash", crash)
    words = ("--engines", "crash,auto", "--seconds", "0.3", "--json", "--jobs", "2")
    told = lines(bench(str(OWN / "village-20.vrp"), *words))
    assert [(one["valid"], one.get("fault")) for one in told] == [
        (False, "division by zero"),
        (True, None),
    ]


def test_an_unknown_engine_is_refused_with_those_there_are() -> None:
    with pytest.raises(Refused, match=r"no engine magic; there are: auto, .*pyvrp-plain"):
        bench(str(OWN), "--engines", "magic")


def test_solomons_form_is_read_in_tenths(tmp_path: Path) -> None:
    task = instance(written(tmp_path, "C-TINY.txt", SOLOMON))
    first, second = task.problem.stops
    assert (first.windows, first.service, first.deliver) == (((100, 200),), 70, (5,))
    assert task.problem.matrix.metres.lists() == [[0, 50, 100], [50, 0, 50], [100, 50, 0]]
    assert len(task.problem.vehicles) == 3
    assert task.problem.vehicles[0].shift == (0, 1000)
    assert (task.scale, second.point) == (10, 2)


@pytest.mark.parametrize(
    ("form", "cells"),
    [
        ("FULL_MATRIX", "0 1 2\n1 0 3\n2 3 0"),
        ("LOWER_ROW", "1\n2 3"),
        ("LOWER_DIAG_ROW", "0\n1 0\n2 3 0"),
        ("UPPER_ROW", "1 2\n3"),
        ("UPPER_COL", "1\n2 3"),
        ("LOWER_COL", "1 2\n3"),
        ("UPPER_DIAG_ROW", "0 1 2 0 3 0"),
    ],
)
def test_distances_are_read_in_every_form(tmp_path: Path, form: str, cells: str) -> None:
    path = written(tmp_path, "tiny.vrp", TABLE.format(form=form, cells=cells))
    task = instance(path)
    assert task.problem.matrix.seconds.lists() == [[0, 1, 2], [1, 0, 3], [2, 3, 0]]


def test_the_best_known_cost_comes_from_the_option_the_sol_or_a_table(tmp_path: Path) -> None:
    path = written(tmp_path, "C-TINY.txt", SOLOMON)
    assert instance(path).best is None
    written(tmp_path, "bks.csv", "C-TINY,21.0\n")
    assert instance(path).best == 210
    for told in ("20", "20.0", "200"):
        written(tmp_path, "C-TINY.sol", f"Route #1: 1 2\nCost {told}\n")
        assert instance(path).best == 200
    assert instance(path, best=19.5).best == 195


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello", "neither a VRPLIB nor a Solomon file"),
        (SOLOMON.replace("      3     4", "    nan     4"), "a coordinate that is no number"),
        ("DIMENSION : 2\nnonsense", "line 2: 'nonsense' belongs to nothing"),
        ("DIMENSION : 2\nNODE_COORD_SECTION\n1 a b", "line 3: '1 a b' is no numbers"),
        ("DIMENSION : 2\nNODE_COORD_SECTION\n1 0 0", "says it has 2 nodes and names 1"),
        (WHOLE.replace("CAPACITY : 10\n", ""), "says nothing of capacities"),
        (WHOLE.replace("0 1 2", "1 2"), "has 8 distances and needs 9"),
        (WHOLE.replace("EOF", "PRIZE_SECTION\n1 2"), "has a PRIZE_SECTION"),
        (WHOLE.replace("EOF", "MOOD_SECTION\n1 2"), "has a MOOD_SECTION"),
        (WHOLE.replace("TYPE : CVRP", "DISTANCE : 200"), "has a DISTANCE"),
        (WHOLE.replace("TYPE : EXPLICIT", "TYPE : GEO"), "of the sort GEO are not known"),
        (WHOLE.replace("DIMENSION : 3", "DIMENSION : six"), "DIMENSION is 'six'"),
        (WHOLE.replace("CAPACITY : 10", "CAPACITY : ten"), "CAPACITY is 'ten'"),
        (WHOLE.replace("3 5\nDEPOT", "DEPOT"), "DEMAND_SECTION says nothing of node 3"),
        (WHOLE.replace("3 5\nDEPOT", "3 nan\nDEPOT"), "DEMAND_SECTION of node 3 is no number"),
        (WHOLE.replace("3 5\nDEPOT", "3 -5\nDEPOT"), "DEMAND_SECTION of node 3 is negative"),
        (WHOLE.replace("3 5\nDEPOT", "3 1e30\nDEPOT"), "vehicles; a plan has 1 to 20,000"),
        (WHOLE.replace("SECTION\n1\n-1", "SECTION\n9\n-1"), "names node 9, and there are 3"),
    ],
)
def test_what_cannot_be_read_is_said_in_words(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        instance(written(tmp_path, "broken.vrp", text))


@shared("vrp")
@pytest.mark.parametrize(
    ("path", "stops", "best"),
    [
        ("solomon100/R101.vrp", 100, 1637.7),
        ("cvrp_x/X-n200-k36.vrp", 199, 58578),
        ("gh1000/R1_10_1.vrp", 1000, 53026.1),
        ("variants/HFVRP_X204-FSMD.vrp", 203, 1956178.574),
    ],
)
def test_published_sets_are_read_with_their_best_known_cost(
    path: str, stops: int, best: float
) -> None:
    folder = shared_folder("vrp")
    assert folder is not None
    task = instance(folder / path)
    assert len(task.problem.stops) == stops
    assert task.best is not None
    assert task.units(task.best) == best


def test_a_file_that_cannot_be_read_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    written(tmp_path, "a.vrp", "DIMENSION : 2\nnonsense")
    written(tmp_path, "b.vrp", WHOLE)
    result = bench(str(tmp_path), "--engines", "pyvrp", "--seconds", "0.1", "--json")
    assert [line["instance"] for line in lines(result)] == ["b"]
    assert "a.vrp, line 2: 'nonsense' belongs to nothing" in result.stderr
    assert result.exit_code == 1


def test_where_every_file_is_refused_there_is_no_summary(tmp_path: Path) -> None:
    empty, none = written(tmp_path, "empty.vrp", " \n"), tmp_path / "none"
    none.mkdir()
    result = bench(str(empty), str(none), "--engines", "pyvrp", "--seconds", "0.1")
    assert (result.stdout, result.exit_code) == ("", 1)
    assert result.stderr.splitlines() == [
        "hub: empty.vrp is empty",
        f"hub: there is no .vrp or .txt file in {none}",
        "hub: 2 of 2 files refused: empty.vrp, none; nothing was measured",
    ]


def test_what_was_refused_is_said_again_below_the_table(tmp_path: Path) -> None:
    paths = [str(written(tmp_path, "a.vrp", "")), str(written(tmp_path, "b.vrp", WHOLE))]
    result = bench(*paths, "--engines", "pyvrp", "--seconds", "0.1")
    assert "1 of 1: b by pyvrp" in result.stderr
    assert result.stderr.endswith("hub: 1 of 2 files refused: a.vrp\n")
    assert "of 1, behind" in result.stdout or "no gaps known, behind" in result.stdout


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf"])
def test_a_time_in_which_nothing_can_be_searched_is_refused(tmp_path: Path, seconds: str) -> None:
    path = written(tmp_path, "b.vrp", WHOLE)
    with pytest.raises(Refused, match="have to be more than 0"):
        bench(str(path), "--seconds", seconds)


@pytest.mark.parametrize("best", ["0", "-5", "nan"])
def test_a_best_known_cost_that_is_none_is_refused(tmp_path: Path, best: str) -> None:
    path = written(tmp_path, "b.vrp", WHOLE)
    with pytest.raises(Refused, match="--best-known is the cost of one file"):
        bench(str(path), "--best-known", best)


def test_nodes_are_known_by_their_numbers_and_not_by_their_lines(tmp_path: Path) -> None:
    nodes = "NODE_COORD_SECTION\n3 0 4\n1 0 0\n2 3 0"
    text = WHOLE.replace("EXPLICIT", "EUC_2D").replace("EDGE_WEIGHT_FORMAT : FULL_MATRIX\n", "")
    text = text.replace("EDGE_WEIGHT_SECTION\n0 1 2\n1 0 3\n2 3 0", nodes)
    task = instance(written(tmp_path, "mixed.vrp", text))
    assert task.problem.matrix.metres.lists() == [[0, 3, 4], [3, 0, 5], [4, 5, 0]]
