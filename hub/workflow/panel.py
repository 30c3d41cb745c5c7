"""Ask the conditions of many workflows about one event in a few calls instead of one for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hub.workflow.expressions import (
    GROWING,
    LONGEST,
    LOOPS,
    BadExpression,
    Environment,
    Expression,
    Failed,
)
from hub.workflow.program import Program, Start

MOST = 16
"""Conditions in one call: their sum must stay within the depth that CEL parses."""


class Panel:
    """The conditions on one type of event that see the same names, each a bit of a number.

    Evaluating costs CEL some microseconds a call and hardly more for a long expression, so a
    panel is several times quicker than its conditions one by one.
    """

    def __init__(self, type: str, programs: Iterable[Program]) -> None:
        self.calls: list[tuple[Environment, Expression, list[int]]] = []
        """What is asked, with which values, and the `id` of the start of each bit."""
        starts = [
            start
            for program in programs
            if not program.workflow.inputs and not program.needs_link
            for start in program.courses[type].starts
            if fits(start)
        ]
        self._kept = starts
        if starts:
            self._fill(starts[0].environment, starts)

    def answers(self, facts: Mapping[str, Any]) -> dict[int, bool]:
        """Return whether conditions hold, by the `id` of their start.

        Those in one call with a condition that cannot be evaluated are left out: whoever asks has
        to ask each of them alone.
        """
        found: dict[int, bool] = {}
        data: Mapping[str, Any] | None = None
        for environment, expression, starts in self.calls:
            try:
                data = environment.data(event=facts, inputs={}) if data is None else data
                bits = int(expression.value(data))
            except Failed:
                continue
            found |= {start: bool(bits >> place & 1) for place, start in enumerate(starts)}
        return found

    def _fill(self, environment: Environment, starts: list[Start]) -> None:
        """Put as many conditions into each call as fit."""
        terms: list[str] = []
        asked: list[int] = []
        for start in [*starts, None]:
            term = written(start, len(terms)) if start else ""
            full = len(terms) == MOST or len("+".join([*terms, term])) > LONGEST
            if terms and (full or start is None):
                self._add(environment, terms, asked)
                terms, asked = [], []
            if start is not None:
                terms.append(written(start, len(terms)))
                asked.append(id(start))

    def _add(self, environment: Environment, terms: list[str], asked: list[int]) -> None:
        """Add one call; conditions that do not compile together are left to be asked alone."""
        try:
            self.calls.append((environment, environment.compile("+".join(terms)), asked))
        except BadExpression:
            return


def fits(start: Start) -> bool:
    """Say whether a condition can be asked together with others: it is short and has no loops."""
    condition = start.condition
    return (
        condition is not None
        and condition.kind == "BOOL"
        and not any(f"{word}(" in condition.text for word in LOOPS | GROWING)
        and len(written(start, MOST)) <= LONGEST
    )


def written(start: Start, place: int) -> str:
    """Return a condition as a term that is 2 to the power of `place` where it holds, else 0."""
    # The line break ends a comment that the condition may end with.
    text = start.condition.text if start.condition else "true"
    return f"(({text}\n)?{1 << place}:0)"
