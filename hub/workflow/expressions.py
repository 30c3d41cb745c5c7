"""CEL: compiled once against typed events, evaluated within fixed bounds, never raising at will.

Google's CEL evaluates; what it does not bound is bounded here before it compiles: the length of
an expression, how often and how deep it may loop, and how large a result may be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub.errors import HubError
from hub.workflow.problem import suggestion
from hub.workflow.schemas import Schemas, Shape, label

LONGEST = 1000
LARGEST_RESULT = 2000
LARGEST_LIST = 1000
LOOPS = {"all", "exists", "exists_one", "map", "filter", "transformList", "transformMap"}
GROWING = {"replace", "join", "format", "split"}

_TEXT = re.compile(
    r"""//[^\n]*|`[^`]*`"""
    r"""|[rR][bB]?(?:"{3}.*?"{3}|\'{3}.*?\'{3}|"[^"\n]*"|\'[^\'\n]*\')"""
    r"""|"{3}(?:\\.|[^\\])*?"{3}|\'{3}(?:\\.|[^\\])*?\'{3}"""
    r"""|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'""",
    re.S,
)
"""What holds no code: comments, quoted names, raw texts, long texts, texts."""
_CALL = re.compile(r"\.\s*([A-Za-z_][A-Za-z0-9_]*)\s*\(|([()])")
_LOCATED = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*)")
_NO_FIELD = re.compile(r"undefined field '([^']*)' not found in struct '([^']*)'")
_NO_NAME = re.compile(r"undeclared reference to '([^']*)'")


class BadExpression(HubError):
    """Say why an expression does not compile; `offset` is the character at fault, from 0."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


class Failed(HubError):
    """Say why an expression could not be evaluated on these values."""


@dataclass(frozen=True)
class Expression:
    """One compiled expression; `kind` is CEL's name of its type, e.g. BOOL or LIST<INT>."""

    text: str
    kind: str
    program: Any

    def value(self, data: Mapping[str, Any]) -> Any:
        """Return the plain value on `data`; raise `Failed` for a run-time error."""
        try:
            found = self.program.eval(data=dict(data))
            kind = found.type().name()
            value = found.plain_value()
        except (RuntimeError, TypeError, ValueError) as error:
            raise Failed(f"{shown(self.text)}: {reason(str(error))}") from error
        if kind in ("ERROR", "*error*", "UNKNOWN"):
            raise Failed(f"{shown(self.text)}: {reason(str(value))}")
        return bounded(self.text, value)

    def holds(self, data: Mapping[str, Any]) -> bool:
        """Return the truth of a condition; raise `Failed` where it is neither true nor false."""
        value = self.value(data)
        if not isinstance(value, bool):
            raise Failed(f"{shown(self.text)} is neither true nor false but {value!r}")
        return value


class Environment:
    """The names that expressions of one place may use, each with its type."""

    def __init__(self, variables: Mapping[str, Shape]) -> None:
        from cel_expr_python import cel
        from cel_expr_python.ext import ext_optional, ext_strings

        self.schemas = Schemas()
        for name, shape in variables.items():
            self.schemas.add(name, shape)
        self.schemas.close()
        self.names = list(variables)
        self._cel = cel.NewEnv(
            self.schemas.pool,
            variables={name: cel.Type(f"hub.{name}") for name in variables},
            extensions=[ext_strings.ExtStrings(), ext_optional.ExtOptional()],
        )

    def compile(self, text: str) -> Expression:
        """Return `text` compiled and type-checked; raise `BadExpression` saying what and where."""
        limit(text)
        try:
            program = self._cel.compile(text)
            kind = program.return_type().name()
        except (RuntimeError, TypeError) as error:
            raise self._explained(text, str(error)) from None
        if "hub." in kind:
            raise BadExpression("this is a whole object; name one field of it")
        if kind.startswith(("TYPE", "BYTES", "optional_type")):
            raise BadExpression(f"a result of type {kind} cannot be used here; see orValue()")
        return Expression(text, kind, program)

    def data(self, **values: Mapping[str, Any]) -> dict[str, Any]:
        """Return what `Expression.value` needs, from plain values by name."""
        return {name: self.schemas.make(name, values.get(name, {})) for name in self.names}

    def _explained(self, text: str, error: str) -> BadExpression:
        found = _LOCATED.search(error)
        if found is None:
            return BadExpression(reason(error))
        message = found[3].removeprefix("Syntax error: ").removesuffix(" [INVALID_ARGUMENT]")
        offset = position(text, int(found[1]), int(found[2]))
        no_field = _NO_FIELD.search(message)
        if no_field:
            word, owner = no_field[1], no_field[2]
            known = self.schemas.fields.get(owner, [])
            hint, offset = suggestion(word, known), max(text.find(word, offset), 0)
            return BadExpression(f"{label(owner)} has no field '{word}'{hint}", offset)
        no_name = _NO_NAME.search(message)
        if no_name:
            word = no_name[1].split(".")[0]
            offset = max(text.rfind(word, 0, offset + len(word)), 0)
            return BadExpression(f"'{word}' is unknown here{suggestion(word, self.names)}", offset)
        return BadExpression(message.split(" expecting {")[0], offset)


def limit(text: str) -> None:
    """Raise `BadExpression` for what could take long or much memory, before it compiles."""
    if not text.strip():
        raise BadExpression("the expression is empty")
    if len(text) > LONGEST:
        raise BadExpression(f"the expression has {len(text)} characters; at most {LONGEST} may be")
    bare = _TEXT.sub(lambda found: " " * len(found[0]), text)
    loops, growing, open_calls = 0, 0, list[bool]()
    for call in _CALL.finditer(bare):
        name, bracket = call[1], call[2]
        if bracket == ")":
            if open_calls:
                open_calls.pop()
            continue
        heavy = name in LOOPS or name in GROWING
        if heavy and any(open_calls):
            raise BadExpression(f"{name}() may not stand inside another loop", call.start())
        open_calls.append(name in LOOPS)
        loops += name in LOOPS
        growing += name in GROWING
    if loops > 2:
        raise BadExpression(f"{loops} loops such as all() or map(); at most 2 may be used")
    if growing > 1:
        raise BadExpression("only one of replace(), join(), split(), format() may be used")


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
    if value is None or isinstance(value, bool | int | float | str | datetime):
        return value
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    raise Failed(f"{shown(text)} is a whole object; name one field of it")


def position(text: str, line: int, column: int) -> int:
    """Return the offset of a line and column, both from 1; 0 where CEL names none."""
    if line < 1 or column < 1:
        return 0
    before = text.split("\n")[: line - 1]
    return min(sum(len(part) + 1 for part in before) + column - 1, len(text))


def reason(error: str) -> str:
    """Return CEL's message in one line, without its code."""
    first = error.strip().split("\n")[0]
    return re.sub(
        r"^[A-Z_]+: | \[[A-Z_]+\]$", "", re.sub(r"^[A-Z_]+: ERROR: <input>:\S+ ", "", first)
    )


def shown(text: str) -> str:
    """Return an expression short enough for a message."""
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:57] + "..."
