"""What a driver's phone says: one report per tap, each under an id of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from hub.nouns import Noun

Said = Literal["start", "arrive", "depart", "complete", "partial", "fail"]
ENDINGS: Final[dict[str, str]] = {"complete": "completed", "partial": "partial", "fail": "failed"}
"""Reports that end a stop -> the outcome they report."""

BELIEVED: Final = timedelta(hours=12)
"""A phone's clock that is further off than this is set aside; the server's time counts."""


EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""Between these lies whatever a phone's clock may say; further out, days cannot be counted."""

Id = Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,60}$")]
Written = Annotated[str, Field(pattern=r"^[^\x00]*$")]
"""Text as typed; PostgreSQL keeps every character but NUL."""


class NamedFile(Noun):
    """A photo or a signature that this driver uploaded before, by the hash it was given."""

    kind: Literal["photo", "signature"]
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Report(Noun):
    """One thing that happened on the road.

    `at` is when it happened by the phone's clock (absent: now), `accuracy` metres, `quantities`
    pieces handed over by the id of the order line, `cash_taken` in the order's currency. Sending
    the same report again changes nothing and gets the same answer.
    """

    id: UUID
    kind: Said
    stop: Id | None = None
    at: Annotated[AwareDatetime, Field(ge=EARLIEST, le=LATEST)] | None = None
    lat: float | None = Field(default=None, ge=-90, le=90, allow_inf_nan=False)
    lon: float | None = Field(default=None, ge=-180, le=180, allow_inf_nan=False)
    accuracy: float | None = Field(default=None, ge=0, le=1_000_000, allow_inf_nan=False)
    reason: str = Field(default="", max_length=60)
    note: Written = Field(default="", max_length=2_000)
    received_by: Written = Field(default="", max_length=200)
    quantities: dict[str, Annotated[int, Field(ge=0, le=1_000_000)]] = Field(
        default={}, max_length=1_000
    )
    cash_taken: Decimal | None = Field(default=None, ge=0, max_digits=12, decimal_places=2)
    files: tuple[NamedFile, ...] = Field(default=(), max_length=12)


@dataclass(frozen=True)
class Moment:
    """When a report happened: by the phone, and by what the hub makes of it."""

    at: datetime
    """What events and records use."""
    said: datetime | None
    """What the phone's clock said."""
    received: datetime
    """Business time at which the server took the report."""

    @property
    def disbelieved(self) -> bool:
        """Whether the phone's clock was too far off to be used."""
        return self.said is not None and abs(self.said - self.received) > BELIEVED

    def note(self) -> str:
        """Return what to tell the driver about the phone's clock, or nothing."""
        if self.said is None or not self.disbelieved:
            return ""
        hours = round(abs(self.said - self.received).total_seconds() / 3600)
        way = "behind" if self.said < self.received else "ahead"
        return f"the phone's clock is {hours} h {way}; the hub's time was used"


def moment(said: datetime | None, received: datetime) -> Moment:
    """Return when something happened: the phone's time, but never the future or far off."""
    if said is None or abs(said - received) > BELIEVED:
        return Moment(received, said, received)
    return Moment(min(said, received), said, received)
