"""Read YAML into plain values and remember on which line and column each of them stands.

The file is read event by event, so that nothing is built before it has been looked at: no
aliases, tags, duplicate keys or deep nesting. Words keep their meaning: `on`, `yes` and `NO` are
text, only `true`, `false`, `null` and plain decimal numbers are not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from hub.workflow.problem import Invalid, Problem

LARGEST = 256_000
DEEPEST = 20
MOST_VALUES = 4_000
MOST_KEYS = 200
MOST_PROBLEMS = 50
LONGEST_KEY, LONGEST_VALUE = 100, 10_000
SMALLEST, GREATEST = -(2**63), 2**63 - 1
Path = tuple[str | int, ...]

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_DOUBTFUL = re.compile(
    r"[-+]?0[0-9_]+(\.[0-9_]*)?|[-+]?0[xob][0-9a-fA-F_]+|[-+]?[0-9]+_[0-9_.]*|[-+]?\.(inf|nan)"
    r"|[-+]?\.[0-9]+|[-+]?[0-9]+\.",
    re.IGNORECASE,
)
_UNSEEN = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
    "|[\u202a-\u202e\u2066-\u2069]"
)
"""Control characters, halves of signs, byte order marks, and what turns the direction of a line."""
_UNKEPT = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
"""What an escape in "quotes" may not put into a text, as no database or phone takes it."""
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True)
class Place:
    """Where a value begins: line and column from 1, and its first and last character."""

    line: int
    column: int
    start: int
    end: int


@dataclass
class Source:
    """A file as values, with the place of every value and every key by its path."""

    name: str
    text: str
    value: Any = None
    places: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)

    def problem(self, path: Path, message: str, *, key: bool = False, within: str = "") -> Problem:
        """Return a mistake at `path`, or at the nearest thing around it that is in the file.

        With `key` it points at the key, not its value; with `within` at that text inside it.
        """
        book = self.keys if key else self.places
        while path and path not in book:
            path, book = path[:-1], self.places
        place = book.get(path, Place(1, 1, 0, 0))
        found = self.text.find(within, place.start, place.end) if within else -1
        if found < 0:
            return Problem(place.line, place.column, message)
        line = self.text.count("\n", 0, found) + 1
        return Problem(line, found - self.text.rfind("\n", 0, found), message)


def read(text: str | bytes, name: str = "workflow") -> Source:
    """Return the values of one YAML document; raise `Invalid` where it is not plain YAML."""
    size = len(text) if isinstance(text, bytes) else len(text.encode(errors="replace"))
    if size > LARGEST:
        raise Invalid(name, [Problem(1, 1, f"the file has {size} bytes; at most {LARGEST} fit")])
    try:
        plain = text.decode("utf-8") if isinstance(text, bytes) else text
    except UnicodeDecodeError as error:
        line, column = where(error.object[: error.start].decode("utf-8"), error.start)
        message = f"the file is not UTF-8 ({error.reason})"
        raise Invalid(name, [Problem(line, column, message)]) from error
    source = Source(name, plain.removeprefix("\ufeff"))
    unseen = [
        Problem(*where(source.text, found.start()), unwanted(found[0]))
        for found in islice(_UNSEEN.finditer(source.text), MOST_PROBLEMS)
    ]
    if unseen:
        raise Invalid(name, unseen)
    _Reader(source).run()
    return source


def where(text: str, offset: int) -> tuple[int, int]:
    """Return the line and column of a character, both from 1."""
    before = text[:offset]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def unwanted(sign: str) -> str:
    """Return why a character may not stand in a file."""
    shown = f"U+{ord(sign):04X}"
    if ord(sign) > 0x2000 and ord(sign) < 0x2070:
        return f"{shown} turns the direction of the line, so that it reads otherwise than it is"
    return f"{shown} cannot be seen; take it out"


class _Reader:
    """Builds the values of a `Source` from the parser's events."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Problem] = []

    def run(self) -> None:
        import yaml

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            self.events: Iterator[Any] = yaml.parse(self.source.text, Loader=loader)
            self._document()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            self.problems.append(Problem(line, column, f"not YAML: {error.problem}"))
        except yaml.YAMLError as error:
            self.problems.append(Problem(1, 1, f"not YAML: {error}"))
        if self.problems:
            raise Invalid(self.source.name, self.problems)

    def _document(self) -> None:
        import yaml

        next(self.events)
        first = next(self.events)
        if isinstance(first, yaml.StreamEndEvent):
            self.problems.append(Problem(1, 1, "the file is empty"))
            return
        self.source.value = self._node(next(self.events), ())
        next(self.events)
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            self._add(after, "a file holds one workflow; put the second document into its own")

    def _node(self, event: Any, path: Path) -> Any:
        import yaml

        self.source.places.setdefault(path, place(event))
        if isinstance(event, yaml.AliasEvent):
            self._add(event, f"aliases such as *{event.anchor} are not allowed; write it out")
            return None
        self._plain(event)
        if len(self.source.places) > MOST_VALUES:
            self._add(event, f"the file holds more than {MOST_VALUES} values")
            raise Invalid(self.source.name, self.problems)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if len(path) >= DEEPEST:
            self._add(event, f"nested deeper than {DEEPEST} levels")
            raise Invalid(self.source.name, self.problems)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        return self._sequence(path)

    def _mapping(self, path: Path) -> dict[str, Any]:
        import yaml

        made: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                self._add(event, "a key has to be a word")
                raise Invalid(self.source.name, self.problems)
            self._plain(event)
            self._fits(event, LONGEST_KEY)
            if event.value in made:
                self._add(event, f"'{event.value}' stands here twice")
            if len(made) >= MOST_KEYS:
                self._add(event, f"more than {MOST_KEYS} keys stand in one mapping")
                raise Invalid(self.source.name, self.problems)
            inner = (*path, event.value)
            self.source.keys[inner] = place(event)
            made[event.value] = self._node(next(self.events), inner)
        return made

    def _sequence(self, path: Path) -> list[Any]:
        import yaml

        made: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            made.append(self._node(event, (*path, len(made))))
        return made

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        self._fits(event, LONGEST_VALUE)
        if not event.implicit[0]:
            return text
        if text.lower() in _WORDS and text in (text.lower(), text.capitalize(), text.upper()):
            return _WORDS[text.lower()]
        if _INTEGER.fullmatch(text):
            if len(text) <= 20 and SMALLEST <= int(text) <= GREATEST:
                return int(text)
            return self._too_large(event)
        if _FLOAT.fullmatch(text):
            number = float(text)
            lost = number == 0 and re.search("[1-9]", re.split("[eE]", text)[0])
            return self._too_large(event) if lost or not math.isfinite(number) else number
        return self._doubtful(event) if _DOUBTFUL.fullmatch(text) else text

    def _too_large(self, event: Any) -> str:
        shown = event.value[:40]
        self._add(event, f'{shown} is too large or too small; write "{shown}" if it is text')
        return str(event.value)

    def _doubtful(self, event: Any) -> str:
        shown = event.value[:40]
        self._add(event, f'{shown} can be read as several numbers; write "{shown}" if it is text')
        return str(event.value)

    def _plain(self, event: Any) -> None:
        """Note an anchor or a tag."""
        if event.anchor is not None:
            self._add(event, f"anchors such as &{event.anchor} are not allowed; write it out")
        if event.tag is not None:
            self._add(event, f"tags such as {event.tag} are not allowed; leave it out")

    def _fits(self, event: Any, longest: int) -> None:
        """Stop at a text that is too long, or holds what cannot be kept."""
        found = _UNKEPT.search(event.value)
        if len(event.value) > longest:
            self._add(event, f"{len(event.value)} characters stand here; {longest} fit")
        elif found:
            self._add(event, f"U+{ord(found[0]):04X} cannot be kept; take it out")
        else:
            return
        raise Invalid(self.source.name, self.problems)

    def _add(self, event: Any, message: str) -> None:
        found = place(event)
        self.problems.append(Problem(found.line, found.column, message))
        if len(self.problems) >= MOST_PROBLEMS:
            raise Invalid(self.source.name, self.problems)


def place(event: Any) -> Place:
    """Return where a parser's event stands."""
    mark = event.start_mark
    return Place(mark.line + 1, mark.column + 1, mark.index, event.end_mark.index)
