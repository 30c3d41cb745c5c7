"""Ask the conditions of many workflows about one event in a few calls instead of one for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.workflow.expressions import (
    GROWING,
    LOOPS,
    BadExpression,
    Environment,
    Expression,
    Failed,
)
from hub.workflow.program import Program, Start

MOST = 32
"""Conditions in one call: each is a bit of one of CEL's integers of 64 bits."""

Place = tuple[int, Start]
"""The number of a program, and one of its starts."""


class Panel:
    """The conditions on one type of event that see the same names, each a bit of a number.

    Evaluating costs CEL some microseconds a call and hardly more for a long expression, and most
    of an event's fields are in no condition, so a panel is several times quicker than its
    conditions one by one.
    """

    def __init__(self, type: str, programs: Sequence[Program | None]) -> None:
        self.calls: list[tuple[Environment, Expression, list[Place]]] = []
        """What is asked, with which values, and the place of each bit."""
        self.alone: set[int] = set()
        """Programs of which not every condition is asked here."""
        self._places: list[Place] = []
        for number, program in enumerate(programs):
            if program is None or program.workflow.inputs or program.needs_link:
                self.alone.add(number)
                continue
            starts = program.courses[type].starts
            self._places += [(number, start) for start in starts if fits(start)]
            if not all(fits(start) for start in starts):
                self.alone.add(number)
        for start in range(0, len(self._places), MOST):
            self._add(self._places[start : start + MOST])

    def ask(self, facts: Mapping[str, Any]) -> tuple[list[int], set[int]]:
        """Return which programs may start, in order, and the `id` of each start that holds.

        Those in one call with a condition that cannot be evaluated may start: whoever asks has to
        ask each of them alone.
        """
        may, held = set(self.alone), set[int]()
        for environment, expression, places in self.calls:
            try:
                bits = int(expression.value(environment.data(event=facts)))
            except Failed:
                may |= {number for number, _ in places}
                continue
            for place, (number, start) in enumerate(places if bits else ()):
                if bits >> place & 1:
                    may.add(number)
                    held.add(id(start))
        return sorted(may), held

    def _add(self, places: list[Place]) -> None:
        """Add one call; conditions that do not compile together are left to be asked alone."""
        terms = [written(start, place) for place, (_, start) in enumerate(places)]
        environment = places[0][1].environment.only("event", terms)
        try:
            self.calls.append((environment, environment.joined(total(terms)), places))
        except BadExpression:
            self.alone |= {number for number, _ in places}


def total(terms: list[str]) -> str:
    """Return the sum of expressions, nested no deeper than CEL parses."""
    if len(terms) == 1:
        return terms[0]
    middle = len(terms) // 2
    return f"({total(terms[:middle])}+{total(terms[middle:])})"


def fits(start: Start) -> bool:
    """Say whether a condition can be asked together with others: it has no loops."""
    condition = start.condition
    return (
        condition is not None
        and condition.kind == "BOOL"
        and not any(f"{word}(" in condition.text for word in LOOPS | GROWING)
    )


def written(start: Start, place: int) -> str:
    """Return a condition as a term that is 2 to the power of `place` where it holds, else 0."""
    # The line break ends a comment that the condition may end with.
    text = start.condition.text if start.condition else "true"
    return f"(({text}\n)?{1 << place}:0)"
