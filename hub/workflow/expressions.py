"""CEL: compiled once against typed events, evaluated within fixed bounds, never raising at will.

Google's CEL evaluates; what it does not bound, `hub.workflow.bounds` does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.workflow.bounds import (
    GROWING,
    LARGEST_LIST,
    LARGEST_RESULT,
    LONGEST,
    LOOPS,
    BadExpression,
    Failed,
    bounded,
    fields,
    limit,
    shown,
    without_texts,
)
from hub.workflow.functions import FUNCTIONS, LATE, Context, bound, extension, misused
from hub.workflow.messages import form, label, moment, pool
from hub.workflow.problem import suggestion
from hub.workflow.schemas import Shape, narrowed

LONGEST_NAME = 60
"""Characters of a name that is looked for among the known ones."""
LONGEST_MESSAGE = 200
_LOCATED = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*)")
_NO_FIELD = re.compile(r"undefined field '([^']*)' not found in struct '([^']*)'")
_NO_FIT = re.compile(r"found no matching overload for '(\w+)' applied to '\((.*?)\)'")
_LATE = re.compile(rf"(?<![\w.])(?:{'|'.join(sorted(LATE))})\s*\(")
_NO_NAME = re.compile(r"undeclared reference to '([^']*)'")


class Data(dict[str, Any]):
    """The messages that expressions of one environment read, and what its functions know."""

    def __init__(self, environment: Any, messages: Mapping[str, Any], context: Context) -> None:
        super().__init__(messages)
        self._environment, self._context = environment, context
        self._ready: dict[bool, Any] = {}

    def activation(self, late: bool) -> Any:
        """Return the data as CEL takes it, with the functions of the moment where `late`."""
        if late not in self._ready:
            functions = bound(self._context) if late else None
            self._ready[late] = self._environment.Activation(self, functions=functions)
        return self._ready[late]


def plain(found: Any) -> Any:
    """Return one of CEL's values as a plain one.

    Read item by item, because cel-expr-python 0.1.3 gives up a reference to None for every null
    that it hands out, which in the end kills a Python older than 3.12.
    """
    kind = found.type().name()
    if kind == "NULL":
        return None
    if not kind.startswith(("LIST", "MAP")):
        return found.plain_value()
    inner = found.value()
    if len(inner) > LARGEST_LIST:
        raise ValueError(f"a list of {len(inner)}; {LARGEST_LIST} fit")
    if isinstance(inner, dict):
        return {name: plain(item) for name, item in inner.items()}
    return [plain(item) for item in inner]


@dataclass(frozen=True)
class Expression:
    """One compiled expression; `kind` is CEL's name of its type, e.g. BOOL or LIST<INT>."""

    text: str
    kind: str
    program: Any
    late: bool = False
    """Whether it asks what only the moment knows, such as now()."""

    def value(self, data: Mapping[str, Any]) -> Any:
        """Return the plain value on `data`; raise `Failed` for a run-time error."""
        try:
            if isinstance(data, Data):
                found = self.program.eval(data.activation(self.late))
            else:
                functions = bound(Context()) if self.late else None
                found = self.program.eval(data=dict(data), functions=functions)
            kind = found.type().name()
            value = plain(found)
        except (RuntimeError, TypeError, ValueError, OverflowError) as error:
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

        self.names = list(variables)
        self._shapes = dict(variables)
        self._forms = {name: form(name, shape) for name, shape in variables.items()}
        self._cel = cel.NewEnv(
            pool(list(self._forms.values())),
            variables={name: cel.Type(found.type) for name, found in self._forms.items()},
            extensions=[ext_strings.ExtStrings(), ext_optional.ExtOptional(), extension()],
        )

    def only(self, name: str, texts: Sequence[str]) -> Environment:
        """Return an environment of one variable with no more fields than expressions name.

        Filling it costs less. What needs more does not compile there.
        """
        paths = [path for text in texts for path in fields(text, name)]
        shape = self._shapes[name]
        return Environment({name: narrowed(shape, paths) if all(paths) else shape})

    def compile(self, text: str) -> Expression:
        """Return `text` compiled and type-checked; raise `BadExpression` saying what and where."""
        limit(text, self._lists)
        return self.joined(text)

    def joined(self, text: str) -> Expression:
        """Compile what was put together of expressions that each keep the bounds."""
        try:
            program = self._cel.compile(text)
            kind = program.return_type().name()
        except (RuntimeError, TypeError) as error:
            raise self._explained(text, str(error)) from None
        if "hub." in kind:
            raise BadExpression("this is a whole object; name one field of it")
        if kind.startswith(("TYPE", "BYTES", "optional_type")):
            raise BadExpression(f"a result of type {kind} cannot be used here; see orValue()")
        return Expression(text, kind, program, late=asks_late(text))

    def data(self, context: Context | None = None, /, **values: Mapping[str, Any]) -> Data:
        """Return what `Expression.value` needs, from plain values by name.

        Without a `context`, now() is when the event happened and nothing is connected. Raise
        `Failed` for a value that does not fit its type.
        """
        made = {}
        for name, found in self._forms.items():
            try:
                made[name] = found.make(values.get(name) or {})
            except (TypeError, ValueError, OverflowError) as error:
                raise Failed(f"{name}: {error}") from error
        if context is None:
            happened = (values.get("event") or {}).get("occurred_at")
            context = Context(None if happened is None else moment(happened))
        return Data(self._cel, made, context)

    def _lists(self, path: str) -> bool:
        name, _, rest = path.partition(".")
        return name in self._forms and self._forms[name].lists(rest)

    def _explained(self, text: str, error: str) -> BadExpression:
        found = _LOCATED.search(error)
        if found is None:
            return BadExpression(reason(error))
        message = found[3].removeprefix("Syntax error: ").removesuffix(" [INVALID_ARGUMENT]")
        offset = position(text, int(found[1]), int(found[2]))
        no_field = _NO_FIELD.search(message)
        if no_field:
            word, owner, forms = no_field[1], no_field[2], self._forms.values()
            known = next((one.fields[owner] for one in forms if owner in one.fields), [])
            hint = suggestion(word, known) if len(word) <= LONGEST_NAME else ""
            offset = max(text.find(word, offset), 0)
            return BadExpression(f"{label(owner)} has no field '{shown(word)}'{hint}", offset)
        no_name = _NO_NAME.search(message)
        if no_name:
            word = no_name[1].split(".")[0]
            offset = max(text.rfind(word, 0, offset + len(word)), 0)
            if re.match(r"\s*\(", text[offset + len(word) :]):
                return BadExpression(misused(word), offset)
            hint = suggestion(word, self.names) if len(word) <= LONGEST_NAME else ""
            return BadExpression(f"'{shown(word)}' is unknown here{hint}", offset)
        no_fit = _NO_FIT.search(message)
        if no_fit and no_fit[1] in FUNCTIONS:
            offset = max(text.rfind(no_fit[1], 0, offset), 0)
            return BadExpression(misused(no_fit[1], no_fit[2]), offset)
        return BadExpression(message.split(" expecting {")[0][:LONGEST_MESSAGE], offset)


def asks_late(text: str) -> bool:
    """Say whether an expression calls a function that only the moment can answer."""
    return _LATE.search(without_texts(text)) is not None


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


__all__ = [
    "GROWING", "LARGEST_RESULT", "LONGEST", "LOOPS",
    "BadExpression", "Context", "Data", "Environment", "Expression", "Failed",
]  # fmt: skip
