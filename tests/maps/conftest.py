"""A little extract, and the map that is made of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.maps import LoadedMap
from hub.maps import extract as extracts
from hub.maps.extract import Extract
from hub.maps.load import load
from tests.maps.town import write_town

NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extract of a little town."""
    return write_town(tmp_path_factory.mktemp("extract") / "neustadt.osm.pbf")


@pytest.fixture(scope="session")
def found(town: Path) -> Extract:
    """What is read of the little town."""
    return extracts.read(town, lambda share: None)


@pytest.fixture(scope="session")
def one(town: Path, tmp_path_factory: pytest.TempPathFactory) -> LoadedMap:
    """The map of the little town, without a road graph."""
    return load(tmp_path_factory.mktemp("maps"), town, now=NOW, profiles=()).map
