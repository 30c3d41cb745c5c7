"""Run the hub command as a person would, and find its processes."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

LONGEST = 600


class Run:
    """One demo in a process of its own."""

    def __init__(self, directory: Path, *words: str, port: int | None = None) -> None:
        self.directory = directory
        self.out = directory.with_name(directory.name + ".out")
        keep = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
        port = port or 23_000 + secrets.randbelow(6_000)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hub", *words, "--directory", str(directory),
             "--port", str(port)],
            stdin=subprocess.DEVNULL, stdout=self.out.open("w"),
            stderr=directory.with_name(directory.name + ".err").open("w"), env=keep,
        )  # fmt: skip

    def figures(self) -> dict[str, Any]:
        """Wait for the end and return the line of JSON."""
        code = self.process.wait(LONGEST)
        text = self.out.read_text()
        assert code == 0, text + self.log()
        found: dict[str, Any] = json.loads(text.splitlines()[-1])
        return found

    def log(self) -> str:
        """Return the end of the hub's log."""
        path = self.directory / "hub.log"
        return path.read_text()[-4000:] if path.exists() else ""

    def wait_for(self, true: Callable[[], bool], seconds: float = 240) -> None:
        """Wait until something is true while the demo runs."""
        deadline = time.monotonic() + seconds
        while not true():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.1)

    def end(self) -> None:
        """End it by its pid, if it still runs."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def service_pids(directory: Path) -> dict[str, int]:
    """Return the process ids of a hub's services, by the word that names each."""
    words = {
        "web": ("hub", "web"), "live": ("hub", "live"), "dispatcher": ("hub", "dispatcher"),
        "fast": ("worker", "fast"), "outward": ("worker", "outward"),
        "heavy": ("worker", "heavy"), "positions": ("hub", "positions"),
        "phones": ("hub", "simulate"), "peers": ("-m", "hub.testing.peers"),
        "queue": ("--unixsocket", ""),
    }  # fmt: skip
    found: dict[str, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            line = (entry / "cmdline").read_bytes().decode().split("\0")
            environ = (entry / "environ").read_bytes().decode(errors="replace")
            leads = os.getpgid(int(entry.name)) == int(entry.name)
        except (OSError, ProcessLookupError):
            continue
        if f"HUB_DIRECTORY={directory}\0" not in environ or not leads:
            continue
        for name, (first, second) in words.items():
            pairs = list(pairwise(line))
            if (first, second) in pairs or (not second and first in line):
                found[name] = int(entry.name)
    return found
