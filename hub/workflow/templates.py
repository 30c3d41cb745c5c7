"""Text with `{{ expression }}` in it; a text that is exactly one expression keeps its type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.workflow.expressions import (
    LARGEST_RESULT,
    LONGEST,
    BadExpression,
    Environment,
    Expression,
    Failed,
)

TEXTABLE = {"STRING", "INT", "UINT", "DOUBLE", "BOOL", "TIMESTAMP", "DURATION", "NULL", "DYN"}

MOST_EXPRESSIONS = 20
"""How many expressions one text may hold."""
LONGEST_TEXT = LARGEST_RESULT + MOST_EXPRESSIONS * (LONGEST + len("{{}}"))
"""Characters; a longer text with expressions could never be filled in."""


@dataclass(frozen=True)
class Template:
    """The parts of a text in order: words as they are, expressions compiled."""

    parts: tuple[str | Expression, ...]

    @property
    def kind(self) -> str:
        """CEL's name of the type that comes out."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Expression):
            return self.parts[0].kind
        return "STRING"

    def value(self, data: Mapping[str, Any]) -> Any:
        """Return the text, or the one expression's value; raise `Failed` past 2,000 characters."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Expression):
            return self.parts[0].value(data)
        text = "".join(
            part if isinstance(part, str) else written(part.value(data)) for part in self.parts
        )
        if len(text) > LARGEST_RESULT:
            raise Failed(f"the text has {len(text)} characters; {LARGEST_RESULT} fit")
        return text


Value = Template | dict[str, Any] | list[Any] | str | int | float | bool | None
"""What stands under `with:` once compiled: templates within plain values."""


def cut(text: str) -> list[tuple[str, str, int]]:
    """Return the parts of `text` as (kind, content, offset); kind is `text` or `cel`.

    Raise `BadExpression` for an opening `{{` without its end.
    """
    parts, at = [], 0
    while (start := text.find("{{", at)) >= 0:
        if start > at:
            parts.append(("text", text[at:start], at))
        end = closing(text, start + 2)
        parts.append(("cel", text[start + 2 : end], start + 2))
        at = end + 2
    if at < len(text):
        parts.append(("text", text[at:], at))
    return parts


def closing(text: str, at: int) -> int:
    """Return where the `}}` stands that ends the expression beginning at `at`."""
    depth, quote, begin = 0, "", at
    while at < len(text):
        letter = text[at]
        if quote:
            if letter == "\\":
                at += 1
            elif letter == quote:
                quote = ""
        elif letter in "\"'":
            quote = letter
        elif letter == "{":
            depth += 1
        elif letter == "}":
            if depth == 0 and text.startswith("}}", at):
                return at
            depth -= 1
        at += 1
    raise BadExpression("{{ has no closing }}", begin - 2)


def compile_text(environment: Environment, text: str) -> Template | str:
    """Return a text with its expressions compiled, or the text itself where it has none."""
    parts: list[str | Expression] = []
    if "{{" in text and len(text) > LONGEST_TEXT:
        raise BadExpression(f"the text has {len(text)} characters; {LONGEST_TEXT} fit")
    found = cut(text)
    expressions = [offset for kind, _, offset in found if kind == "cel"]
    if not expressions:
        return text
    if len(expressions) > MOST_EXPRESSIONS:
        message = f"a text holds {len(expressions)} expressions; at most {MOST_EXPRESSIONS} may be"
        raise BadExpression(message, expressions[MOST_EXPRESSIONS])
    if (
        words := sum(len(content) for kind, content, _ in found if kind == "text")
    ) > LARGEST_RESULT:
        raise BadExpression(f"the text has {words} characters; {LARGEST_RESULT} fit")
    for kind, content, offset in found:
        if kind == "text":
            parts.append(content)
            continue
        try:
            made = environment.compile(content)
        except BadExpression as error:
            raise BadExpression(str(error), offset + error.offset) from None
        if len(found) > 1 and made.kind not in TEXTABLE:
            raise BadExpression(f"{made.kind} cannot be written into a text", offset)
        parts.append(made)
    return Template(tuple(parts))


def resolve(value: Value, data: Mapping[str, Any]) -> Any:
    """Return a compiled value with every template in it filled in."""
    if isinstance(value, Template):
        return value.value(data)
    if isinstance(value, dict):
        return {name: resolve(item, data) for name, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, data) for item in value]
    return value


def written(value: Any) -> str:
    """Return a value as a person would write it; nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | dict):
        raise Failed("a list cannot be written into a text; name one item of it")
    return f"{value:.15g}" if isinstance(value, float) else str(value)
