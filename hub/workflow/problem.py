"""What is wrong with a workflow file, and exactly where."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from unicodedata import combining, east_asian_width

from hub.errors import HubError

_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What ends a line of YAML."""
WIDEST = 100
"""Columns of a source line that are shown of a longer one."""


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake; `line` and `column` count from 1."""

    line: int
    column: int
    message: str

    def text(self, name: str) -> str:
        """Return the mistake as editors understand it: file:line:column: message."""
        return f"{name}:{self.line}:{self.column}: {self.message}"

    def block(self, name: str, source: str) -> str:
        """Return the mistake above its line of the file and a caret under its column.

        Where that line is empty or there is none, it stands alone.
        """
        lines = _BREAK.split(source.removeprefix("\ufeff"))
        line = lines[self.line - 1] if self.line <= len(lines) else ""
        if not line.strip():
            return self.text(name)
        at = min(self.column - 1, len(line))
        begin = max(0, at - WIDEST + 20)
        before, after = line[begin:at], line[at : begin + WIDEST]
        pad = "".join(blank(letter) for letter in before)
        return f"{self.text(name)}\n  {harmless(before + after)}\n  {pad}^"


class Invalid(HubError):
    """Say that a workflow cannot be used, with every mistake found in it."""

    def __init__(self, name: str, problems: Iterable[Problem]) -> None:
        self.name = name
        self.problems = sorted(set(problems))
        super().__init__("\n".join(problem.text(name) for problem in self.problems))

    def blocks(self, source: str) -> str:
        """Return every mistake with its line of the file, an empty line between two."""
        return "\n\n".join(problem.block(self.name, source) for problem in self.problems)


def blank(letter: str) -> str:
    """Return spaces as wide as a letter is in a terminal."""
    if letter == "\t" or combining(letter):
        return letter if letter == "\t" else ""
    return "  " if east_asian_width(letter) in "WF" else " "


def harmless(line: str) -> str:
    """Return a line without signs that a terminal would obey."""
    signs = (letter if letter.isprintable() or letter == "\t" else "\ufffd" for letter in line)
    return "".join(signs)


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` where a known word is close to `word`, else nothing."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else ""
