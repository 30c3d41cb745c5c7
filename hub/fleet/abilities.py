"""What vehicles and drivers can, may and cost, as the API, the pages and the commands give it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from hub.errors import Refused
from hub.nouns import Noun
from hub.nouns.ways import Profile
from hub.nouns.wishes import Tags

Price = Annotated[Decimal, Field(ge=0, le=100_000, decimal_places=4, allow_inf_nan=False)]
"""In the operator's currency."""
Amount = Annotated[int, Field(ge=1, le=1_000_000)]
Clock = Annotated[str, Field(pattern=r"^([01]?\d|2[0-3]):[0-5]\d$")]
HOME = "home"
Given = TypeVar("Given", bound=Noun)


class Rest(Noun):
    """A break of `minutes` that is taken between `start` and `end`, HH:MM at the depot."""

    start: Clock
    end: Clock
    minutes: int = Field(ge=5, le=240)

    @model_validator(mode="after")
    def fits(self) -> Rest:
        """Refuse one that is longer than the time it is to be taken in."""
        room = (minute_of(self.end) - minute_of(self.start)) % 1440 or 1440
        if room < self.minutes:
            raise ValueError(
                f"{self.minutes} minutes do not fit between {self.start} and {self.end}"
            )
        return self


Rests = Annotated[tuple[Rest, ...], Field(max_length=4)]


class VehicleAbilities(Noun):
    """What a vehicle carries, can, costs and may; whatever is left out stays as it is."""

    capacities: dict[str, Amount] = Field(default_factory=dict)
    """Of the measures beyond the first; one that is missing is unlimited."""
    profile: Profile = "van"
    skills: Tags = ()
    cost_fixed: Price | None = None
    cost_hour: Price | None = None
    cost_km: Price | None = None
    most_metres: int | None = Field(default=None, ge=1, le=5_000_000)
    most_stops: int | None = Field(default=None, ge=1, le=5_000)
    reload_depots: tuple[Annotated[str, Field(max_length=200)], ...] = Field(
        default=(), max_length=10
    )
    """Ids or names of depots where it may fill up again."""
    reload_seconds: int = Field(default=600, ge=0, le=14_400)
    most_reloads: int = Field(default=1, ge=1, le=10)
    stacked: bool = False


class DriverAbilities(Noun):
    """What a driver can, where the day begins and ends, and how much longer it may get."""

    skills: Tags = ()
    start_place: str = Field(default="", max_length=200)
    """Empty for the depot, `home`, or the id or name of another depot."""
    end_place: str = Field(default="", max_length=200)
    home_address: str = Field(default="", max_length=300)
    home_lat: float | None = Field(default=None, ge=-90, le=90, allow_inf_nan=False)
    home_lon: float | None = Field(default=None, ge=-180, le=180, allow_inf_nan=False)
    overtime_minutes: int = Field(default=0, ge=0, le=480)
    overtime_hour: Price | None = None


class VehicleChange(VehicleAbilities):
    """A change of a vehicle; only the fields that are given count."""

    name: str = Field(default="", max_length=200)
    capacity: Amount = 100
    active: bool = True


class DriverChange(DriverAbilities):
    """A change of a driver; only the fields that are given count."""

    name: str = Field(default="", max_length=200)
    phone: str = Field(default="", max_length=60)
    colour: str = Field(default="", max_length=20)
    depot: str = Field(default="", max_length=200)
    vehicle: str = Field(default="", max_length=200)


class DepotChange(Noun):
    """A change of a depot; only the fields that are given count."""

    name: str = Field(default="", max_length=200)
    lat: float = Field(default=0, ge=-90, le=90, allow_inf_nan=False)
    lon: float = Field(default=0, ge=-180, le=180, allow_inf_nan=False)
    timezone: str = Field(default="Europe/Zurich", max_length=60)
    address: str = Field(default="", max_length=300)
    active: bool = True


def minute_of(clock: str) -> int:
    """Return HH:MM as minutes since midnight."""
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)


def given(
    model: type[Given],
    values: dict[str, Any],
    word: Callable[[str], str] = str,
    scales: Mapping[str, int] | None = None,
) -> Given:
    """Return what a person gave as a noun; raise `Refused` naming the first field at fault.

    `word` turns the noun's field into the one that the person wrote, and `scales` has how many of
    the noun's units one of the person's is, where these differ.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = word(".".join(str(part) for part in first["loc"]))
        said = bound(first, (scales or {}).get(field, 1))
        name = readable(field)
        raise Refused(f"{name}: {said[:1].lower()}{said[1:]}" if name else said, field) from None


def bound(error: ErrorDetails, scale: int) -> str:
    """Return what is wrong with a value; limits are told in the units of who wrote it."""
    limits = error.get("ctx", {})
    for key, words in (("le", "at most"), ("ge", "at least")):
        if key in limits:
            return f"it is {words} {limits[key] / scale:,.10g}"
    return error["msg"].removeprefix("Value error, ")


def readable(field: str) -> str:
    """Return a field's name as people read it: `capacity.kg` is `capacity in kg`."""
    name, _, rest = field.partition(".")
    return f"capacity in {rest}" if name == "capacity" and rest else name.replace("_", " ")
