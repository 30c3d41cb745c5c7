"""How values are written in a workflow file: durations, times of day, conditions, names."""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_DURATION = re.compile(r"([0-9]{1,6})(s|m|h|d)")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def duration(value: object) -> timedelta:
    """Return `30s`, `10m`, `8h` or `30d` as a span of time."""
    if isinstance(value, timedelta):
        return value
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("has to be a duration such as 30s, 10m, 8h or 30d")
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


def condition(value: object) -> object:
    """Return `true` and `false`, which YAML reads as values, as the expressions they are."""
    return str(value).lower() if isinstance(value, bool) else value


def clock(value: object) -> time:
    """Return `21:00` as a time of day."""
    if isinstance(value, time):
        return value
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        raise ValueError('has to be a time of day such as "21:00"')
    return time(int(found[1]), int(found[2]))


def zone(value: str) -> str:
    """Return the name of a time zone; raise `ValueError` for one that is not known."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is no time zone such as Europe/Vaduz") from None
    return value


def one_of(model: BaseModel, names: tuple[str, ...]) -> None:
    """Raise `ValueError` unless exactly one of these fields of a model is set."""
    given = [name for name in names if getattr(model, name) is not None]
    if len(given) != 1:
        shown = ", ".join(name.removesuffix("_") for name in names)
        said = " and ".join(name.removesuffix("_") for name in given) or "none"
        raise ValueError(f"needs exactly one of {shown}; there is {said}")


Condition = Annotated[str, BeforeValidator(condition)]
Duration = Annotated[timedelta, BeforeValidator(duration)]
Clock = Annotated[time, BeforeValidator(clock)]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
"""Text with `{{ }}` in it."""
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
StepId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class Word(BaseModel):
    """A mapping of the language; a key that it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
