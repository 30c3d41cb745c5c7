"""Coordinates of addresses from the maps that are loaded: nothing leaves this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from hub.connector import Connector
from hub.errors import Rejected
from hub.hookspecs import hookimpl
from hub.maps import loaded
from hub.maps.places import find
from hub.nouns import Address, Location
from hub.settings import Settings


@hookimpl
def geocoders() -> list[type[Any]]:
    """Offer the geocoder."""
    return [OsmPlaces]


class OsmPlacesConfig(BaseModel):
    """Where the loaded maps are."""

    per_second: ClassVar[float] = 1000.0
    """Nobody else waits for its answers, so it may be asked as fast as it goes."""
    folder: Path | None = Field(
        default=None,
        title="Folder of maps",
        description="Empty: the hub's own, which hub map load fills",
    )


class OsmPlaces(Connector[OsmPlacesConfig]):
    """Finds house numbers (0.95), streets (0.6) and towns (0.3) of OpenStreetMap extracts.

    It is used by itself wherever a map is loaded and no other geocoder is connected.
    """

    name: ClassVar[str] = "osmplaces"
    title: ClassVar[str] = "The loaded map"
    local: ClassVar[bool] = True
    Config = OsmPlacesConfig

    def check(self) -> None:
        """Look whether a map is loaded."""
        if not loaded(self.folder):
            raise Rejected("no map is loaded; load one with: hub map load FILE.osm.pbf")

    def locate(self, address: Address) -> Location | None:
        """Return where an address is; its confidence says how exactly that is known."""
        found = find(self.folder, address)
        return found.location if found else None

    @property
    def folder(self) -> Path:
        """The folder of the maps that are searched."""
        return self.config.folder or Settings.read().maps
