"""The road graph of a map for one kind of vehicle, made by the programs of osrm-bindings."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from hub.errors import HubError
from hub.maps.extract import Progress

PROFILES = ("car", "bike", "truck")
LUA = {"car": "car.lua", "bike": "bicycle.lua"}
"""Profiles that come with OSRM; the truck's is ours, on top of its car."""
MISSING = (
    "the road graph is left out: osrm-bindings is not installed (it needs Python 3.12 or "
    "newer); travel times stay approximate on this map"
)
SPARE = (".cnbg", ".cnbg_to_ebg", ".ebg", ".enw", ".restrictions", ".osm.pbf")
"""Endings of what only the making needs."""
STEPS = (
    ("Parse ways and nodes", 0.05), ("Parsing finished", 0.4),
    ("Generating edge-expanded graph", 0.45),
    ("Generating guidance turns", 0.55), ("Building r-tree", 0.6), ("Reading node weights", 0.65),
    ("initializing node priorities", 0.7), ("Contracted graph has", 0.95),
)  # fmt: skip
"""What the programs say on their way, and about how much is then done."""


@dataclass(frozen=True)
class Programs:
    """Where osrm-extract, osrm-contract and the profiles lie."""

    folder: Path

    @property
    def profiles(self) -> Path:
        """The folder of the profiles that OSRM brings."""
        return self.folder / "share" / "profiles"

    def command(self, name: str) -> str:
        """Return the path of one program."""
        return str(self.folder / "bin" / name)


def programs() -> Programs | None:
    """Return where the programs are, or None where osrm-bindings is not installed."""
    spec = find_spec("osrm")
    if spec is None or spec.origin is None:
        return None
    found = Programs(Path(spec.origin).parent)
    return found if Path(found.command("osrm-extract")).is_file() else None


def build(found: Programs, extract: Path, profile: str, folder: Path, progress: Progress) -> None:
    """Write `folder/map.osrm.*` for one profile; raise `HubError` with what OSRM said."""
    folder.mkdir(parents=True)
    source = folder / "map.osm.pbf"
    source.symlink_to(extract.resolve())
    lua = found.profiles / LUA[profile] if profile in LUA else Path(__file__).with_name("truck.lua")
    environ = {**os.environ, "HUB_OSRM_PROFILES": str(found.profiles)}
    run([found.command("osrm-extract"), "-p", str(lua), str(source)], environ, progress)
    run([found.command("osrm-contract"), str(folder / "map.osrm")], environ, progress)
    for path in folder.iterdir():
        if path.name.endswith(SPARE):
            path.unlink()
    progress(1.0)


def run(command: list[str], environ: dict[str, str], progress: Progress) -> None:
    """Run a program to its end, telling how far it is; it never outlives us."""
    process = subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", start_new_session=True,
    )  # fmt: skip
    said: list[str] = []
    try:
        for line in process.stdout or ():
            said = [*said[-20:], line.strip()]
            for words, share in STEPS:
                if words in line:
                    progress(share)
        process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()
    if process.returncode < 0:
        ended = signal.Signals(-process.returncode).name
        raise HubError(
            f"{Path(command[0]).name} was ended by {ended}; is there enough memory and disk for "
            f"an extract of this size? Cut a smaller region out of it"
        )
    if process.returncode:
        raise HubError(f"{Path(command[0]).name} failed: {reason(said) or process.returncode}")


def reason(said: list[str]) -> str:
    """Return the last thing a program said that was no mere information."""
    told = [line for line in said if line and "[info]" not in line]
    return re.sub(r"^\[[^\]]*\] ", "", told[-1]) if told else ""
