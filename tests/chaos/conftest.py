"""Fixtures that start the hub's processes for real, and look after them."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import pytest

from hub.hub import Hub
from hub.queue.bell import install
from hub.testing.patience import PATIENCE, until
from hub.testing.town import town

__all__ = ["town"]

TOY = Path(__file__).parent / "toy.py"


def load_toy() -> ModuleType:
    """Import toy.py by its place: tests are no package."""
    spec = importlib.util.spec_from_file_location("toy", TOY)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Plant:
    """The processes of one hub in a test."""

    def __init__(self, hub: Hub, folder: Path) -> None:
        self.hub = hub
        self.toy = load_toy()
        self.calls_file = folder / "calls"
        self.writes_file = folder / "writes"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.log: IO[bytes] | None = None
        """Where what the processes say goes, if not to where the tests' own words go."""
        install(hub)

    def start(
        self, *words: str, fault: str = "", program: Sequence[str] = (str(TOY),), **more: str
    ) -> subprocess.Popen[bytes]:
        """Start a process of the toy's, or of what else Python shall run.

        `fault` is `point:n` where it shall kill itself.
        """
        environ = os.environ | self.hub.settings.environ()
        environ |= {"TOY_CALLS": str(self.calls_file), "HUB_TRACE_WRITES": str(self.writes_file)}
        environ |= {"HUB_DIRECTORY": str(self.hub.settings.directory), "HUB_FAULT": fault}
        environ |= {"HUB_PROCESS": "-".join(words)} | more
        process = subprocess.Popen(
            [sys.executable, *program, *words], env=environ, stdout=self.log, stderr=self.log
        )
        self.processes.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kill -9 and wait for the end."""
        process.kill()
        process.wait(PATIENCE)

    def calls(self) -> list[str]:
        """Return the key of every outward call that was made, in order."""
        if not self.calls_file.exists():
            return []
        return [line.split()[0] for line in self.calls_file.read_text().splitlines()]

    def recorded(self) -> list[str]:
        """Return the subjects whose outward call is known to have happened."""
        from sqlmodel import col, select

        from hub.store import SettingRow

        with self.hub.store.read() as session:
            names = session.exec(
                select(SettingRow.name).where(col(SettingRow.name).like("called %"))
            )
            return sorted(name.removeprefix("called ") for name in names)

    def wait(self, said: Callable[[], Any], seconds: float = 4 * PATIENCE) -> None:
        """Wait until `said` is true."""
        until(said, seconds)

    def stop(self) -> None:
        """End every process that still runs."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill(process)


@pytest.fixture
def plant(hub: Hub, tmp_path: Path) -> Iterator[Plant]:
    """Return a hub whose processes a test may start and kill."""
    made = Plant(hub, tmp_path)
    yield made
    made.stop()
