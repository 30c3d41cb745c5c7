"""Where a hub answers, as the other commands of its directory read it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hub import address
from hub.settings import Settings

HOLD = """
import sys
from pathlib import Path
from hub import address
with address.noted(Path(sys.argv[1]), "http://127.0.0.1:8123"):
    print("noted", flush=True)
    sys.stdin.read()
"""


def test_the_settings_of_a_command_have_the_address_of_the_hub_that_runs(tmp_path: Path) -> None:
    with address.noted(tmp_path, "http://127.0.0.1:8123"):
        assert read(tmp_path).public_url == "http://127.0.0.1:8123"
    assert read(tmp_path).public_url == address.UNKNOWN


def test_what_the_environment_says_goes_before_what_is_noted(tmp_path: Path) -> None:
    said = {"HUB_DIRECTORY": str(tmp_path), "HUB_PUBLIC_URL": "https://hub.example"}
    with address.noted(tmp_path, "http://127.0.0.1:8123"):
        assert Settings.read(said).public_url == "https://hub.example"


def test_a_killed_hub_leaves_no_address_behind(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    assert address.running(tmp_path) == "http://127.0.0.1:8123"
    process.kill()
    process.communicate()
    assert (tmp_path / address.NAME).read_text() == "http://127.0.0.1:8123"
    assert address.running(tmp_path) == ""


def test_the_hub_that_came_first_keeps_its_note(tmp_path: Path) -> None:
    with address.noted(tmp_path, "http://127.0.0.1:8123"):
        with address.noted(tmp_path, "http://127.0.0.1:8124"):
            assert address.running(tmp_path) == "http://127.0.0.1:8123"
        assert address.running(tmp_path) == "http://127.0.0.1:8123"


def test_a_machine_without_the_directory_notes_nothing_and_runs(tmp_path: Path) -> None:
    with address.noted(tmp_path / "none", "http://127.0.0.1:8123"):
        assert address.running(tmp_path / "none") == ""
    assert not (tmp_path / "none").exists()


def test_an_address_that_is_known_is_not_doubted(tmp_path: Path) -> None:
    assert "hub up" in address.doubt(tmp_path, address.UNKNOWN, {})
    said = {"HUB_PUBLIC_URL": "https://hub.example"}
    assert address.doubt(tmp_path, "https://hub.example", said) == ""
    with address.noted(tmp_path, "http://127.0.0.1:8123"):
        assert address.doubt(tmp_path, "http://127.0.0.1:8123", {}) == ""


def read(directory: Path) -> Settings:
    return Settings.read({"HUB_DIRECTORY": str(directory)})
