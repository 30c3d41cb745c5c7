"""Records of another system: nested values, found by dotted paths and listed for people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from hub.nouns import Json

DEEPEST = 12
SHOWN_ENTRIES = 3
"""Entries of a list that a sample keeps."""
SHOWN_LETTERS = 500
MOST_PATHS = 300
LARGEST_SAMPLE = 300_000
"""Letters of a whole sample."""
MISSING = object()


def find(record: Any, path: str) -> Any:
    """Return what lies at a dotted path, `MISSING` where there is nothing.

    A name that itself has dots is found as well, the longest first; numbers count entries of
    lists from 0.
    """
    if not path:
        return record
    if isinstance(record, dict):
        parts = path.split(".")
        for size in range(len(parts), 0, -1):
            name = ".".join(parts[:size])
            if name in record:
                found = find(record[name], ".".join(parts[size:]))
                if found is not MISSING:
                    return found
        return MISSING
    if isinstance(record, list):
        first, _, rest = path.partition(".")
        if first.isascii() and first.isdecimal() and len(first) < 6 and int(first) < len(record):
            return find(record[int(first)], rest)
    return MISSING


def text_of(value: Any) -> str | None:
    """Return a value as text, None for what is none: an object, or a list of such."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f") if abs(value.adjusted()) < 40 else str(value)
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        texts = [text_of(one) for one in value if not isinstance(one, list)]
        if len(texts) == len(value) and all(text is not None for text in texts):
            return ", ".join(text for text in texts if text)
    return None


def flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield (path, text) of everything in a record, in its own order; of lists the first entry."""
    text = text_of(value)
    if text is not None and not (isinstance(value, list) and not value):
        yield path, text
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from flat(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and value:
        yield path, f"{len(value)} entr{'y' if len(value) == 1 else 'ies'}"
        yield from flat(value[0], f"{path}.0")


def trimmed(value: Any, depth: int = 0) -> Any:
    """Return a record as a sample keeps it: plain JSON, long texts and lists cut."""
    if isinstance(value, str):
        return value[:SHOWN_LETTERS]
    if isinstance(value, Decimal):
        return text_of(value)
    if isinstance(value, dict):
        if depth >= DEEPEST:
            return {}
        named = list(value.items())[:MOST_PATHS]
        return {str(name)[:100]: trimmed(inner, depth + 1) for name, inner in named}
    if isinstance(value, list):
        inner = value[:SHOWN_ENTRIES] if depth < DEEPEST else []
        return [trimmed(one, depth + 1) for one in inner]
    return value


def sample(records: list[Any]) -> list[Any]:
    """Return records as a sample keeps them, as many as are small enough together."""
    kept: list[Any] = []
    size = 0
    for record in records:
        one = trimmed(record)
        size += len(json.dumps(one, ensure_ascii=False))
        if size > LARGEST_SAMPLE:
            break
        kept.append(one)
    return kept


def listed(document: Any, path: str) -> list[Any] | None:
    """Return the records of a document, None where no list lies at the path.

    A single record counts as a list of one where no path is given.
    """
    found = find(document, path)
    if isinstance(found, list):
        return found
    return None


def lists_in(document: Json) -> list[str]:
    """Return the paths of lists of objects in a document, for the words of an error."""
    found: list[str] = []
    level: list[tuple[str, Any]] = [("", document)]
    for _ in range(4):
        for path, value in level:
            if isinstance(value, list) and value and isinstance(value[0], dict) and path:
                found.append(path)
        level = [
            (f"{path}.{name}" if path else str(name), inner)
            for path, value in level if isinstance(value, dict)
            for name, inner in list(value.items())[:50]
        ]  # fmt: skip
    return found[:5]
