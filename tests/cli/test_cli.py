"""The hub command: quick to help, plain when something is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hub.cli import COMMANDS
from hub.testing.patience import PATIENCE

pytestmark = pytest.mark.whole


def run(*words: str, directory: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the hub command in a directory of its own."""
    keep = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    return subprocess.run(
        [sys.executable, "-m", "hub", *words],
        capture_output=True,
        text=True,
        env={**keep, "HUB_DIRECTORY": str(directory), **environ},
        timeout=3 * PATIENCE,
    )


def test_help_lists_every_command_without_importing_one(tmp_path: Path) -> None:
    done = run("--help", directory=tmp_path)
    assert done.returncode == 0
    for name in COMMANDS.keys() - {"simulate"}:
        assert f"  {name}" in done.stdout


def test_help_imports_no_command_and_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; from hub.cli import cli; cli(['--help'], standalone_mode=False); "
        "print('loaded:', [m for m in sys.modules if m.startswith('hub.cli.') "
        "or m in ('sqlalchemy', 'pydantic', 'flask', 'redis', 'argon2')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded: []"


def test_every_command_explains_itself(tmp_path: Path) -> None:
    for name in COMMANDS:
        done = run(name, "--help", directory=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "Usage:" in done.stdout


def test_a_command_on_an_empty_database_says_what_to_run(tmp_path: Path) -> None:
    done = run("key", "add", "shop", "--scope", "orders:write", directory=tmp_path)
    assert done.returncode == 1
    assert "hub db upgrade" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_key_is_printed_once_and_kept_as_a_hash(tmp_path: Path) -> None:
    assert run("db", "upgrade", directory=tmp_path).returncode == 0
    done = run("key", "add", "shop", "--scope", "orders:write", directory=tmp_path)
    key = done.stdout.strip()
    assert key.startswith("hub_")
    assert key.encode() not in (tmp_path / "hub.db").read_bytes()


def test_an_unknown_driver_is_named(tmp_path: Path) -> None:
    run("db", "upgrade", directory=tmp_path)
    done = run("driver", "link", "Nobody", directory=tmp_path)
    assert done.returncode == 1
    assert "there is no driver Nobody" in done.stderr
