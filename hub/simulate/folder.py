"""What a demo keeps in its directory beside the hub's own data."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

from hub.simulate.script import Day


class Folder:
    """The demo's notes: `demo.json` says what to play, `marks.json` what has been done."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def read(self) -> dict[str, Any]:
        """Return what to play."""
        return self._load("demo.json")

    def write(self, notes: dict[str, Any]) -> None:
        """Keep what to play; it holds keys, so only its owner may read it."""
        self._save("demo.json", notes)

    def day(self) -> Day:
        """Return the day in play."""
        notes = self.read()
        return Day(date.fromisoformat(notes["date"]), notes["number"])

    def marked(self, name: str) -> bool:
        """Say whether something has been done."""
        return name in self._load("marks.json")

    def mark(self, name: str, value: Any = True) -> None:
        """Remember that something has been done."""
        self._save("marks.json", {**self._load("marks.json"), name: value})

    def mark_of(self, name: str) -> Any:
        """Return what was remembered under `name`, or None."""
        return self._load("marks.json").get(name)

    def _load(self, name: str) -> dict[str, Any]:
        path = self.directory / name
        found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def _save(self, name: str, value: dict[str, Any]) -> None:
        draft = self.directory / f"{name}.new"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(value, file, indent=1)
        os.replace(draft, self.directory / name)
