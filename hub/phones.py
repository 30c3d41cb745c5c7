"""Numbers of phones: read as people write them, and the countries that they belong to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from hub.errors import Rejected

COSTLY = ("PREMIUM_RATE", "SHARED_COST", "UAN", "PAGER", "VOICEMAIL")
"""Kinds of numbers at which nobody waits for a parcel, and some of which earn by each text."""


@dataclass(frozen=True)
class Phone:
    """A number that exists, as far as one can tell without calling it."""

    e164: str
    country: str
    """Two letters; empty where no single country has it."""


def read(typed: str, likely: Iterable[str] = (), others: Iterable[str] = ()) -> Phone:
    """Return the number that `typed` means; raise `Rejected` with field `to` for none.

    Without a country code it is read as of the first of `likely` in which there is such a number,
    else as of the only one of `others`.
    """
    for country in dict.fromkeys([*likely, ""]):
        found = reading(typed, country)
        if found is not None:
            return found
    guesses = {found.e164: found for one in others if (found := reading(typed, one)) is not None}
    if len(guesses) == 1:
        return next(iter(guesses.values()))
    why = "; several countries have it, so write it with + and the country code" if guesses else ""
    raise Rejected(f"the recipient's phone is no number that exists{why}; correct the order", "to")


def reading(typed: str, country: str) -> Phone | None:
    """Return the number that `typed` means in a country, None where there is none like it."""
    import phonenumbers

    try:
        number = phonenumbers.parse(typed[:100], country or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    kind = phonenumbers.PhoneNumberType.to_string(phonenumbers.number_type(number))
    if kind in COSTLY:
        raise Rejected(f"the recipient's phone is no ordinary number ({kind.lower()})", "to")
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Phone(e164, phonenumbers.region_code_for_number(number) or "")


def known_countries() -> frozenset[str]:
    """Return every country that has numbers, by its two letters."""
    import phonenumbers

    return frozenset(phonenumbers.SUPPORTED_REGIONS)


@cache
def zone_countries() -> dict[str, tuple[str, ...]]:
    """Return the countries of each time zone, the one that it is named after first."""
    text = (files("tzdata") / "zoneinfo" / "zone1970.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return {row[2]: tuple(row[0].split(",")) for row in rows}


def countries_of(zones: Iterable[str]) -> tuple[str, ...]:
    """Return the countries in which clocks show the time of these zones."""
    found = (country for zone in zones for country in zone_countries().get(zone, ()))
    return tuple(dict.fromkeys(found))
