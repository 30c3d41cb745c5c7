"""Who and what delivers, and for whom: add depots, vehicles, drivers, shifts and merchants."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlmodel import SQLModel, col, or_, select

from hub import phones
from hub.access import scoped
from hub.access.scope import column
from hub.errors import Missing, Refused, Rejected
from hub.fleet.shifts import Hours, read_clock
from hub.nouns import Location
from hub.store import DepotRow, DriverRow, MerchantRow, Session, ShiftRow, VehicleRow

Row = TypeVar("Row", bound=SQLModel)
COLOURS = (
    "#1f6feb", "#bf3989", "#1a7f37", "#9a6700", "#8250df", "#0a7ea4", "#cf222e", "#57606a",
)  # fmt: skip
"""Colours of drivers, given in turn; each reads on a light and on a dark map."""


def today(session: Session, depot: str) -> date:
    """Return the date at a depot (id)."""
    zone = session.get_one(DepotRow, depot).timezone
    return session.now.astimezone(ZoneInfo(zone)).date()


def add_depot(
    session: Session,
    name: str,
    location: Location,
    *,
    timezone: str = "Europe/Zurich",
    address: str = "",
) -> DepotRow:
    """Add a depot; raise `Refused` for a name that is taken or a time zone that is unknown."""
    name = named(name)
    if not zone_exists(timezone):
        raise Refused(f"{timezone!r} is no time zone; write one like Europe/Zurich", "timezone")
    if session.exec(select(DepotRow).where(DepotRow.name == name)).one_or_none():
        raise Refused(f"there is a depot {name} already", "name")
    row = DepotRow(
        name=name, lat=location.lat, lon=location.lon, timezone=timezone, address=clean(address)
    )
    return added(session, row)


def add_vehicle(session: Session, name: str, capacity: int = 100) -> VehicleRow:
    """Add a vehicle that carries `capacity` load units."""
    name = named(name)
    if not 1 <= capacity <= 1_000_000:
        raise Refused("capacity: a whole number from 1 to 1,000,000", "capacity")
    if session.exec(select(VehicleRow).where(VehicleRow.name == name)).one_or_none():
        raise Refused(f"there is a vehicle {name} already", "name")
    return added(session, VehicleRow(name=name, capacity=capacity))


def add_driver(
    session: Session,
    name: str,
    depot: str,
    vehicle: str,
    *,
    phone: str = "",
    colour: str = "",
    hours: Iterable[Hours] = (),
) -> DriverRow:
    """Add a driver of a depot with a vehicle, both by id, and the hours of the week."""
    check_works(session, DepotRow, depot, "depot")
    check_works(session, VehicleRow, vehicle, "vehicle")
    if colour and not re.fullmatch("#[0-9a-fA-F]{6}", colour):
        raise Refused(f"{colour!r} is no colour; write it like #1f6feb", "colour")
    taken = len(session.exec(select(DriverRow.id)).all())
    row = DriverRow(
        name=named(name),
        phone=phone_of(session, phone) if phone.strip() else "",
        depot=depot,
        vehicle=vehicle,
        colour=colour or COLOURS[taken % len(COLOURS)],
    )
    added(session, row)
    for weekday, starts, ends in hours:
        set_shift(session, row.id, weekday, starts, ends)
    return row


def set_shift(
    session: Session, driver: str, weekday: int, starts: str = "", ends: str = ""
) -> ShiftRow | None:
    """Set a driver's hours on a weekday (0 = Monday), HH:MM at the depot; empty is a day off."""
    if "\x00" in driver or session.get(DriverRow, driver) is None:
        raise Missing(f"there is no driver {driver[:60]}")
    if not 0 <= weekday <= 6:
        raise Refused("weekday is a number from 0 (Monday) to 6 (Sunday)", "weekday")
    row = session.exec(
        select(ShiftRow).where(ShiftRow.driver == driver, ShiftRow.weekday == weekday)
    ).one_or_none()
    if not starts and not ends:
        if row is not None:
            session.delete(row)
        return None
    if not starts or not ends:
        raise Refused(
            "say both when the day begins and when it ends, or neither for a day off",
            "ends" if starts else "starts",
        )
    first = read_clock(starts, "starts").strftime("%H:%M")
    last = read_clock(ends, "ends").strftime("%H:%M")
    if row is None:
        return added(session, ShiftRow(driver=driver, weekday=weekday, starts=first, ends=last))
    row.starts, row.ends = first, last
    return row


def phone_of(session: Session, typed: str, field: str = "phone") -> str:
    """Return a phone's number as E.164; raise `Refused` naming `field` for what is none.

    Without a country code it is read as of the only country with such a number among those where
    there are depots.
    """
    zones = session.exec(select(DepotRow.timezone).order_by(col(DepotRow.id))).all()
    try:
        return phones.read(typed, others=phones.countries_of(zones)).e164
    except Rejected:
        example = "write it with the country code, like +41 79 123 45 67"
        raise Refused(f"{field}: {typed[:40]!r} is no phone number; {example}", field) from None


def set_tracker(session: Session, row: DriverRow, device: str) -> None:
    """Say which device tells where a driver is; empty for none. A device is of one driver."""
    device = device.strip()
    if not device:
        row.tracker = None
        return
    if len(device) > 100 or not device.isprintable():
        raise Refused("a device's id has 1 to 100 printable characters", "tracker")
    other = session.exec(
        select(DriverRow).where(DriverRow.tracker == device, DriverRow.id != row.id)
    ).one_or_none()
    if other is not None:
        first = f"take it away with: hub driver tracker {other.id} off"
        raise Refused(f"the device {device} is {other.name}'s; {first}", "tracker")
    row.tracker = device


def add_merchant(
    session: Session,
    name: str,
    *,
    slug: str = "",
    accent: str = "#1f6feb",
    phone: str = "",
    email: str = "",
    sender: str = "",
    currency: str = "CHF",
) -> MerchantRow:
    """Add a brand that is delivered for; its slug is made of its name where none is given."""
    name = named(name)
    slug = slug or slug_of(name)
    if not re.fullmatch("[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?", slug):
        raise Refused(f"{slug!r} is no slug; use small letters, digits and -", "slug")
    if not re.fullmatch("#[0-9a-fA-F]{6}", accent):
        raise Refused(f"{accent!r} is no colour; write it like #1f6feb", "accent")
    if not re.fullmatch("[A-Z]{3}", currency):
        raise Refused(f"{currency!r} is no currency; write three letters like CHF", "currency")
    if session.exec(select(MerchantRow).where(MerchantRow.slug == slug)).one_or_none():
        raise Refused(f"there is a merchant {slug} already", "slug")
    row = MerchantRow(
        name=name, slug=slug, accent=accent, phone=clean(phone), email=clean(email),
        sender=clean(sender), currency=currency,
    )  # fmt: skip
    return added(session, row)


def find(session: Session, table: type[Row], text: str, by: str = "name") -> Row:
    """Return a row by its id or its `by`; raise `Missing` with the names that there are."""
    # PostgreSQL takes no NUL in a text, so such a name is not even asked for.
    either = or_(column(table, "id") == text, column(table, by) == text)
    query = scoped(session, table).where(either).order_by(column(table, "id"))
    found = session.exec(query).first() if "\x00" not in text else None
    if found is not None:
        return found
    rows = listed(session, table)
    alike = [row for row in rows if str(getattr(row, by)).casefold() == text.casefold()]
    if len(alike) == 1:
        return alike[0]
    kind = table.__tablename__
    names = ", ".join(getattr(row, by) for row in rows[:20])
    there = f"there are: {names}; see: hub {kind} list"
    none = f"there is none yet; add one with: hub {kind} add"
    raise Missing(f"there is no {kind} {text[:60]!r}; {there if rows else none}")


def depot_or_only(session: Session, name: str) -> DepotRow:
    """Return a depot by id or name, the only one for an empty name; raise `Missing` for none."""
    rows = [row for row in listed(session, DepotRow) if row.active]
    if name or not rows:
        return find_depot(session, name)
    if len(rows) > 1:
        raise Missing("say which depot with --depot: " + ", ".join(row.name for row in rows))
    return rows[0]


def find_merchant(session: Session, slug: str) -> MerchantRow:
    """Return a merchant by id or slug; raise `Missing` where there is none."""
    return find(session, MerchantRow, slug, "slug")


def find_depot(session: Session, name: str) -> DepotRow:
    """Return a depot by id or name; raise `Missing` where there is none."""
    return find(session, DepotRow, name)


def find_vehicle(session: Session, name: str) -> VehicleRow:
    """Return a vehicle by id or name; raise `Missing` where there is none."""
    return find(session, VehicleRow, name)


def find_driver(session: Session, name: str) -> DriverRow:
    """Return a driver by id or name; raise `Missing` for none, `Refused` for several of a name."""
    found = session.exec(
        select(DriverRow)
        .where(or_(DriverRow.id == name, DriverRow.name == name))
        .order_by(DriverRow.id)
    ).all()
    if not found:
        rows = listed(session, DriverRow)
        found = [row for row in rows if row.name.casefold() == name.casefold()]
    if not found:
        raise Missing(f"there is no driver {name[:60]}; find the name with: hub driver list")
    if len(found) > 1:
        ids = ", ".join(row.id for row in found)
        raise Refused(f"{len(found)} drivers are named {name}; say which one by id: {ids}", "name")
    return found[0]


def listed(session: Session, table: type[Row]) -> list[Row]:
    """Return the rows with names that the session's principal may see, by name."""
    query = scoped(session, table).order_by(column(table, "name"), column(table, "id"))
    return list(session.exec(query))


def driver_sheet(session: Session, row: DriverRow) -> dict[str, Any]:
    """Return a driver with shifts from Monday on."""
    shifts = session.exec(
        select(ShiftRow).where(ShiftRow.driver == row.id).order_by(col(ShiftRow.weekday))
    )
    hours = [one.model_dump(include={"weekday", "starts", "ends", "breaks"}) for one in shifts]
    return {**row.model_dump(), "shifts": hours}


def check_works(
    session: Session, table: type[DepotRow] | type[VehicleRow], id: str, field: str
) -> None:
    """Raise `Refused` unless there is a row with this id, and it is switched on."""
    # PostgreSQL takes no NUL in a text, so such an id is not even asked for.
    row: Any = None if "\x00" in id else session.get(table, id)
    if row is None and not id:
        raise Refused(f"choose a {field}; where there is none yet, add it first", field)
    if row is None:
        raise Refused(f"there is no {field} {id[:60]}; add it first", field)
    if not row.active:
        raise Refused(f"{row.name} is switched off; switch it on first", field)


def slug_of(name: str) -> str:
    """Return a name in small letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")


def named(name: str) -> str:
    """Return a name without outer spaces; raise `Refused` for none or one that is too long."""
    name = name.strip()
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise Refused("a name has 1 to 100 printable characters", "name")
    return name


def clean(text: str) -> str:
    """Return a text without control characters, which no database column takes."""
    return "".join(sign for sign in text if sign.isprintable()).strip()


def zone_exists(name: str) -> bool:
    """Say whether the time zone database knows `name`."""
    try:
        return bool(ZoneInfo(name).key)
    except (KeyError, ValueError, OSError):
        return False


def added(session: Session, row: Row) -> Row:
    """Add a row and give it its place in the transaction, so that others can point to it."""
    session.add(row)
    session.flush()
    return row
