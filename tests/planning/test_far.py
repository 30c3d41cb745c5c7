"""A pin far off does not spoil the day of all the others."""

from __future__ import annotations

from hub.testing.town import Town


def test_a_pin_on_another_continent_is_left_out_and_the_rest_is_planned(town: Town) -> None:
    town.stops(5)
    far = town.stop(-77.171, -60.7509)
    row = town.plan(1)
    assert (row.state, row.engine) == ("done", "pyvrp")
    assert [(left["stop"], left["rule"]) for left in row.unserved] == [(far, "unreachable")]
    assert "there is no way to its place" in row.unserved[0]["reason"]
