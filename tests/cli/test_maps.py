"""`hub map` from a terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from hub.cli import cli
from hub.errors import Missing, Refused
from hub.testing.patience import PATIENCE
from tests.maps.town import write_town


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The extract of a little town, and a directory of a hub."""
    monkeypatch.setenv("HUB_DIRECTORY", str(tmp_path / "hub"))
    return write_town(tmp_path / "neustadt.osm.pbf")


def call(*words: str) -> str:
    """Run a command that has to work and return what it says."""
    done = CliRunner().invoke(cli, ["map", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_a_map_is_loaded_listed_searched_and_removed(town: Path) -> None:
    said = call("load", str(town))
    assert "neustadt is loaded after" in said
    assert "© OpenStreetMap contributors" in said
    rows = json.loads(call("list", "--json"))
    assert [(row["name"], row["addresses"] > 20) for row in rows] == [("neustadt", True)]
    found = json.loads(call("find", "bahnhofstr. 5, Neustadt", "--json"))[0]
    assert (found["address"], found["confidence"]) == ("Bahnhofstrasse 5, 9999 Neustadt", 0.95)
    call("remove", "neustadt")
    assert json.loads(call("list", "--json")) == []


def test_every_stage_is_told_in_a_line_of_its_own_where_nobody_watches(town: Path) -> None:
    command = [sys.executable, "-m", "hub", "map", "load", str(town)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    stages = [line.split("━")[0].strip() for line in done.stderr.splitlines() if "━" in line]
    assert stages[:3] == ["reading", "streets", "addresses"]


def test_ctrl_c_leaves_nothing_behind(town: Path, tmp_path: Path) -> None:
    script = (
        "import hub.maps.tiles, sys, time\n"
        "def slow(*_):\n"
        "    print('there', flush=True); time.sleep(600)\n"
        "hub.maps.tiles.write = slow\n"
        "from hub.cli import main; main()\n"
    )
    command = [sys.executable, "-c", script, "map", "load", str(town)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"there\n"
        os.kill(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=3 * PATIENCE)
    assert process.returncode == 130
    assert b"Stopped; nothing was loaded." in said
    assert list((tmp_path / "hub" / "maps").iterdir()) == []


def test_either_a_file_or_a_region(town: Path) -> None:
    assert CliRunner().invoke(cli, ["map", "load"]).exit_code == 2
    assert CliRunner().invoke(cli, ["map", "load", str(town), "--region", "x"]).exit_code == 2


def test_what_is_missing_is_said(town: Path) -> None:
    with pytest.raises(Refused, match="HUB_MAP_DOWNLOADS"):
        call("load", "--region", "europe/liechtenstein")
    with pytest.raises(Missing, match="no loaded map knows"):
        call("find", "Städtle 15, Vaduz")
    assert "No map is loaded" in call("list")
