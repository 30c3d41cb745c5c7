"""One new plugin for each flag, built, installed in an environment of its own and run there.

HUB_TEST_CLEAN names the Python of an environment that holds the hub's wheels and the developer's
tools; without it an environment is layered over the present one.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from hub import hookspecs
from hub.cli import cli
from hub.cli.parts import PARTS
from hub.testing.running import install, layered

pytestmark = pytest.mark.chaos
LATER = [kind for kind, part in PARTS.items() if part.hook and not hasattr(hookspecs, part.hook)]
"""Parts whose hook this version does not have yet."""
FLAGS = [kind for kind in PARTS if kind not in LATER]


def named(kind: str) -> str:
    return f"acme_{kind.replace('-', '_')}"


def flags(kind: str) -> list[str]:
    """Return a flag, with a kind of connector where it is a trait."""
    trait = PARTS[kind].place == "connector" and not PARTS[kind].hook
    return ["order-source", kind] if trait else [kind]


@dataclass(frozen=True)
class Clean:
    """A Python with the plugins installed, and the folder of their tests."""

    python: Path
    folder: Path

    def run(self, place: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a module in a folder, with nothing of the present environment's."""
        environ = {name: v for name, v in os.environ.items() if not name.startswith("PYTHON")}
        return subprocess.run(
            [self.python, "-m", *words], cwd=self.folder / place, env=environ,
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Clean:
    """Return an environment in which one plugin for each flag is installed, and their folders."""
    folder = tmp_path_factory.mktemp("clean")
    for kind in FLAGS:
        words = ["plugin", "new", named(kind), *(f"--{flag}" for flag in flags(kind))]
        made = CliRunner().invoke(cli, [*words, "--into", str(folder)])
        assert made.exit_code == 0, made.output
    given = os.environ.get("HUB_TEST_CLEAN")
    python = Path(given) if given else layered(folder / "venv")
    install(python, *(folder / named(kind) for kind in FLAGS))
    # What is tested is what was installed: the folders keep their tests alone.
    for kind in FLAGS:
        (folder / named(kind) / f"hub_{named(kind)}").rename(folder / f"source_{named(kind)}")
    return Clean(python, folder)


@pytest.mark.parametrize("kind", FLAGS)
def test_an_installed_beginning_has_exactly_its_red_tests(clean: Clean, kind: str) -> None:
    told = clean.run(named(kind), "pytest", "-q", "-p", "no:cacheprovider").stdout
    red = re.findall(r"^FAILED \S+::(\w+)", told, re.M)
    assert sorted(red) == sorted(f"test_{PARTS[flag].verb}_is_written" for flag in flags(kind)), (
        told
    )
    words = r"^E +\w+: .*(write \S+; its docstring says what it has to do)"
    assert len(re.findall(words, told, re.M)) == len(red), told


def test_the_installed_modules_have_types_and_style(clean: Clean) -> None:
    packages = [word for kind in FLAGS for word in ("-p", f"hub_{named(kind)}")]
    typed = clean.run(".", "mypy", "--strict", *packages)
    assert typed.returncode == 0, typed.stdout
    sources = [f"source_{named(kind)}" for kind in FLAGS]
    styled = clean.run(
        ".", "ruff", "check", "--no-cache", "--line-length=100", "--select=E,F,W,I,UP,B", *sources
    )
    assert styled.returncode == 0, styled.stdout


def test_the_hub_lists_each_without_an_error(clean: Clean) -> None:
    listed = clean.run(".", "hub", "plugin", "list").stdout
    for kind in FLAGS:
        for flag in flags(kind):
            assert re.search(rf"^{named(kind)} +0\.1\.0 .*{PARTS[flag].hook}", listed, re.M), listed
