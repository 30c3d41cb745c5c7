"""The kit runs outside the repository: the hub's wheel, a plugin's wheel, and pytest alone."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "hub-pebble"
version = "0.3.0"
dependencies = ["lastmile-hub>=0.1"]

[project.entry-points.hub]
pebble = "hub_pebble"

[tool.hatch.build.targets.wheel]
only-include = ["hub_pebble.py", "hub_pebble.grade.json"]
"""
MODULE = '''\
"""Text messages through Pebble."""

from __future__ import annotations

from pydantic import BaseModel, Field, SecretStr

from hub import Channel, Connector, Http, Message, Receipt, Url, hookimpl


class Config(BaseModel):
    """What opens Pebble."""

    url: Url = Field(default="https://pebble.example", title="Address")
    token: SecretStr = Field(title="Token")


class Pebble(Connector[Config]):
    """Sends each key once."""

    name = "pebble"
    title = "Pebble"
    Config = Config

    def check(self) -> None:
        self.http.get("/account")

    def send(self, message: Message) -> Receipt:
        self.http.post("/", json={}, headers={"Idempotency-Key": message.key})
        return Receipt(detail="sent")

    @property
    def http(self) -> Http:
        return Http(self.config.url, X_Token=self.config.token.get_secret_value())


@hookimpl
def notification_channels() -> list[type[Channel]]:
    return [Pebble]
'''
TESTS = """\
from hub.testing.conformance import SECRET, ConnectorTests
from hub_pebble import Pebble

pytest_plugins = ["hub.testing.fixtures"]


class TestPebble(ConnectorTests):
    connector = Pebble
    config = {"token": SECRET}


def test_the_fixtures_are_there(settings):
    assert settings.database_url
"""
GRADE = """\
{"plugin": "pebble", "version": "0.3.0", "kit": "0.1.0", "grade": "silver", "checks": 28}
"""


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the hub's and a plugin's wheel into a folder, offline; return where the tests are."""
    folder = tmp_path_factory.mktemp("outside")
    source = folder / "pebble"
    (source / "tests").mkdir(parents=True)
    (source / "pyproject.toml").write_text(PROJECT)
    (source / "hub_pebble.py").write_text(MODULE)
    (source / "hub_pebble.grade.json").write_text(GRADE)
    (source / "tests" / "test_pebble.py").write_text(TESTS)
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    target = ["--target", str(folder / "site"), str(ROOT), str(source)]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", *offline, *target],
        env={**os.environ, "HUB_SKIP_ASSETS": "1"}, capture_output=True, text=True, timeout=250,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def run(outside: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python where the installed wheels come first."""
    environ = {**os.environ, "PYTHONPATH": str(outside / "site")}
    return subprocess.run(
        [sys.executable, *words], cwd=outside / "pebble", env=environ, capture_output=True,
        text=True, timeout=250,
    )  # fmt: skip


def test_a_plugin_is_checked_with_nothing_of_the_repository(outside: Path) -> None:
    where = run(outside, "-c", "import hub.testing; print(hub.testing.__file__)").stdout
    assert where.startswith(str(outside / "site"))
    told = run(outside, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    assert told.returncode == 0, told.stdout + told.stderr
    assert " passed" in told.stdout


def test_its_grade_comes_with_its_wheel(outside: Path) -> None:
    told = run(outside, "-m", "hub", "plugin", "list").stdout
    assert "pebble         0.3.0    silver      notification_channels" in told


def test_what_the_kit_needs_is_an_extra_of_the_hub() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["optional-dependencies"]["testing"] == ["pytest>=8"]
