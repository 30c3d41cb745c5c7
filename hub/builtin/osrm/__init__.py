"""Travel times over real roads from OSRM: on a loaded map, or from a server."""

from __future__ import annotations

from typing import Any

from hub.builtin.osrm.connector import Osrm, OsrmConfig
from hub.connector import Connector
from hub.hookspecs import hookimpl

__all__ = ["Osrm", "OsrmConfig"]


@hookimpl
def travel_times() -> list[type[Connector[Any]]]:
    """Bring the travel times of OSRM."""
    return [Osrm]
