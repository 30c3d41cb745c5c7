"""A new plugin begins with files that load, pass the checks, and say what is left to write."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub import hookspecs
from hub.cli import cli
from hub.cli.parts import PARTS
from hub.errors import Refused
from hub.plugins import HOOKS

LATER = [kind for kind, part in PARTS.items() if part.hook and not hasattr(hookspecs, part.hook)]
"""Parts whose hook this version does not have yet."""
KINDS = [kind for kind in PARTS if kind not in LATER]


def new(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["plugin", "new", *words, "--into", str(folder)])


def install(folder: Path, name: str) -> dict[str, str]:
    """Let a plugin be found as if it were installed; return the environment for that."""
    project = tomllib.loads((folder / name / "pyproject.toml").read_text())["project"]
    info = folder / name / f"hub_{name}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    points = project["entry-points"]["hub"]
    lines = "".join(f"{point} = {module}\n" for point, module in points.items())
    (info / "entry_points.txt").write_text(f"[hub]\n{lines}")
    path = os.pathsep.join([str(folder / name), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path}


def run(folder: Path, environ: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, env=environ, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip


def test_there_is_a_flag_for_every_hook() -> None:
    assert set(HOOKS) <= {part.hook for part in PARTS.values()}


@pytest.mark.parametrize("kinds", [["channel"], ["function"], KINDS], ids="+".join)
def test_one_test_for_each_kind_is_red_and_says_what_to_write(
    tmp_path: Path, kinds: list[str]
) -> None:
    assert new(tmp_path, "acme", *(f"--{kind}" for kind in kinds)).exit_code == 0
    written = sorted(
        str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()
    )
    assert written == [
        "acme/.gitignore", "acme/README.md", "acme/hub_acme/__init__.py", "acme/hub_acme/py.typed",
        "acme/pyproject.toml", "acme/tests/test_acme.py",
    ]  # fmt: skip
    environ = install(tmp_path, "acme")
    told = run(tmp_path / "acme", environ, "pytest", "-q", "-p", "no:cacheprovider").stdout
    red = re.findall(r"^FAILED \S+::test_(\w+)_is_written", told, re.M)
    verbs = [PARTS[kind].verb for kind in kinds]
    assert sorted(red) == sorted(verbs), told
    for verb in verbs:
        assert re.search(
            rf"write (Acme\.|acme_)?{verb}; its docstring says what it has to do", told
        )
    assert re.search(rf"{len(kinds)} failed, \d+ passed", told), told


def test_what_is_written_has_types_and_style(tmp_path: Path) -> None:
    new(tmp_path, "two_words", *(f"--{kind}" for kind in PARTS))
    folder = tmp_path / "two_words"
    typed = run(folder, dict(os.environ), "mypy", ".")
    assert typed.returncode == 0, typed.stdout
    for words in (["check"], ["format", "--check"]):
        styled = run(folder, dict(os.environ), "ruff", *words, "--no-cache", ".")
        assert styled.returncode == 0, styled.stdout
    assert "class TwoWords(" in (folder / "hub_two_words" / "__init__.py").read_text()


def test_a_plugin_of_no_kind_or_with_a_strange_or_taken_name_is_not_begun(tmp_path: Path) -> None:
    assert "say what it is to be" in new(tmp_path, "acme").output
    assert "small letters" in new(tmp_path, "Acme-2", "--channel").output
    assert "a plugin folder is installed already" in new(tmp_path, "folder", "--channel").output
    assert "say which kind, too" in new(tmp_path, "acme", "--webhook", "--page").output
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    new(tmp_path, "acme", "--channel")
    again = new(tmp_path, "acme", "--geocoder")
    assert isinstance(again.exception, Refused)
    assert "def send" in (tmp_path / "acme" / "hub_acme" / "__init__.py").read_text()
