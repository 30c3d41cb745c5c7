"""The rules of a connection fill in what its source leaves out, and never change twice."""

from __future__ import annotations

from datetime import date

import pytest

from hub.nouns import Order, OrderLine
from hub.orders.mapping import Mapping
from hub.orders.resolve import digest

BARE = Order(ref="1", lines=(OrderLine(name="Box", quantity=2),))
RULES = Mapping(depot="Vaduz", kind="collection", service_time=600, load=3, prefix="Fresh goods.")


def test_what_the_source_leaves_out_is_filled_in() -> None:
    made = RULES.apply(BARE)
    assert (made.depot, made.kind, made.service_time) == ("Vaduz", "collection", 600)
    assert made.lines[0].load == 3
    assert made.notes == "Fresh goods."


def test_what_the_source_says_is_kept() -> None:
    lines = (OrderLine(name="Box", load=7),)
    said = Order(
        ref="1", depot="Buchs", kind="delivery", service_time=60, lines=lines, notes="Ring"
    )
    made = RULES.apply(said)
    assert (made.depot, made.kind, made.service_time) == ("Buchs", "delivery", 60)
    assert made.lines[0].load == 7
    assert made.notes == "Fresh goods. Ring"


def test_a_source_s_dates_are_left_out_where_they_mean_something_else() -> None:
    said = Order(ref="1", service_date=date(2026, 11, 1), window_start_local="08:00")
    made = Mapping(days="next").apply(said)
    assert (made.service_date, made.window, made.window_start_local) == (None, None, "")
    assert Mapping().apply(said) is said


@pytest.mark.parametrize("rules", [Mapping(), RULES, Mapping(days="next", lead=2)])
def test_the_same_order_is_the_same_news_each_time(rules: Mapping) -> None:
    assert digest(rules.apply(BARE)) == digest(rules.apply(BARE))
    assert digest(rules.apply(rules.apply(BARE))) == digest(rules.apply(BARE))
