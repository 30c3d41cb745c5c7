"""What an expression may cost: refused before it compiles, or before its result is passed on.

CEL bounds how often an expression loops, but neither how much it copies on the way nor how long
its macros take to expand; so what could multiply is counted here, in the text of the expression.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from hub.errors import HubError

LONGEST = 1000
LARGEST_RESULT = 2000
LARGEST_LIST = 1000
LOOPS = {
    "all", "exists", "exists_one", "existsOne", "map", "filter", "transformList", "transformMap",
    "optMap", "optFlatMap",
}  # fmt: skip
"""What runs an expression for each item, or for one item under another name."""
MAKING = {"map", "filter", "transformList", "transformMap"}
"""Loops that make a list, which takes CEL the square of its length."""
GROWING = {"replace", "join", "format", "split", "quote"}
"""What can make a text much longer, or many of one."""
COSTLY = {"matches", "in_area"}
"""What takes long for one item already."""
MOST_LOOPS, MOST_MAKING, MOST_GROWING, MOST_LISTS, MOST_PATTERNS = 2, 1, 1, 3, 3
MOST_JOINS = 2
"""How often `+` may stand within loops, or beside what makes a text longer."""
MOST_CALLS, LONGEST_LOOP = 5, 200
"""Calls and characters within loops."""
LONGEST_PATTERN, MOST_REPEATS = 200, 1000
"""Of a pattern for matches(): characters, and the product of its numbers in braces."""

_TEXT = re.compile(
    r"""//[^\n]*|`[^`]*`"""
    r"""|[rR][bB]?(?:"{3}.*?"{3}|\'{3}.*?\'{3}|"[^"\n]*"|\'[^\'\n]*\')"""
    r"""|"{3}(?:\\.|[^\\])*?"{3}|\'{3}(?:\\.|[^\\])*?\'{3}"""
    r"""|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'""",
    re.S,
)
"""What holds no code: comments, quoted names, raw texts, long texts, texts."""
_CALL = re.compile(r"(?<![A-Za-z0-9_])[0-9]*([A-Za-z_][A-Za-z0-9_]*)\s*\(|([()])")
"""A call or a bracket; begun only where a word begins, or a long name takes its length squared."""
_PATH = re.compile(r"(?<![\w.?])[A-Za-z_]\w*(?:\s*\.\s*\??\s*[A-Za-z_]\w*)*")
_LITERAL = re.compile(r"\s*([rR]?)(\"{3}|'{3}|\"|')(.*?)\2\s*\)", re.S)
_REPEATS = re.compile(r"\{\s*(\d+)\s*(?:,\s*(\d*)\s*)?\}")
_HIDDEN = re.compile(r"\\[^\\dDwWsSbB.*+?()\[\]{}|^$/\"'pP-]")


class BadExpression(HubError):
    """Say why an expression does not compile; `offset` is the character at fault, from 0."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


class Failed(HubError):
    """Say why an expression could not be evaluated on these values."""


def limit(text: str, lists: Callable[[str], bool]) -> None:
    """Raise `BadExpression` for what could take long or much memory.

    `lists` says of a dotted name whether it is a list, or holds one somewhere.
    """
    if not text.strip():
        raise BadExpression("the expression is empty")
    if len(text) > LONGEST:
        raise BadExpression(f"the expression has {len(text)} characters; at most {LONGEST} may be")
    bare = without_texts(text)
    names = [found[1] for found in _CALL.finditer(bare) if found[1]]
    if (loops := sum(name in LOOPS for name in names)) > MOST_LOOPS:
        raise BadExpression(f"{loops} loops such as all() or map(); at most {MOST_LOOPS} may be")
    if sum(name in MAKING for name in names) > MOST_MAKING:
        raise BadExpression("only one of map(), filter() may be; map(x, condition, value) is both")
    if (growing := sum(name in GROWING for name in names)) > MOST_GROWING:
        raise BadExpression("only one of replace(), join(), split(), format() may be used")
    inner = limit_loops(bare, lists)
    outer = bare.count("+") - inner.count("+")
    if loops and outer:
        raise BadExpression("+ may not stand outside of a loop in the same expression")
    if inner.count("+") > MOST_JOINS or (growing and outer > MOST_JOINS):
        raise BadExpression(f"at most {MOST_JOINS} times + within a loop or beside replace()")
    many = [found for found in _PATH.finditer(bare) if lists(path(found))]
    if len(many) > MOST_LISTS:
        message = f"{len(many)} names are or hold lists; at most {MOST_LISTS} may be used"
        raise BadExpression(message, many[MOST_LISTS].start())
    limit_patterns(text, bare)


def limit_loops(bare: str, lists: Callable[[str], bool]) -> str:
    """Return what stands within loops; raise `BadExpression` where that is too much."""
    found = bodies(bare)
    inner = "".join(bare[start:end] for start, end in found)
    calls = sum(call[1] is not None for call in _CALL.finditer(inner))
    if calls > MOST_CALLS or len(inner) > LONGEST_LOOP:
        raise BadExpression(
            f"{len(inner)} characters and {calls} calls stand in loops;"
            f" at most {LONGEST_LOOP} and {MOST_CALLS} may",
            found[0][0],
        )
    for start, end in found:
        for name in _PATH.finditer(bare, start, end):
            if lists(path(name)):
                message = f"'{path(name)}' is or holds a list; not inside a loop"
                raise BadExpression(message, name.start())
    return inner


def limit_patterns(text: str, bare: str) -> None:
    """Raise `BadExpression` for a pattern of matches() that is not written out, or too large."""
    found = [call for call in _CALL.finditer(bare) if call[1] == "matches"]
    if len(found) > MOST_PATTERNS:
        message = f"{len(found)} times matches(); at most {MOST_PATTERNS} may be"
        raise BadExpression(message, found[MOST_PATTERNS].start())
    for call in found:
        literal = _LITERAL.match(text, call.end())
        if literal is None or not bare[: call.start()].rstrip().endswith("."):
            message = 'matches() is written text.matches("pattern"), with the pattern in quotes'
            raise BadExpression(message, call.start())
        pattern = literal[3] if literal[1] else literal[3].replace("\\\\", "\\")
        repeats = math.prod(max(int(n or 0) for n in n_m) for n_m in counts(pattern))
        wide = 30 if re.search(r"\\[pP]", pattern) else 1
        if len(pattern) > LONGEST_PATTERN or repeats * wide > MOST_REPEATS:
            message = f"the pattern is too large: {LONGEST_PATTERN} characters, few repetitions"
            raise BadExpression(message, literal.start(2))
        if _HIDDEN.search(pattern):
            raise BadExpression("the pattern hides a sign behind \\", literal.start(2))


def counts(pattern: str) -> list[tuple[str, str]]:
    """Return the numbers in braces of a pattern, as {n,m}."""
    return [(found[1][:6], (found[2] or "")[:6]) for found in _REPEATS.finditer(pattern)]


def fields(text: str, name: str) -> list[list[str]]:
    """Return the dotted fields of a variable that an expression names; `[]` for all of it."""
    found = (path(one).split(".") for one in _PATH.finditer(without_texts(text)))
    return [parts[1:] for parts in found if parts[0] == name]


def path(found: re.Match[str]) -> str:
    """Return a dotted name without blanks and question marks."""
    return re.sub(r"[\s?]", "", found[0])


def bodies(bare: str) -> list[tuple[int, int]]:
    """Return where the inside of each loop begins and ends; raise `BadExpression` for one in one.

    `bare` is an expression without its texts.
    """
    found: list[tuple[int, int]] = []
    open_calls: list[int] = []
    for call in _CALL.finditer(bare):
        name, bracket = call[1], call[2]
        if bracket == ")":
            start = open_calls.pop() if open_calls else -1
            if start >= 0:
                found.append((start, call.start()))
            continue
        if name in LOOPS | GROWING | COSTLY and any(start >= 0 for start in open_calls):
            raise BadExpression(f"{name}() may not stand inside another loop", call.start())
        open_calls.append(call.end() if name in LOOPS else -1)
    return found


def without_texts(text: str) -> str:
    """Return an expression with blanks in place of what holds no code."""
    return _TEXT.sub(lambda found: " " * len(found[0]), text)


def bounded(text: str, value: Any) -> Any:
    """Return `value` where it is small enough to be passed on; raise `Failed` otherwise."""
    if isinstance(value, str) and len(value) > LARGEST_RESULT:
        raise Failed(f"{shown(text)}: the text has {len(value)} characters; {LARGEST_RESULT} fit")
    if isinstance(value, list | dict):
        if len(value) > LARGEST_LIST:
            raise Failed(f"{shown(text)}: a list of {len(value)}; {LARGEST_LIST} fit")
        inner = value.values() if isinstance(value, dict) else value
        if sum(len(item) for item in map(str, inner)) > 10 * LARGEST_RESULT:
            raise Failed(f"{shown(text)}: the result is too large")
        if isinstance(value, dict):
            return {str(name): bounded(text, item) for name, item in value.items()}
        return [bounded(text, item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise Failed(f"{shown(text)} is no number but {value}")
    if isinstance(value, str) and "\0" in value:
        raise Failed(f"{shown(text)}: the text holds a NUL character")
    if value is None or isinstance(value, bool | int | float | str | datetime):
        return value
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    raise Failed(f"{shown(text)} is a whole object; name one field of it")


def shown(text: str) -> str:
    """Return an expression short enough for a message."""
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:57] + "..."
