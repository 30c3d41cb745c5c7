"""What the operator counts by: measures of load, its currency, how evenly work is shared."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from hub.errors import Refused
from hub.nouns import Noun
from hub.store import Session, SettingRow
from hub.store.once import insert_once

SETTING = "operator"
FIRST = "units"
MOST = 5


def is_name(said: Any) -> Any:
    """Refuse what is no name of a measure in words, before a pattern does it in signs."""
    if isinstance(said, str) and not re.fullmatch("[a-z][a-z0-9_]{0,19}", said):
        raise ValueError(
            f"{said[:20]!r} is no name of a measure; write one word of small letters, digits and _ "
            "such as kg"
        )
    return said


Name = Annotated[str, BeforeValidator(is_name), Field(pattern=r"^[a-z][a-z0-9_]{0,19}$")]


class Measure(Noun):
    """One way to count load, such as kg; orders and vehicles give whole numbers of it."""

    name: Name
    unit: str = Field(default="", max_length=20)
    """How it is written behind a number; empty: the name."""

    @property
    def word(self) -> str:
        """What stands behind a number."""
        return self.unit or self.name


class Measures(Noun):
    """All of it; the first measure is the one of a vehicle's `capacity` and a line's `load`."""

    loads: tuple[Measure, ...] = Field(
        default=(Measure(name=FIRST),), min_length=1, max_length=MOST
    )
    currency: str = Field(default="CHF", pattern=r"^[A-Z]{3}$")
    """Of what vehicles and overtime cost."""
    balance: float = Field(default=1.25, ge=0, le=10, allow_inf_nan=False)
    """Most work of one driver as a multiple of an equal share; 0: as it comes."""

    @field_validator("loads")
    @classmethod
    def different(cls, loads: tuple[Measure, ...]) -> tuple[Measure, ...]:
        """Refuse two measures of one name."""
        if len({one.name for one in loads}) < len(loads):
            raise ValueError("each measure has a name of its own")
        return loads

    @field_validator("loads", mode="before")
    @classmethod
    def some(cls, loads: Any) -> Any:
        """Refuse none at all."""
        if isinstance(loads, list | tuple) and not loads:
            raise ValueError("name at least one, such as units")
        return loads

    @field_validator("currency", mode="before")
    @classmethod
    def three_letters(cls, currency: Any) -> Any:
        """Refuse what is no code of a currency."""
        if isinstance(currency, str) and not re.fullmatch("[A-Z]{3}", currency):
            raise ValueError(f"{currency[:20]!r} is no currency; write three letters such as CHF")
        return currency

    @field_validator("balance")
    @classmethod
    def possible(cls, balance: float, info: ValidationInfo) -> float:
        """Refuse a share that cannot be kept."""
        if 0 < balance < 1:
            raise ValueError("nobody can do less than an equal share: write 0, or 1 and more")
        return balance

    @property
    def names(self) -> tuple[str, ...]:
        """The measures' names, in their order."""
        return tuple(one.name for one in self.loads)

    @property
    def first(self) -> Measure:
        """The measure of `capacity` and `load`."""
        return self.loads[0]


def measures(session: Session) -> Measures:
    """Return what the operator counts by."""
    row = session.get(SettingRow, SETTING)
    said = row.value if row is not None else {}
    return Measures.model_validate({n: said[n] for n in Measures.model_fields if n in said})


def set_measures(session: Session, wanted: Measures) -> Measures:
    """Keep what the operator counts by; what was said in a measure that is gone stays unread."""
    row = session.get(SettingRow, SETTING)
    if row is None:
        insert_once(session, SettingRow(name=SETTING, value={}))
        row = session.get_one(SettingRow, SETTING)
    row.value = {**row.value, **wanted.model_dump(mode="json")}
    return wanted


def check_names(found: Measures, names: Iterable[str], field: str) -> None:
    """Raise `Refused` for a measure that there is not."""
    for name in names:
        if name not in found.names:
            there = ", ".join(found.names)
            raise Refused(
                f"there is no measure {name[:40]!r}; there are {there}, "
                "and the page Fleet adds more",
                f"{field}.{name[:40]}",
            )
