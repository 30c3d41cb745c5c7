"""OSRM's maneuvers in our words."""

from __future__ import annotations

from typing import Any

import pytest

from hub.builtin.osrm.steps import joined, read_route, read_step
from hub.errors import Rejected
from hub.nouns import Maneuver


def step(type: str, modifier: str = "", exit: int | None = None, **more: Any) -> dict[str, Any]:
    turned: dict[str, Any] = {"type": type, "location": [9.5, 47.1]}
    if modifier:
        turned["modifier"] = modifier
    if exit:
        turned["exit"] = exit
    return {"maneuver": turned, "name": "", "distance": 10.4, "duration": 2.6, **more}


@pytest.mark.parametrize(
    ("told", "kind", "heading"),
    [
        (step("turn", "sharp left"), "turn", "sharp_left"),
        (step("turn", "uturn"), "turn", "back"),
        (step("new name", "straight"), "continue", "straight"),
        (step("end of road", "right"), "end_of_road", "right"),
        (step("on ramp", "slight right"), "on_ramp", "slight_right"),
        (step("rotary", "right"), "roundabout", "right"),
        (step("roundabout turn", "left"), "turn", "left"),
        (step("depart", "left"), "depart", ""),
        (step("arrive", "left"), "arrive", "left"),
        (step("something new", "left"), "turn", "left"),
        (step("notification", "", mode="ferry"), "ferry", ""),
    ],
)
def test_types_and_modifiers_become_kinds_and_headings(
    told: dict[str, Any], kind: str, heading: str
) -> None:
    found = read_step(told)
    assert (found.kind, found.heading) == (kind, heading)
    assert (found.metres, found.seconds, found.lat, found.lon) == (10, 3, 47.1, 9.5)


def test_a_road_without_a_name_is_called_by_its_number() -> None:
    assert read_step(step("turn", "left", ref="A13", destinations="Chur")).street == "A13"


def test_entering_and_leaving_a_roundabout_is_one_maneuver() -> None:
    enter = read_step(step("roundabout", "right", 2, name="Ring"))
    leave = read_step(step("exit roundabout", "right", 2, name="Road"))
    after = read_step(step("arrive", "left"))
    first, last = joined(iter([enter, leave, after]))
    assert first == enter.model_copy(update={"street": "Road", "metres": 20, "seconds": 6})
    assert first.exit == 2
    assert last.kind == "arrive"


def test_a_roundabout_where_the_trip_begins_is_only_left() -> None:
    leave = Maneuver(kind="exit_roundabout", exit=4, lat=47, lon=9)
    assert list(joined(iter([leave]))) == [leave]


@pytest.mark.parametrize("found", [{}, {"routes": []}, {"routes": [{"legs": [{"steps": None}]}]}])
def test_an_answer_without_a_route_is_rejected(found: dict[str, Any]) -> None:
    with pytest.raises(Rejected, match="without a usable route"):
        read_route(found)
