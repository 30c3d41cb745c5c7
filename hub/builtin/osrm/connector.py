"""The connector for OSRM: its settings, and whether an engine or a server is asked."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hub.builtin.osrm.embedded import Embedded
from hub.builtin.osrm.remote import Remote
from hub.connector import Connector
from hub.http import secure
from hub.nouns import Legs, Matrix, Profile, Trip, Way


class OsrmConfig(BaseModel):
    """Where OSRM is, what it calls the vehicles, and how much one request may ask."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(
        default="",
        title="Address of the server",
        description="Empty: the maps that `hub map load` has loaded here",
    )
    maps: Path | None = Field(
        default=None,
        title="Folder of the loaded maps",
        description="Without a server; empty: maps, in the hub's own folder",
    )
    car: str = Field(default="driving", title="Cars", description="What the server calls them")
    van: str = Field(default="driving", title="Vans", description="What the server calls them")
    truck: str = Field(
        default="driving",
        title="Trucks",
        description="What the server calls them; most servers know cars only",
    )
    bike: str = Field(default="cycling", title="Bicycles", description="What the server calls them")
    most: int = Field(
        default=100,
        ge=2,
        le=10_000,
        title="Points in one request",
        description="The server's --max-table-size; larger tables are asked for in blocks",
    )
    snap: int = Field(
        default=1000,
        ge=1,
        le=100_000,
        title="Metres to the nearest road at most",
        description="A place farther off cannot be reached",
    )

    @field_validator("url")
    @classmethod
    def is_safe(cls, url: str) -> str:
        """Refuse an address over which what is sent could be read."""
        return secure(url) if url else ""

    @field_validator("car", "van", "truck", "bike")
    @classmethod
    def is_word(cls, name: str) -> str:
        """Refuse a name that would lead elsewhere on the server."""
        if not name.replace("-", "").replace("_", "").isalnum():
            raise ValueError("write one word, such as driving")
        return name

    def called(self, profile: Profile) -> str:
        """Return what the server calls a kind of vehicle."""
        return {"car": self.car, "van": self.van, "truck": self.truck, "bike": self.bike}[profile]


class Osrm(Connector[OsrmConfig]):
    """Asks the embedded engine, or a server where one is named; knows no traffic."""

    name: ClassVar[str] = "osrm"
    title: ClassVar[str] = "OSRM"
    Config = OsrmConfig
    traffic: ClassVar[bool] = False

    @property
    def asked(self) -> Embedded | Remote:
        """Who is asked."""
        config = self.config
        if config.url:
            return Remote(config.url, config.called, config.most, config.snap)
        return Embedded(config.maps, config.snap)

    def check(self) -> None:
        """See that the server answers, or that a map and the engine are there."""
        self.asked.check()

    def matrix(self, legs: Legs) -> Matrix:
        """Return seconds and metres by road; negative to and from a place that has none near."""
        return self.asked.matrix(legs)

    def directions(self, trip: Trip) -> Way:
        """Return the way along a trip; raise `Rejected` where there is none."""
        return self.asked.directions(trip)
