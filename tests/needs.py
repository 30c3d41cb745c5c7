"""What some tests need that is not always there: they are left out by name where it is missing."""

from __future__ import annotations

import os
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import pytest


def plugins(*names: str) -> pytest.MarkDecorator:
    """Return the mark that skips a test unless all these plugins are installed."""
    missing = sorted(set(names) - {point.name for point in entry_points(group="hub")})
    reason = f"needs plugins that are not installed: {', '.join(missing)}"
    return pytest.mark.skipif(bool(missing), reason=reason)


def shared_folder(name: str) -> Path | None:
    """Return a folder of data that is no part of the repository (`maps`, `vrp`), if it is there.

    `HUB_MAPS` or `HUB_VRP` names it, else it lies in `shared` beside the repository.
    """
    said = os.environ.get(f"HUB_{name.upper()}")
    found = Path(said) if said else Path(__file__).parents[2] / "shared" / name
    return found if found.is_dir() else None


def shared(name: str) -> pytest.MarkDecorator:
    """Return the mark that skips a test unless a folder of shared data is there."""
    reason = f"needs data that lies in ../shared/{name}/ or HUB_{name.upper()}"
    return pytest.mark.skipif(shared_folder(name) is None, reason=reason)


def osrm() -> pytest.MarkDecorator:
    """Return the mark that skips a test unless the bindings of OSRM are installed."""
    reason = "needs osrm-bindings, which want Python 3.12 or newer"
    return pytest.mark.skipif(find_spec("osrm") is None, reason=reason)
