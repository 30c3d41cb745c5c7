"""Where devices are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from hub.nouns.noun import Noun


class Fix(Noun):
    """One position of a device: metres of accuracy, metres per second, degrees from north."""

    lat: float = Field(ge=-90, le=90, allow_inf_nan=False)
    lon: float = Field(ge=-180, le=180, allow_inf_nan=False)
    at: AwareDatetime = Field(
        ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2100, 1, 1, tzinfo=UTC)
    )
    accuracy: float | None = Field(default=None, ge=0)
    speed: float | None = Field(default=None, ge=0)
    heading: float | None = Field(default=None, ge=0, le=360)


class DevicePosition(Noun):
    """Where a tracking device is; `device` is its own id, which a driver's `tracker` names."""

    device: Annotated[str, Field(min_length=1, max_length=100)]
    fix: Fix
