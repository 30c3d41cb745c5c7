"""Fields of vehicles and drivers as people write them, in a form or behind a command."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from hub.errors import Refused
from hub.fleet.abilities import HOME, DriverChange, VehicleChange, given, readable
from hub.store import DriverRow, VehicleRow

CAPACITY = "capacity."
"""Begins the field of a capacity in another measure than the first: `capacity.kg`."""
YES = frozenset({"yes", "on", "true", "1"})
_NUMBER = re.compile(r"^-?\d{1,9}([.,]\d{1,6})?$")


def vehicle_words(said: Mapping[str, str], row: VehicleRow | None = None) -> VehicleChange:
    """Return the change of a vehicle that words say; raise `Refused` naming the field at fault.

    An empty text takes a limit, a price or a capacity away; capacities that are not named stay.
    """
    values: dict[str, Any] = {}
    capacities = dict(row.capacities) if row is not None else {}
    for name, text in said.items():
        text = text.strip()
        if name.startswith(CAPACITY):
            capacities.pop(name.removeprefix(CAPACITY), None)
            if text:
                capacities[name.removeprefix(CAPACITY)] = whole(name, text)
            values["capacities"] = capacities
        else:
            read(VEHICLE, "vehicle", values, name, text)
    return given(VehicleChange, values, word_of, SCALES)


def driver_words(said: Mapping[str, str], row: DriverRow | None = None) -> DriverChange:
    """Return the change of a driver that words say; raise `Refused` naming the field at fault."""
    values: dict[str, Any] = {}
    for name, text in said.items():
        read(DRIVER, "driver", values, name, text.strip())
    return given(DriverChange, values, word_of, SCALES)


def read(
    known: Mapping[str, tuple[str, Callable[[str, str], Any]]],
    of: str,
    values: dict[str, Any],
    name: str,
    text: str,
) -> None:
    """Put the value of one field into `values`."""
    if name == "home" and of == "driver":
        values["home_lat"], values["home_lon"] = point(text)
        return
    if name not in known:
        there = ", ".join([*known, "home"] if of == "driver" else known)
        raise Refused(f"a {of} has no field {name[:40]!r}; there are {there}", name[:40])
    field, reader = known[name]
    values[field] = reader(name, text)


def plain(name: str, text: str) -> str:
    """Return a text as it is."""
    return text


def number(name: str, text: str) -> Decimal:
    """Return a number, also one below 0: what it is for says how little it may be.

    Raise `Refused` for anything else.
    """
    compact = text.replace("'", "").replace("\u2019", "").replace(" ", "").replace("\u2212", "-")
    if not _NUMBER.match(compact):
        raise Refused(
            f"{readable(name)}: {text[:40]!r} is no number; write it like 120 or 32.50", name
        )
    return Decimal(compact.replace(",", "."))


def maybe(name: str, text: str) -> Decimal | None:
    """Return a number, nothing for an empty text."""
    return number(name, text) if text else None


def whole(name: str, text: str) -> int:
    """Return a whole number."""
    found = number(name, text or "0")
    if found != int(found):
        raise Refused(f"{readable(name)}: {text[:40]!r} is no whole number", name)
    return int(found)


def maybe_whole(name: str, text: str) -> int | None:
    """Return a whole number, nothing for an empty text."""
    return whole(name, text) if text else None


def thousand(name: str, text: str) -> int | None:
    """Return kilometres as metres."""
    return round(number(name, text) * 1000) if text else None


def sixty(name: str, text: str) -> int:
    """Return minutes as seconds."""
    return round(number(name, text) * 60)


def refilling(name: str, text: str) -> int:
    """Return minutes as seconds, the usual ones of filling up again for an empty text."""
    return sixty(name, text) if text else usual("reload_seconds")


def once(name: str, text: str) -> int:
    """Return how often a vehicle fills up again, as usual for an empty text."""
    return whole(name, text) if text else usual("most_reloads")


def usual(field: str) -> int:
    """Return what a vehicle has that nobody said anything of."""
    return int(VehicleChange.model_fields[field].default)


def several(name: str, text: str) -> list[str]:
    """Return the parts of a text with commas, each once."""
    return list(dict.fromkeys(part.strip() for part in re.split("[,;]", text) if part.strip()))


def yes(name: str, text: str) -> bool:
    """Return whether a text says yes."""
    return text.casefold() in YES


def place(name: str, text: str) -> str:
    """Return where a day begins or ends; `depot` is the driver's own."""
    return {"depot": "", HOME: HOME}.get(text.casefold(), text)


def point(text: str, field: str = "home") -> tuple[float | None, float | None]:
    """Return degrees of `47.1410, 9.5209`; nothing for an empty text."""
    if not text:
        return None, None
    parts = [part.strip() for part in re.split(r"[,;\s]+", text) if part.strip()]
    try:
        lat, lon = (float(part) for part in parts)
    except ValueError:
        raise Refused(
            f"{field}: {text[:40]!r} is no place; write degrees like 47.1410, 9.5209", field
        ) from None
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise Refused(f"{field}: {text[:40]!r} lies nowhere on the map", field)
    return lat, lon


def word_of(field: str) -> str:
    """Return the word that people write for a column: `most_km` for `most_metres`."""
    if field.startswith((CAPACITY, "capacities.")):
        return CAPACITY + field.partition(".")[2]
    if field in ("home_lat", "home_lon"):
        return HOME
    column = field.partition(".")[0]
    words = {one: word for known in (VEHICLE, DRIVER) for word, (one, _) in known.items()}
    return words.get(column, field)


VEHICLE: dict[str, tuple[str, Callable[[str, str], Any]]] = {
    "name": ("name", plain),
    "capacity": ("capacity", whole),
    "profile": ("profile", plain),
    "skills": ("skills", several),
    "cost_fixed": ("cost_fixed", maybe),
    "cost_hour": ("cost_hour", maybe),
    "cost_km": ("cost_km", maybe),
    "most_km": ("most_metres", thousand),
    "most_stops": ("most_stops", maybe_whole),
    "reload_depots": ("reload_depots", several),
    "reload_minutes": ("reload_seconds", refilling),
    "most_reloads": ("most_reloads", once),
    "stacked": ("stacked", yes),
    "active": ("active", yes),
}
"""Words for the fields of a vehicle: the column and how a text is read."""
DRIVER: dict[str, tuple[str, Callable[[str, str], Any]]] = {
    "name": ("name", plain),
    "phone": ("phone", plain),
    "colour": ("colour", plain),
    "depot": ("depot", plain),
    "vehicle": ("vehicle", plain),
    "skills": ("skills", several),
    "start": ("start_place", place),
    "end": ("end_place", place),
    "home_address": ("home_address", plain),
    "overtime_minutes": ("overtime_minutes", whole),
    "overtime_hour": ("overtime_hour", maybe),
}
"""The same for a driver; `home` is written as degrees."""
SCALES = {"most_km": 1000, "reload_minutes": 60}
"""How many of the column's units one of the words' is."""
