"""Loading: whole or not at all, replaced as one, removed, and told how far it is."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from hub.errors import HubError, Missing, Refused
from hub.maps import LoadedMap, covering, gazetteer, loaded, roads, tiles
from hub.maps import load as loading
from hub.maps.load import is_current, load, name_of, remove, tidy
from hub.nouns import Location
from tests.maps.conftest import NOW
from tests.maps.town import EAST, NORTH, SOUTH, WEST
from tests.needs import osrm, shared, shared_folder

INSIDE, OUTSIDE = Location(lat=47.14, lon=9.52), Location(lat=46.0, lon=9.52)


def names(folder: Path) -> list[str]:
    """Return all that lies in a folder, hidden things too."""
    return sorted(path.name for path in folder.iterdir())


def test_a_loaded_map_says_what_it_is_and_what_it_covers(one: LoadedMap) -> None:
    assert loaded(one.folder.parent) == (one,)
    assert (one.name, one.title, one.built_at) == ("neustadt", "Neustadt", NOW)
    assert one.bounds == pytest.approx((SOUTH, WEST, NORTH, EAST))
    assert one.credit == "© OpenStreetMap contributors"
    assert one.covers([INSIDE])
    assert not one.covers([INSIDE, OUTSIDE])
    assert not one.covers([])
    assert covering(one.folder.parent, [INSIDE]) == one
    assert covering(one.folder.parent, [OUTSIDE]) is None


def test_without_a_road_graph_there_is_no_path_to_one(one: LoadedMap) -> None:
    assert one.osrm("car") is None


def test_stages_are_told_from_their_beginning_to_their_end(town: Path, tmp_path: Path) -> None:
    told: dict[str, list[float]] = {}
    tell = lambda stage, share: told.setdefault(stage, []).append(share)  # noqa: E731
    load(tmp_path, town, now=NOW, profiles=(), tell=tell)
    assert list(told) == ["reading", "streets", "addresses"]
    assert all(shares == sorted(shares) and shares[-1] == 1 for shares in told.values())


def test_a_map_of_the_same_name_is_replaced_as_one(town: Path, tmp_path: Path) -> None:
    first = load(tmp_path, town, now=NOW, profiles=()).map
    second = load(tmp_path, town, now=NOW + timedelta(hours=1), profiles=()).map
    assert loaded(tmp_path) == (second,)
    assert second.version != first.version
    assert names(tmp_path) == ["neustadt"]


@pytest.mark.parametrize("broken", [KeyboardInterrupt, RuntimeError])
def test_what_is_broken_off_leaves_nothing_and_keeps_the_map_before(
    town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: type[BaseException]
) -> None:
    before = load(tmp_path, town, now=NOW, profiles=()).map

    def stop(*_: object) -> int:
        raise broken

    monkeypatch.setattr(tiles, "write", stop)
    with pytest.raises(broken):
        load(tmp_path, town, now=NOW + timedelta(hours=1), profiles=())
    assert loaded(tmp_path) == (before,)
    assert names(tmp_path) == ["neustadt"]


def test_a_half_built_map_is_not_loaded(town: Path, tmp_path: Path) -> None:
    one = load(tmp_path, town, now=NOW, profiles=()).map
    one.places.unlink()
    assert loaded(tmp_path) == ()


@pytest.mark.parametrize("notes", ["", "{", "[]", '{"format": 99}'])
def test_a_map_with_unreadable_notes_is_not_loaded(town: Path, tmp_path: Path, notes: str) -> None:
    one = load(tmp_path, town, now=NOW, profiles=()).map
    (one.folder / "map.json").write_text(notes)
    assert loaded(tmp_path) == ()


def test_what_a_killed_loading_left_is_tidied_up_and_the_old_map_comes_back(
    town: Path, tmp_path: Path
) -> None:
    one = load(tmp_path, town, now=NOW, profiles=()).map
    child = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                           capture_output=True, text=True, check=True)  # fmt: skip
    dead = int(child.stdout)
    one.folder.rename(tmp_path / f".neustadt.{dead}.old")
    (tmp_path / f".neustadt.{dead}.part").mkdir()
    (tmp_path / f".other.{os.getppid()}.part").mkdir()
    tidy(tmp_path)
    assert names(tmp_path) == [f".other.{os.getppid()}.part", "neustadt"]


def test_a_map_is_removed_by_its_name(town: Path, tmp_path: Path) -> None:
    load(tmp_path, town, now=NOW, profiles=())
    remove(tmp_path, "neustadt")
    assert names(tmp_path) == []
    with pytest.raises(Missing, match="no map 'neustadt'; none is loaded"):
        remove(tmp_path, "neustadt")


@pytest.mark.parametrize("name", ["../up", "A B", ".hidden", "a/b"])
def test_a_name_that_is_no_folder_of_its_own_is_refused(
    town: Path, tmp_path: Path, name: str
) -> None:
    with pytest.raises(Refused, match="no name for a map"):
        load(tmp_path / "maps", town, now=NOW, name=name)
    assert not (tmp_path / "maps").exists()


def test_what_is_no_extract_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "fake.osm.pbf").write_bytes(b"\0\0\0\rnonsense" * 99)
    with pytest.raises(
        Refused, match=r"fake\.osm\.pbf cannot be read: .* no OpenStreetMap extract"
    ):
        load(tmp_path / "maps", tmp_path / "fake.osm.pbf", now=NOW)
    with pytest.raises(Refused, match="there is no file"):
        load(tmp_path / "maps", tmp_path / "none.osm.pbf", now=NOW)
    assert names(tmp_path / "maps") == []


def test_an_extract_that_is_cut_off_is_refused_and_nothing_stays(
    town: Path, tmp_path: Path
) -> None:
    half = tmp_path / "half.osm.pbf"
    half.write_bytes(town.read_bytes()[: town.stat().st_size // 2])
    with pytest.raises(Refused, match=r"half\.osm\.pbf cannot be read: it is cut off, damaged"):
        load(tmp_path / "maps", half, now=NOW)
    assert names(tmp_path / "maps") == []


@pytest.mark.parametrize(
    "said",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        sqlite3.OperationalError("database or disk is full"),
        HubError("osrm-extract failed: No space left on device"),
    ],
)
def test_a_disk_that_gets_full_is_told_of_and_the_map_before_stays(
    town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Exception
) -> None:
    before = load(tmp_path, town, now=NOW, profiles=()).map

    def stop(*_: object) -> int:
        raise said

    monkeypatch.setattr(gazetteer, "write", stop)
    with pytest.raises(Refused, match=r"has too little room: .* nothing was loaded"):
        load(tmp_path, town, now=NOW + timedelta(hours=1), profiles=())
    assert loaded(tmp_path) == (before,)
    assert names(tmp_path) == ["neustadt"]


def test_an_extract_larger_than_the_disk_is_refused_before_anything_is_built(
    town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 8, 1))
    with pytest.raises(Refused, match="has too little room"):
        load(tmp_path / "maps", town, now=NOW)
    assert names(tmp_path / "maps") == []


def test_an_unknown_profile_is_refused(town: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no profile 'ship'; there are car, bike, truck"):
        load(tmp_path, town, now=NOW, profiles=("car", "ship"))


def test_without_osrm_the_rest_is_built_and_it_is_said(
    town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading.roads, "programs", lambda: None)
    done = load(tmp_path, town, now=NOW, profiles=("car",))
    assert "the road graph is left out" in done.left_out
    assert done.map.profiles == ()
    assert is_current(done.map, town, ("car",))


def test_names_come_from_files(tmp_path: Path) -> None:
    assert name_of(tmp_path / "Tirol-latest.osm.pbf") == "tirol"
    assert name_of(tmp_path / "São Paulo.osm.pbf") == "sao-paulo"


def test_a_program_that_fails_is_told_in_its_own_words(tmp_path: Path) -> None:
    script = "import sys; print('[error] no memory'); sys.exit(3)"
    with pytest.raises(HubError, match="no memory"):
        roads.run([sys.executable, "-c", script], dict(os.environ), lambda share: None)


def test_a_program_that_is_killed_is_said_to_lack_memory_or_disk(tmp_path: Path) -> None:
    script = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(HubError, match="was ended by SIGKILL; is there enough memory"):
        roads.run([sys.executable, "-c", script], dict(os.environ), lambda share: None)


def test_a_program_ends_with_us(tmp_path: Path) -> None:
    note = tmp_path / "process"
    script = (
        f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); "
        "print('Building r-tree', flush=True); time.sleep(600)"
    )

    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        roads.run([sys.executable, "-c", script], dict(os.environ), stop)
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)


@osrm()
def test_a_road_graph_is_built_for_every_profile(town: Path, tmp_path: Path) -> None:
    import osrm as engine

    one = load(tmp_path, town, now=NOW, profiles=("car", "bike", "truck")).map
    seconds = {}
    for profile in ("car", "bike", "truck", "van"):
        path = one.osrm(profile)  # type: ignore[arg-type]
        made = engine.OSRM(storage_config=str(path), algorithm="CH", use_shared_memory=False)
        ends = [(9.5150, 47.1410), (9.5260, 47.1412)]
        way = made.Route(engine.RouteParameters(coordinates=ends))
        seconds[profile] = way["routes"][0]["duration"]
    assert seconds["van"] == seconds["car"] < seconds["truck"] < seconds["bike"]


@shared("maps")
def test_a_whole_country_is_read(tmp_path: Path) -> None:
    extract = (shared_folder("maps") or tmp_path) / "liechtenstein.osm.pbf"
    done = load(tmp_path, extract, now=NOW, profiles=())
    assert done.map.addresses > 3000
    assert done.tiles > 150
