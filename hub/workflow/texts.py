"""Compile what stands in a file as conditions and texts, and note each mistake at its place."""

from __future__ import annotations

from typing import Any

from hub.workflow.expressions import BadExpression, Environment, Expression
from hub.workflow.problem import Problem
from hub.workflow.templates import Template, Value, compile_text
from hub.workflow.yaml_source import Path, Source


class Texts:
    """Compiles the expressions of one file and collects what does not fit."""

    def __init__(self, source: Source, problems: dict[tuple[int, int], Problem]) -> None:
        self.source, self.problems = source, problems

    def _condition(
        self, environment: Environment, text: str | None, path: Path
    ) -> Expression | None:
        if text is None:
            return None
        made = self._expression(environment, text, path)
        if made is not None and made.kind not in ("BOOL", "DYN"):
            self._add(path, f"a condition has to be true or false, this is {made.kind}")
        return made

    def _expression(self, environment: Environment, text: str, path: Path) -> Expression | None:
        try:
            return environment.compile(text)
        except BadExpression as error:
            self._bad(path, text, error)
            return None

    def _text(self, environment: Environment, text: str, path: Path) -> Template | str | None:
        try:
            return compile_text(environment, text)
        except BadExpression as error:
            self._bad(path, text, error)
            return None

    def _value(self, environment: Environment, value: Any, path: Path) -> Value:
        if isinstance(value, dict):
            return {
                key: self._value(environment, item, (*path, key)) for key, item in value.items()
            }
        if isinstance(value, list):
            return [self._value(environment, item, (*path, at)) for at, item in enumerate(value)]
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        made = self._text(environment, value, path)
        return value if made is None else made

    def _bad(self, path: Path, text: str, error: BadExpression) -> None:
        """Add what is wrong with an expression, at its own character where the file shows it."""
        place = self.source.problem(path, str(error), within=text)
        if "\n" not in text and self._verbatim(path, text):
            place = Problem(place.line, place.column + error.offset, place.message)
        self._put(place)

    def _verbatim(self, path: Path, text: str) -> bool:
        found = self.source.places.get(path)
        return found is not None and text in self.source.text[found.start : found.end]

    def _add(self, path: Path, message: str, *, key: bool = False) -> None:
        self._put(self.source.problem(path, message, key=key))

    def _put(self, problem: Problem) -> None:
        """Keep the first mistake of a place: a file with several events meets it several times."""
        self.problems.setdefault((problem.line, problem.column), problem)
