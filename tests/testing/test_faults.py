"""A connector without a fault passes the kit; one fault fails the check that is there for it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

FOLDER = Path(__file__).parent / "faulty"
PLUGINS = (
    "hub_goods", "hub_faults", "hub_lapses", "hub_forgeries", "hub_news", "hub_ways",
    "hub_slow", "hub_greedy",
)  # fmt: skip
Failed = dict[str, dict[str, str]]
"""Name of the connector -> the checks that failed -> what they said."""

sys.path.insert(0, str(FOLDER))
try:
    for name in PLUGINS[1:6]:
        import_module(name)
    FAULTS = import_module("faulty").FAULTS
finally:
    sys.path.remove(str(FOLDER))
pytestmark = pytest.mark.timeout(1600)  # the first waits for the whole kit, on a busy machine too
GOODS = (
    "source", "tracker", "geocoder", "disk", "times", "engine", "hook", "consent", "sink",
    "channel", "teller", "setter", "reporter", "guide",
)  # fmt: skip


def install(folder: Path, *plugins: str) -> dict[str, str]:
    """Let the plugins be found as if they were installed; return the environment for that."""
    for name in plugins:
        info = folder / f"{name}-0.1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 0.1.0\n"
        )
        (info / "entry_points.txt").write_text(f"[hub]\n{name.removeprefix('hub_')} = {name}\n")
    path = os.pathsep.join([str(FOLDER), str(folder), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Failed:
    """Run the kit on all connectors, once, and return what failed."""
    folder = tmp_path_factory.mktemp("faults")
    report = folder / "report.xml"
    words = ["-q", "-p", "no:cacheprovider", "-o", "addopts=", "--rootdir", str(folder)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, f"--junitxml={report}", str(FOLDER / "kit.py")],
        env=install(folder, *PLUGINS), cwd=folder, capture_output=True, text=True, timeout=1500,
    )  # fmt: skip
    assert report.exists(), done.stdout + done.stderr
    found: Failed = {}
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        name = case.get("classname", "").rpartition("Test_")[2]
        checks = found.setdefault(name, {})
        for fault in [*case.iter("failure"), *case.iter("error")]:
            check = case.get("name", "").partition("[")[0]
            checks[check] = fault.get("message", "") + " " + checks.get(check, "")
    return found


@pytest.mark.parametrize("name", GOODS)
def test_a_connector_without_fault_passes(failed: Failed, name: str) -> None:
    assert failed[f"good_{name}"] == {}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_fails_the_check_that_is_for_it_and_no_other(failed: Failed, fault: Any) -> None:
    found = failed[fault.name]
    assert set(found) == set(fault.sees), found
    for check, said in found.items():
        assert re.search(fault.tells, said.replace("\n", " ")), (check, said)


def test_a_slow_busy_import_with_an_sdk_fails_three_checks(failed: Failed) -> None:
    found = failed["slow"]
    assert sorted(found) == [
        "test_importing_it_does_nothing", "test_importing_it_is_light",
        "test_importing_it_is_quick",
    ]  # fmt: skip
    assert "imports wave; import it inside the methods" in found["test_importing_it_is_light"]
    assert "move the import of what is slow" in found["test_importing_it_is_quick"]
    assert re.search(
        "opened .* to write .*and started a thread; do that inside a method",
        found["test_importing_it_does_nothing"],
    )


def test_a_method_that_wants_more_fails_at_loading_with_its_name(failed: Failed) -> None:
    said = failed["greedy"]["test_its_plugin_is_installed_and_loads"]
    assert "no installed plugin brings the connector greedy" in said
    assert "Greedy.send: missing a required argument: 'urgency'" in said
