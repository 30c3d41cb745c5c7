"""Demos in directories of their own, ended with the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.testing.running import Run


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Return a function that starts a command of the hub in a directory."""
    runs: list[Run] = []

    def begin(*words: str, directory: Path = tmp_path / "demo") -> Run:
        runs.append(Run(directory, *words))
        return runs[-1]

    yield begin
    for run in runs:
        run.end()
