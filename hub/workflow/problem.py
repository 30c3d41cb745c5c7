"""What is wrong with a workflow file, and exactly where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from hub.errors import HubError


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake; `line` and `column` count from 1."""

    line: int
    column: int
    message: str

    def text(self, name: str) -> str:
        """Return the mistake as editors understand it: file:line:column: message."""
        return f"{name}:{self.line}:{self.column}: {self.message}"


class Invalid(HubError):
    """Say that a workflow cannot be used, with every mistake found in it."""

    def __init__(self, name: str, problems: Iterable[Problem]) -> None:
        self.name = name
        self.problems = sorted(set(problems))
        super().__init__("\n".join(problem.text(name) for problem in self.problems))


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` where a known word is close to `word`, else nothing."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else ""
