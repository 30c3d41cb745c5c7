"""Run the hub command as a person would, and find its processes."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hub.testing.patience import PATIENCE

LONGEST = 600


class Run:
    """One demo in a process of its own."""

    def __init__(
        self, directory: Path, *words: str, port: int | None = None,
        python: str | Path = sys.executable, environ: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.directory = directory
        self.out = directory.with_name(directory.name + ".out")
        keep = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
        port = port or 23_000 + secrets.randbelow(6_000)
        self.process = subprocess.Popen(
            [str(python), "-m", "hub", *words, "--directory", str(directory),
             "--port", str(port)],
            stdin=subprocess.DEVNULL, stdout=self.out.open("w"),
            stderr=directory.with_name(directory.name + ".err").open("w"),
            env={**keep, **(environ or {})},
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
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def layered(folder: Path) -> Path:
    """Return the Python of a fresh environment that also sees what is installed here.

    What is installed there is not seen here.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    place = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = subprocess.run([python, "-c", place], capture_output=True, text=True, check=True)
    below = sysconfig.get_path("purelib")
    line = f"import site; site.addsitedir({below!r})\n"
    Path(own.stdout.strip(), "below.pth").write_text(line)
    return python


def install(python: Path, *packages: Path) -> None:
    """Install wheels or folders into an environment, without what they depend on."""
    words = ["uv", "pip", "install", "-q", "--offline", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [sys.executable, "-m", *words, "--python", str(python), *map(str, packages)],
        check=True, timeout=300,
    )  # fmt: skip


def service_pids(supervisor: int) -> dict[str, int]:
    """Return the process ids of a supervisor's services by name."""
    found: dict[str, int] = {}
    for pid in running():
        try:
            status = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            if int(status[1]) != supervisor or status[0] == "Z":
                continue
            environ = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
            program = Path(f"/proc/{pid}/comm").read_text()
        except OSError:
            continue  # it ended while we looked
        named = [part for part in environ.split("\0") if part.startswith("HUB_PROCESS=")]
        # The queue's server writes its title over its environment.
        name = named[0].partition("=")[2] if named else "queue" if "valkey" in program else ""
        if name:
            found[name] = pid
    return found


def leftovers(directory: Path) -> dict[int, str]:
    """Return every process that works for the hub in `directory`, with its command line."""
    found = {}
    for pid in running():
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
            environ = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if f"HUB_DIRECTORY={directory}\0" in environ or f"{directory}/" in line:
            found[pid] = line.replace("\0", " ")
    return found


def running() -> list[int]:
    """Return the ids of all processes of this machine but our own."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if pid != os.getpid()]
