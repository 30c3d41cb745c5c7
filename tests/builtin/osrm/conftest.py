"""An OSRM server that connectors may call, and a map of Liechtenstein with roads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.testing.peers.osrm import OsrmPeer
from hub.testing.road_graph import build
from tests.needs import shared_folder


@pytest.fixture
def osrm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OsrmPeer]:
    made = OsrmPeer(tmp_path / "osrm")
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


@pytest.fixture(scope="session")
def maps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a map of Liechtenstein; for tests that need both marks."""
    shared = shared_folder("maps")
    assert shared is not None
    folder = tmp_path_factory.mktemp("maps")
    build(shared / "liechtenstein.osm.pbf", folder, bounds=(47.04, 9.47, 47.28, 9.64))
    return folder
