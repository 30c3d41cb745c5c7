"""Orders from files that another system puts into a folder: each file once, and only whole ones.

The cursor says which files are read and how far the present one is. A file is moved away only when
the cursor that says so came back from the hub a while later: until then nobody knows whether what
was read of it was kept.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, BinaryIO, Protocol

from pydantic import BaseModel, ConfigDict

from hub import Cursor, RefusedRow, Rejected
from hub.builtin.generic import tables
from hub.builtin.generic.shape import Shape
from hub.builtin.generic.tables import Thing
from hub.errors import Refused

TOGETHER = 100
"""Orders between two cursors of one file."""
MOST_FILES = 1_000
"""Files that a folder may have; the cursor names them all."""
LARGEST = 200_000_000
"""Bytes of one file."""
QUIET, STILL = 600, 30
"""Seconds after which a file counts as whole: since its last change, and between two looks."""
SETTLED = 120
"""Seconds after which a reading counts as kept; a mere look at what would come in ends sooner."""
UNFINISHED = (".tmp", ".part", ".partial", ".filepart", ".crdownload", ".done")
DONE, FAILED = "done", "failed"
MARKER = ".done"


@dataclass(frozen=True)
class Entry:
    """One file of a folder."""

    name: str
    size: int
    changed: int
    """Seconds since 1970, by the clock of its machine."""

    @property
    def mark(self) -> str:
        """By what the same file is known again."""
        told = f"{self.size}:{self.changed}".encode()
        return hashlib.sha256(told).hexdigest()[:10]


class Directory(Protocol):
    """A folder, here or on another machine; everything fails in the hub's words."""

    def entries(self) -> list[Entry]:
        """Return the files that lie in it."""
        ...

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Open a file; raise `FileNotFoundError` where there is none."""
        ...

    def move(self, name: str, into: str) -> None:
        """Move a file into a folder below; what lies there under its name is kept."""
        ...


class Look(BaseModel):
    """What is known of a folder; as JSON it is the cursor."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    file: str = ""
    """The file that is being read, its mark, and how far."""
    mark: str = ""
    at: int = 0
    seen: dict[str, tuple[str, int]] = {}
    """Files that may still be written: their mark, and when they were first seen so."""
    done: dict[str, tuple[str, int, int]] = {}
    """Files that are read: their mark, when, and whether nothing of them could be."""

    @classmethod
    def of(cls, cursor: Cursor) -> Look:
        """Return what a cursor stands for; an empty one has seen nothing."""
        return cls.model_validate_json(cursor.value) if cursor.value else cls()

    def cursor(self) -> Cursor:
        """Return the cursor that stands for this."""
        told = self.model_dump_json(exclude_defaults=True)
        return Cursor(value="" if told == "{}" else told)

    def but(self, **changed: Any) -> Look:
        """Return the same with some of it changed."""
        return self.model_copy(update=changed)

    def read(self, entry: Entry, failed: bool) -> Look:
        """Return the same once a file is read."""
        done = {**self.done, entry.name: (entry.mark, int(time.time()), int(failed))}
        return self.but(file="", mark="", at=0, done=done)


def pull(folder: Directory, shape: Shape, cursor: Cursor) -> Iterator[Thing | Cursor]:
    """Yield the file that the cursor names; without one, choose the next and say so first."""
    look = Look.of(cursor)
    every = folder.entries()
    own = [entry for entry in every if fits(entry, shape)]
    if len(own) > MOST_FILES:
        raise Rejected(
            f"the folder has more than {MOST_FILES:,} files; move those that are read away, or "
            "let the hub do it",
            "after",
        )
    if not look.file:
        look = tidied(folder, shape, look, own)
        whole, waiting = ready(every, own, shape, look)
        look = look.but(seen={entry.name: seen_at(entry, look) for entry in waiting})
        if whole:
            first = min(whole, key=lambda entry: (entry.changed, entry.name))
            look = look.but(file=first.name, mark=first.mark)
        yield look.cursor()
    if look.file:
        yield from one_file(folder, shape, look, own)


def fits(entry: Entry, shape: Shape) -> bool:
    """Say whether a file is one of those that are read."""
    name = entry.name
    hidden = name.startswith((".", "~")) or name.lower().endswith(UNFINISHED)
    return not hidden and fnmatchcase(name.lower(), shape.pattern.lower())


def tidied(folder: Directory, shape: Shape, look: Look, own: list[Entry]) -> Look:
    """Move files away that were read a while ago, and forget those that are gone."""
    there = {entry.name: entry for entry in own}
    done = {name: told for name, told in look.done.items() if name in there}
    if shape.after == "move":
        for name, (mark, at, failed) in list(done.items()):
            if there[name].mark == mark and time.time() - at > SETTLED:
                folder.move(name, FAILED if failed else DONE)
                del done[name], there[name]
                own[:] = list(there.values())
    return look.but(done=done)


def ready(
    every: list[Entry], own: list[Entry], shape: Shape, look: Look
) -> tuple[list[Entry], list[Entry]]:
    """Return the files that are whole and not read yet, and those that may still be written."""
    names = {entry.name for entry in every}
    new = [entry for entry in own if look.done.get(entry.name, ("",))[0] != entry.mark]
    whole = [entry for entry in new if is_whole(entry, names, shape, look)]
    return whole, [entry for entry in new if entry not in whole]


def is_whole(entry: Entry, names: set[str], shape: Shape, look: Look) -> bool:
    """Say whether a file is no longer written."""
    if shape.ready == "renamed":
        return True
    if shape.ready == "marker":
        return f"{entry.name}{MARKER}" in names
    mark, first = look.seen.get(entry.name, ("", 0))
    still = mark == entry.mark and time.time() - first >= STILL
    return still or time.time() - entry.changed >= QUIET


def seen_at(entry: Entry, look: Look) -> tuple[str, int]:
    """Return since when a file has been as it is."""
    known = look.seen.get(entry.name)
    return known if known and known[0] == entry.mark else (entry.mark, int(time.time()))


def one_file(
    folder: Directory, shape: Shape, look: Look, own: list[Entry]
) -> Iterator[Thing | Cursor]:
    """Yield what the present file has behind the cursor; what cannot be read at all is told."""
    entry = next((one for one in own if one.name == look.file), None)
    if entry is not None and entry.mark != look.mark:
        look = look.but(mark=entry.mark, at=0)  # it was replaced: what is known comes once
    known = entry or Entry(look.file, 0, 0)
    failed = False
    try:
        if entry is not None and entry.size > LARGEST:
            raise Refused(f"it has more than {LARGEST:,} bytes; write several files")
        with opened(folder, look.file) as file:
            yield from spread(tables.pairs(file, shape, look.at), look)
    except FileNotFoundError:
        yield look.but(file="", mark="", at=0).cursor()
        return
    except Refused as error:
        if error.field == "fields":
            raise Rejected(str(error), "fields") from None
        failed = True
        yield RefusedRow(line=1, reason=f"{look.file[:100]}: {error}"[:500])
    yield look.read(known, failed).cursor()


@contextmanager
def opened(folder: Directory, name: str) -> Iterator[BinaryIO]:
    """Open a file where it lies, or where it was moved since."""
    with ExitStack() as stack:
        try:
            file = stack.enter_context(folder.open(name))
        except FileNotFoundError:
            file = stack.enter_context(folder.open(f"{DONE}/{name}"))
        yield file


def spread(pairs: Iterator[tuple[int, Thing | None]], look: Look) -> Iterator[Thing | Cursor]:
    """Yield the orders of a file, and after every hundred how far that is."""
    since = 0
    for at, thing in pairs:
        if isinstance(thing, RefusedRow):
            said = f"{look.file[:100]}, {thing.reason}"
            yield thing.model_copy(update={"reason": said[:500]})
        elif thing is not None:
            yield thing
        since += 1
        if since >= TOGETHER:
            yield look.but(at=at).cursor()
            since = 0


def records(folder: Directory, shape: Shape, most: int) -> list[Any]:
    """Return the first records of the newest file that can be read, as they come."""
    own = sorted((e for e in folder.entries() if fits(e, shape)), key=lambda e: -e.changed)
    for entry in own[:5]:
        found: list[Any] = []
        try:
            with folder.open(entry.name) as file:
                for one in tables.found_in(file, shape):
                    if not one.fault:
                        found.append(one.record)
                    if len(found) == most:
                        break
        except (Refused, FileNotFoundError) as error:
            if entry is own[min(len(own), 5) - 1]:
                raise Rejected(f"{entry.name[:100]}: {error}", "format") from None
            continue
        if found:
            return found
    return []
