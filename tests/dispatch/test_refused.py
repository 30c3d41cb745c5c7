"""Why a stop fits into no published route: in the words that a plan has for it."""

from __future__ import annotations

import pytest

from hub.dispatch import insertion
from hub.errors import Refused
from hub.hub import Hub
from hub.store import Operator
from hub.testing.town import Town, at


def test_a_van_that_empties_on_its_way_has_room_and_no_time(hub: Hub, town: Town) -> None:
    town.stop(0.03, load=100, window_start=at(9), window_end=at(9, 5))
    town.published()
    back = town.stop(-0.03, kind="collection", load=100, window_start=at(9), window_end=at(9, 1))
    with pytest.raises(Refused) as refused:
        insertion.price(hub, Operator("dispatcher"), back)
    said = str(refused.value)
    assert "it does not fit beside the others: nobody has time for it in 09:00-09:01" in said
    assert "; it fits if its window closes" in said
