"""Build a map of an extract, stage by stage, and put it in its place whole; remove one."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from hub.errors import HubError, Missing, Refused
from hub.maps import catalogue, gazetteer, roads, tiles
from hub.maps import extract as extracts
from hub.maps.catalogue import CREDIT, LoadedMap
from hub.maps.spelling import folded

Tell = Callable[[str, float], None]
"""Called with a stage's name and how much of it is done, from 0 to 1."""
FULL = (errno.ENOSPC, errno.EDQUOT)
SAID_FULL = ("No space left on device", "disk is full", "Disk quota exceeded")
"""What programs and SQLite say of a full disk."""
NAME = re.compile(r"^[a-z0-9][a-z0-9_-]{0,62}$")


@dataclass(frozen=True)
class Loading:
    """What became of a loading."""

    map: LoadedMap
    left_out: str = ""
    """Why there is no road graph; empty where there is one."""
    tiles: int = 0


def name_of(path: Path) -> str:
    """Return the name that a map gets of its file: `tyrol-latest.osm.pbf` -> tyrol."""
    plain = path.name.split(".")[0].removesuffix("-latest")
    return re.sub(r"[^a-z0-9_-]+", "-", folded(plain)).strip("-_") or "map"


def load(
    directory: Path,
    extract: Path,
    *,
    now: datetime,
    name: str = "",
    profiles: Sequence[str] = ("car",),
    tell: Tell = lambda stage, share: None,
) -> Loading:
    """Build the map of an extract and put it into the folder of maps; one of its name is replaced.

    Nothing of it is seen before it is whole, and nothing stays of one that is broken off. Raise
    `Refused` for a file that is no extract, a name that cannot be one, an unknown profile, or a
    full disk.
    """
    name = name or name_of(extract)
    check(extract, name, profiles)
    directory.mkdir(parents=True, exist_ok=True)
    tidy(directory)
    with room(directory, extract), scaffold(directory, name) as folder:
        bounds, count, known = draw(extract, folder, tell)
        driven = drive(extract, folder, profiles, tell)
        one = LoadedMap(
            name=name, title=name.replace("-", " ").replace("_", " ").title(), folder=folder,
            bounds=bounds, profiles=driven, credit=CREDIT, built_at=now,
            source=f"{extract.name}:{digest(extract)}", addresses=known,
        )  # fmt: skip
        catalogue.write(folder, one)
        place(directory, folder, name)
    missing = roads.MISSING if profiles and not driven else ""
    return Loading(replace(one, folder=directory / name), missing, count)


def draw(
    extract: Path, folder: Path, tell: Tell
) -> tuple[tuple[float, float, float, float], int, int]:
    """Write streets and places; return the bounds, the number of tiles, that of house numbers."""
    found = extracts.read(extract, lambda share: tell("reading", share))
    count = tiles.write(folder / catalogue.STREETS, found, lambda share: tell("streets", share))
    known = gazetteer.write(
        folder / catalogue.PLACES, found, lambda share: tell("addresses", share)
    )
    return found.bounds, count, known


def drive(extract: Path, folder: Path, profiles: Sequence[str], tell: Tell) -> tuple[str, ...]:
    """Write the road graphs; return for which profiles, none where OSRM is not installed."""
    programs = roads.programs()
    if programs is None:
        return ()
    for profile in dict.fromkeys(profiles):
        told = partial(tell, f"road graph, {profile}")
        roads.build(programs, extract, profile, folder / "osrm" / profile, told)
    return tuple(dict.fromkeys(profiles))


def check(extract: Path, name: str, profiles: Sequence[str]) -> None:
    """Raise `Refused` for what cannot be loaded."""
    if not extract.is_file():
        raise Refused(f"there is no file {extract}; give an extract (.osm.pbf)")
    if not NAME.match(name):
        raise Refused(f"{name!r} is no name for a map; use a-z, 0-9, - and _ (--name)")
    unknown = sorted(set(profiles) - set(roads.PROFILES))
    if unknown:
        raise Refused(f"there is no profile {unknown[0]!r}; there are {', '.join(roads.PROFILES)}")
    try:
        import osmium  # noqa: F401
    except ImportError as error:
        raise Refused("reading extracts needs osmium: pip install 'lastmile-hub[maps]'") from error


def digest(extract: Path) -> str:
    """Return the sha256 of an extract."""
    with extract.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_current(one: LoadedMap, extract: Path, profiles: Sequence[str]) -> bool:
    """Say whether a loaded map was made of this very extract and has these road graphs."""
    if one.source != f"{extract.name}:{digest(extract)}":
        return False
    return set(profiles) <= set(one.profiles) or roads.programs() is None


@contextmanager
def room(directory: Path, extract: Path) -> Iterator[None]:
    """Raise `Refused` for a disk on which a map has no room, before or while it is built."""
    need, free = extract.stat().st_size, shutil.disk_usage(directory).free
    if free < need:
        raise Refused(full(directory, free))
    try:
        yield
    except (OSError, sqlite3.Error, HubError) as error:
        if getattr(error, "errno", None) in FULL or any(word in str(error) for word in SAID_FULL):
            free = shutil.disk_usage(directory).free
            raise Refused(full(directory, free)) from error
        raise


def full(directory: Path, free: int) -> str:
    """Return what to say of a disk that has too little room."""
    return (
        f"the disk of {directory} has too little room: {free / 1e6:,.0f} MB are free, and a map "
        f"takes up to ten times the size of its extract; nothing was loaded. Make room, or choose "
        f"another HUB_DIRECTORY"
    )


@contextmanager
def scaffold(directory: Path, name: str) -> Iterator[Path]:
    """Give a folder to build in, beside where the map will lie; it is gone at the end."""
    folder = directory / f".{name}.{os.getpid()}.part"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def place(directory: Path, folder: Path, name: str) -> None:
    """Move a whole map to its place, and the one that was there out of the way."""
    old = directory / f".{name}.{os.getpid()}.old"
    if (directory / name).exists():
        (directory / name).rename(old)
    folder.rename(directory / name)
    shutil.rmtree(old, ignore_errors=True)


def tidy(directory: Path) -> None:
    """Remove what a loading left that was killed; a map that it had moved away comes back."""
    for path in directory.glob(".*.*.*"):
        name, process, state = path.name[1:].rsplit(".", 2)
        if not process.isdigit() or is_running(int(process)):
            continue
        if state == "old" and not (directory / name).exists():
            path.rename(directory / name)
        else:
            shutil.rmtree(path, ignore_errors=True)


def is_running(process: int) -> bool:
    """Say whether a process lives, this one not counted."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def remove(directory: Path, name: str) -> None:
    """Remove a map; raise `Missing` where there is none of that name."""
    known = [path.name for path in directory.glob("*") if path.is_dir() and path.name[0] != "."]
    if name not in known:
        there = f"there are {', '.join(sorted(known))}" if known else "none is loaded"
        raise Missing(f"there is no map {name!r}; {there}")
    gone = directory / f".{name}.{os.getpid()}.gone"
    (directory / name).rename(gone)
    shutil.rmtree(gone, ignore_errors=True)
