"""Doors: where an address really is, remembered for the next order, and the nearest depot."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence

from sqlmodel import col, select

from hub.nouns import Address, Location
from hub.store import DepotRow, PlaceRow, Session

EARTH = 6_371_008.8
"""Mean radius in metres (IUGG)."""
PIN = "pin"
"""Source of a place that a person set; no geocoder overrules it."""


def address_key(address: Address) -> str:
    """Return what equal addresses have in common; nothing where street or town is missing.

    The second line (floor, company) does not count: it is the same door.
    """
    town = address.postcode or address.city
    if not address.line1.strip() or not town.strip():
        return ""
    parts = (address.line1, address.postcode, address.city, address.country)
    folded = unicodedata.normalize("NFKC", " ".join(parts)).casefold()
    return re.sub(r"[\W_]+", " ", folded).strip()[:400]


def known(session: Session, addresses: Iterable[Address]) -> dict[str, PlaceRow]:
    """Return the places of those addresses that are known, by address key."""
    keys = {key for key in map(address_key, addresses) if key}
    if not keys:
        return {}
    rows = session.exec(select(PlaceRow).where(col(PlaceRow.address_key).in_(keys)))
    return {row.address_key: row for row in rows}


def remember(session: Session, address: Address, location: Location, source: str) -> None:
    """Keep where an address is; what a person set stays, unless a person sets it again."""
    key = address_key(address)
    if not key:
        return
    row = session.exec(
        select(PlaceRow).where(PlaceRow.address_key == key).with_for_update()
    ).one_or_none()
    if row is None:
        row = PlaceRow(address_key=key, lat=0, lon=0, updated_at=session.now)
        session.add(row)
    elif row.source == PIN and source != PIN:
        return
    row.lat, row.lon, row.confidence = location.lat, location.lon, location.confidence
    row.source, row.updated_at = source, session.now


def metres(lat: float, lon: float, to_lat: float, to_lon: float) -> float:
    """Return the distance between two points on the earth's surface (haversine formula)."""
    north, east = math.radians(to_lat - lat), math.radians(to_lon - lon)
    half = (
        math.sin(north / 2) ** 2
        + math.cos(math.radians(lat)) * math.cos(math.radians(to_lat)) * math.sin(east / 2) ** 2
    )
    return 2 * EARTH * math.asin(math.sqrt(min(1.0, half)))


def nearest(depots: Sequence[DepotRow], location: Location) -> DepotRow:
    """Return the depot that lies nearest, as the crow flies."""
    return min(depots, key=lambda row: metres(location.lat, location.lon, row.lat, row.lon))
