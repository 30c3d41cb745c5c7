"""What a source says about an order, settled: which depot, which day, which place, which money."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import cos, radians
from typing import TYPE_CHECKING, Any

from sqlmodel import col, select

from hub.errors import Refused
from hub.fleet import places, shifts
from hub.fleet.measures import Measures, measures
from hub.maps import loaded
from hub.nouns import Address, Location, Money, Order, TimeWindow
from hub.orders.wishes import (
    HEAVIEST,
    drivers_by_word,
    said_totals,
    settle_windows,
    settle_wishes,
    window_values,
)
from hub.store import DepotRow, MerchantRow, OrderRow, PlaceRow, Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.hub import Hub

SERVICE_TIME = 180
"""Seconds at the door where nobody says otherwise."""
SURE = 0.5
"""Confidence from which a geocoder's answer is a place; below it a person has to look."""
NOWHERE = (0.0, 0.0)
"""Coordinates that programs write where they know none."""
NEAR = 3.0
"""Degrees of latitude, 330 km."""
AHEAD = timedelta(days=730)
LARGEST = Decimal(10_000_000)
NO_CURRENCY = "XXX"
"""ISO 4217's code for no currency: the merchant's own is meant."""


@dataclass
class Desk:
    """What settling orders of one merchant needs to know, read once for many of them."""

    merchant: MerchantRow
    depots: list[DepotRow]
    geocoder: bool
    now: datetime
    places: dict[str, PlaceRow] = field(default_factory=dict)
    days: dict[str, date] = field(default_factory=dict)
    measures: Measures = field(default_factory=Measures)
    drivers: dict[str, list[str]] = field(default_factory=dict)
    """Ids of drivers by id and name, where an order asks for one."""


def open_desk(
    hub: Hub, session: Session, merchant: str, orders: Sequence[Order], lead: int = 0
) -> Desk:
    """Read what settling `orders` of a merchant needs; raise `Refused` without a merchant.

    `lead` is how many days an order without a date needs until it can go out.
    """
    row = session.get(MerchantRow, merchant)
    if row is None:
        raise Refused(f"there is no merchant {merchant[:60]}", "merchant")
    depots = delivering(session)
    if not depots:
        raise Refused("there is no depot yet; add one before orders come in", "depot")
    unplaced = [order.address for order in orders if order.location is None]
    ready = session.now + timedelta(days=lead)
    return Desk(
        merchant=row,
        depots=depots,
        geocoder=bool(hub.connections.find(session, "geocoders", merchant))
        or bool(loaded(hub.settings.maps)),
        now=session.now,
        places=places.known(session, unplaced),
        days={depot.id: shifts.next_day(session, depot, ready) for depot in depots},
        measures=measures(session),
        drivers=drivers_by_word(session) if any(order.driver for order in orders) else {},
    )


def delivering(session: Session) -> list[DepotRow]:
    """Return the depots that orders are given to, the oldest first."""
    query = select(DepotRow).where(col(DepotRow.active).is_(True))
    return list(session.exec(query.order_by(DepotRow.id)))


def settle(desk: Desk, order: Order, old: OrderRow | None) -> dict[str, Any]:
    """Return the column values of an order; raise `Refused` naming the field that cannot be.

    `old` is the order as it is known so far: its pin and its day are kept while the source says
    nothing against them.
    """
    check_words(order)
    check_load(order)
    location = settle_place(desk, order, old)
    depot = settle_depot(desk, order, location)
    zone = depot or desk.depots[0]
    day = settle_day(desk, order, zone, old)
    windows = settle_windows(order, zone, day)
    said_totals(desk.measures, order)
    currency = settle_currency(desk, order)
    return {
        "kind": order.kind,
        "name": order.recipient.name.strip(),
        "phone": order.recipient.phone.strip(),
        "email": order.recipient.email.strip(),
        "address": order.address.model_dump(),
        "state": "ready" if location else "needs_address",
        "reason": "" if location else why_unplaced(desk, order),
        "lat": location.lat if location else None,
        "lon": location.lon if location else None,
        "confidence": location.confidence if location else None,
        "depot": depot.id if depot else None,
        "service_date": day,
        **window_values(windows),
        **settle_wishes(desk, order),
        "service_time": SERVICE_TIME if order.service_time is None else order.service_time,
        "cash_due": settle_amount(order.cash_due, "cash_due"),
        "total": settle_amount(order.total, "total"),
        "currency": currency,
        "invoice": order.invoice.strip(),
        "notes": order.notes.strip(),
        "number": order.number.strip(),
        "parent": order.parent.strip(),
        "digest": digest(order),
    }


def digest(order: Order) -> str:
    """Return a hash of all that the source said, so that the same news twice is no news."""
    return hashlib.sha256(order.model_dump_json(exclude_defaults=True).encode()).hexdigest()


def check_words(order: Order) -> None:
    """Refuse texts that no screen or database takes: too long, or with NUL characters."""
    if len(order.lines) > 2000:
        raise Refused("an order has at most 2,000 lines", "lines")
    texts = {
        "ref": order.ref,
        "depot": order.depot,
        "invoice": order.invoice,
        "number": order.number,
        "parent": order.parent,
        "driver": order.driver,
        "pair": order.pair,
        **{f"recipient.{name}": text for name, text in order.recipient},
        **{f"address.{name}": text for name, text in order.address},
        **{f"lines.{n}.name": line.name for n, line in enumerate(order.lines)},
        **{f"lines.{n}.sku": line.sku for n, line in enumerate(order.lines)},
        **{f"lines.{n}.ref": line.ref for n, line in enumerate(order.lines)},
    }
    for name, text in {**texts, "notes": order.notes}.items():
        limit = 5000 if name == "notes" else 300
        if len(text) > limit:
            raise Refused(f"{name} has {len(text):,} characters; at most {limit:,}", name)
        if "\x00" in text:
            raise Refused(f"{name} contains a NUL character; leave it out", name)


def check_load(order: Order) -> None:
    """Refuse an order that no vehicle carries, naming the line with which it becomes too much."""
    total = 0
    for number, line in enumerate(order.lines):
        total += line.load * line.quantity
        if total > HEAVIEST:
            name = f" ({line.name[:60]})" if line.name else ""
            raise Refused(
                f"line {number + 1}{name}: {line.quantity:,} pieces of load {line.load:,} make a "
                f"load of {total:,}; an order has at most {HEAVIEST:,}",
                f"lines.{number}",
            )


def settle_place(desk: Desk, order: Order, old: OrderRow | None) -> Location | None:
    """Return where the door is, if anybody knows: the source, a known door, or an earlier pin."""
    said = order.location
    if said is not None and (said.lat, said.lon) != NOWHERE:
        check_sides(desk, said)
        return said if said.confidence >= SURE else None
    place = desk.places.get(places.address_key(order.address))
    if place is not None and place.confidence >= SURE:
        return Location(lat=place.lat, lon=place.lon, confidence=place.confidence)
    if old is None or old.lat is None or old.lon is None:
        return None
    if Address.model_validate(old.address) != order.address:
        return None
    return Location(lat=old.lat, lon=old.lon, confidence=old.confidence or 0)


def check_sides(desk: Desk, said: Location) -> None:
    """Refuse exchanged coordinates, whose place is near a depot only the other way round."""
    if abs(said.lon) > 90 or any(near(depot, said.lat, said.lon) for depot in desk.depots):
        return
    if any(near(depot, said.lon, said.lat) for depot in desk.depots):
        raise Refused(
            f"latitude {said.lat} and longitude {said.lon} seem to be exchanged; "
            f"the other way round the place is near a depot",
            "location",
        )


def near(depot: DepotRow, lat: float, lon: float) -> bool:
    """Say whether a place lies within some 300 km of a depot."""
    return abs(depot.lat - lat) < NEAR and abs(depot.lon - lon) < NEAR / cos(radians(depot.lat))


def settle_depot(desk: Desk, order: Order, location: Location | None) -> DepotRow | None:
    """Return the named depot, the only one, or the nearest; None while the place is unknown."""
    if order.depot.strip():
        return named_depot(desk, order.depot.strip())
    if len(desk.depots) == 1:
        return desk.depots[0]
    return places.nearest(desk.depots, location) if location else None


def named_depot(desk: Desk, wanted: str) -> DepotRow:
    """Return the depot of an id or a name, in any case unless two names differ by it alone."""
    for depot in desk.depots:
        if wanted in (depot.name, depot.id):
            return depot
    alike = [depot for depot in desk.depots if depot.name.casefold() == wanted.casefold()]
    if len(alike) == 1:
        return alike[0]
    names = ", ".join(depot.name for depot in desk.depots[:10])
    raise Refused(f"there is no depot {wanted[:60]!r}; there are {names}", "depot")


def settle_day(desk: Desk, order: Order, depot: DepotRow, old: OrderRow | None) -> date:
    """Return the day of delivery: the source's, the window's, the known one, the next shift's."""
    today = shifts.local_day(depot, desk.now)
    wanted = order.service_date
    exact = next((one for one in order.windows if isinstance(one, TimeWindow)), order.window)
    if wanted is None and exact is not None:
        check_near(exact.start, desk.now)
        wanted = shifts.local_day(depot, exact.start)
    if wanted is None:
        return old.service_date if old is not None else desk.days[depot.id]
    if wanted < today and (old is None or wanted != old.service_date):
        raise Refused(f"{wanted} is over; name a day from {today} on", "service_date")
    if wanted > today + AHEAD:
        raise Refused(f"{wanted} is more than two years ahead", "service_date")
    return wanted


def check_near(at: datetime, now: datetime) -> None:
    """Refuse an instant that lies so far off that no calendar sum with it makes sense."""
    if not now - AHEAD <= at <= now + AHEAD:
        raise Refused("the window lies more than two years away", "window")


def settle_currency(desk: Desk, order: Order) -> str:
    """Return the one currency of an order."""
    given = {money.currency for money in (order.cash_due, order.total) if money is not None}
    given.discard(NO_CURRENCY)
    if len(given) > 1:
        raise Refused(f"cash_due and total are in {' and '.join(sorted(given))}", "cash_due")
    return given.pop() if given else desk.merchant.currency


def settle_amount(money: Money | None, name: str) -> Decimal | None:
    """Return an amount from 0 to ten million with at most four decimals."""
    if money is None:
        return None
    amount = money.amount
    if not amount.is_finite() or not 0 <= amount <= LARGEST:
        raise Refused(f"{name} has to lie between 0 and {LARGEST:,}", name)
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -4:
        raise Refused(f"{name} has more than four decimals", name)
    return amount


def settle_price(price: Money | None) -> Decimal | None:
    """Return the price of a piece with at most four decimals, nothing for what can be none.

    A shop may work it out of a line's total, and a discount may be a line with a price below zero:
    neither is a reason to leave an order.
    """
    if price is None or not price.amount.is_finite() or not 0 <= price.amount <= LARGEST:
        return None
    return round(price.amount, 4)


def why_unplaced(desk: Desk, order: Order) -> str:
    """Return why an order has no place yet and what to do about it."""
    address = order.address
    if not address.text():
        return "it came without an address; ask the customer and set the pin on the map"
    if not places.address_key(address):
        missing = "street" if not address.line1.strip() else "town"
        return f"its address names no {missing}; set the pin on the map"
    if desk.geocoder:
        return "its address is being looked up"
    return "the place of its address is not known; set the pin on the map"
