"""The raw log of a peer: every request in one line of JSON that outlives a kill -9."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Entry:
    """One request and what was answered; times are wall time in RFC 3339."""

    at: str
    service: str
    method: str
    path: str
    status: int
    key: str = ""
    """The Idempotency-Key that came with it."""
    stop: str = ""
    kind: str = ""
    """What it did to that stop: `near`, `note`, `attachment` ...; empty for mere reading."""
    repeat: bool = False
    """Whether it was answered from memory, because its key had been used."""
    sent: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, Any] = field(default_factory=dict)


class RawLog:
    """Append entries to one file; each is with the kernel before the peer answers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        end_broken_line(path)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, entry: Entry) -> None:
        """Append one entry in a single write."""
        os.write(self._file, json.dumps(asdict(entry), ensure_ascii=False).encode() + b"\n")

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def end_broken_line(path: Path) -> None:
    """End a last line that a crash cut short, so that the next entry stands on its own."""
    if not path.exists() or path.stat().st_size == 0:
        return
    with path.open("rb+") as file:
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.write(b"\n")


def entries(path: Path) -> Iterator[Entry]:
    """Yield the entries of one log, or of every `*.jsonl` in a directory, in file order."""
    for file in sorted(path.glob("*.jsonl")) if path.is_dir() else [path]:
        if not file.exists():
            continue
        for line in file.read_bytes().splitlines():
            try:
                yield Entry(**json.loads(line))
            except (ValueError, TypeError):
                continue  # a line that a crash cut short was never answered


def effects(path: Path) -> Iterator[Entry]:
    """Yield what really happened: accepted, naming a stop and a kind, and not a repeat."""
    for entry in entries(path):
        if entry.stop and entry.kind and 200 <= entry.status < 300 and not entry.repeat:
            yield entry


def duplicates(path: Path) -> int:
    """Return how many effects too many a log (or a directory of logs) shows by (stop, kind)."""
    counted = Counter((entry.service, entry.stop, entry.kind) for entry in effects(path))
    return sum(count - 1 for count in counted.values())
