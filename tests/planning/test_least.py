"""What would make a stop fit is asked for by no more than is needed."""

from __future__ import annotations

from random import Random

import pytest

from hub.planning.binding import MEASURED
from hub.planning.check import faults
from hub.planning.relaxations import proves
from hub.planning.settle import settle
from tests.planning.problems import problem, sequences

TOO_MUCH_ONCE = (9156, 9219, 9393)
"""Seeds of days on which half of what was worked out round by round is enough."""


@pytest.mark.parametrize("seeds", [TOO_MUCH_ONCE, *(range(n, n + 50) for n in (9000, 9050, 9100))])
def test_one_second_or_unit_less_is_not_enough(seeds: tuple[int, ...] | range) -> None:
    looked_at = 0
    for seed in seeds:
        asked = problem(seed)
        plan = settle(asked, "test", sequences(asked, Random(seed)))
        assert faults(asked, plan) == [], seed
        for left in plan.unserved:
            for number, one in enumerate(left.relaxations):
                if one.rule not in MEASURED or one.amount < 2:
                    continue
                looked_at += 1
                fewer = list(left.relaxations)
                fewer[number] = one.model_copy(update={"amount": one.amount - 1})
                claim = left.model_copy(update={"relaxations": tuple(fewer)})
                assert not proves(asked, plan, claim), (seed, left.stop, one)
    assert looked_at
