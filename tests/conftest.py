"""Fixtures of the whole suite, and the rule that CI skips nothing without a reason on the list."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.testing.running import Run
from tests.canary import Watch
from tests.once import share_routes, share_templates
from tests.patient import be_patient, hear_ctrl_c

pytest_plugins = ["hub.testing.fixtures"]
ALLOWED = Path(__file__).parent / "allowed_skips.txt"


def pytest_configure(config: pytest.Config) -> None:
    """Search what tests leave for secrets of connections, share what is compiled, be patient."""
    watch = Watch()
    config.pluginmanager.register(watch, "canary")
    config.addinivalue_line("markers", "once: says the same on every Python; run on one")
    config.addinivalue_line("markers", "stored: needs a database, SQLite or HUB_TEST_POSTGRES")
    share_templates()
    share_routes()
    be_patient()
    hear_ctrl_c()
    gc.disable()  # until all tests are collected: what that makes stays


def allowed_skips() -> list[str]:
    """Return the reasons with which a test may be skipped in CI."""
    lines = ALLOWED.read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


WHOLE = frozenset({"database_url", "redis_url", "start"})
"""Fixtures that bring a database, a server or processes; unit tests need none of them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs more than Python, so that `make quick` and CI can choose."""
    for item in items:
        asked = set(getattr(item, "fixturenames", ()))
        if WHOLE & asked:
            item.add_marker("whole")
        if "database_url" in asked:
            item.add_marker("stored")
        if "chromium" in asked:  # a page's scripts know nothing of the Python behind it
            item.add_marker("e2e")
            item.add_marker("once")


def pytest_collection_finish() -> None:
    """Spare every later search for garbage what stays to the end: modules and tests."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> object:
    """Fail a skip that CI does not know (HUB_CI=1), so that nothing is quietly left out."""
    report = yield
    if os.environ.get("HUB_CI") and report.skipped and isinstance(report.longrepr, tuple):
        reason = str(report.longrepr[2])
        if not any(allowed in reason for allowed in allowed_skips()):
            report.outcome = "failed"
            report.longrepr = f"skipped in CI without being on {ALLOWED.name}: {reason}"
    return report


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Return a function that starts a command of the hub in a directory."""
    runs: list[Run] = []

    def begin(*words: str, directory: Path = tmp_path / "demo", port: int | None = None) -> Run:
        runs.append(Run(directory, *words, port=port))
        return runs[-1]

    yield begin
    for run in runs:
        run.end()
