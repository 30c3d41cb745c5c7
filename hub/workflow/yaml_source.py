"""Read YAML into plain values and remember on which line and column each of them stands.

The file is read event by event, so that nothing is built before it has been looked at: no
aliases, tags, duplicate keys or deep nesting. Words keep their meaning: `on`, `yes` and `NO` are
text, only `true`, `false`, `null` and plain decimal numbers are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hub.workflow.problem import Invalid, Problem

LARGEST = 256_000
DEEPEST = 20
Path = tuple[str | int, ...]

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_DOUBTFUL = re.compile(
    r"[-+]?0[0-9_]+|[-+]?0[xob][0-9a-fA-F_]+|[-+]?[0-9]+_[0-9_]*|[-+]?\.(inf|nan)|[-+]?\.[0-9]+",
    re.IGNORECASE,
)
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
        raise Invalid(name, [Problem(1, 1, f"the file is not UTF-8 ({error.reason})")]) from error
    source = Source(name, plain.removeprefix("\ufeff"))
    _Reader(source).run()
    return source


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
        if event.anchor is not None:
            self._add(event, f"anchors such as &{event.anchor} are not allowed; write it out")
        if event.tag is not None:
            self._add(event, f"tags such as {event.tag} are not allowed; leave it out")
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
            if event.value in made:
                self._add(event, f"'{event.value}' stands here twice")
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
        if not event.implicit[0]:
            return text
        if text.lower() in _WORDS and text in (text.lower(), text.capitalize(), text.upper()):
            return _WORDS[text.lower()]
        if _INTEGER.fullmatch(text):
            return int(text) if len(text) < 20 else self._doubtful(event)
        if _FLOAT.fullmatch(text):
            return float(text)
        return self._doubtful(event) if _DOUBTFUL.fullmatch(text) else text

    def _doubtful(self, event: Any) -> str:
        shown = event.value[:40]
        self._add(event, f'{shown} can be read as several numbers; write "{shown}" if it is text')
        return str(event.value)

    def _add(self, event: Any, message: str) -> None:
        found = place(event)
        self.problems.append(Problem(found.line, found.column, message))


def place(event: Any) -> Place:
    """Return where a parser's event stands."""
    mark = event.start_mark
    return Place(mark.line + 1, mark.column + 1, mark.index, event.end_mark.index)
