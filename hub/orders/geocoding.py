"""Find the place of an order's address: through a geocoder connection, or by the loaded maps."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from sqlmodel import select

from hub.capabilities import Geocoder
from hub.connections.book import Parked
from hub.connections.grants import doubt, waits
from hub.connections.pulse import hangs, rests
from hub.deadlines import deadline
from hub.errors import PluginError, Rejected, Retry, Unauthorized
from hub.events import append
from hub.events.catalogue import ConnectionExpired
from hub.events.facts import ConnectionFacts
from hub.fleet import places
from hub.maps import loaded
from hub.nouns import Address, Location
from hub.orders.places import put
from hub.orders.resolve import SURE
from hub.queue import Claim, defer, enqueue, finish, park, unpark
from hub.queue.work import held, postpone
from hub.store import ConnectionRow, OrderRow, Session, SettingRow, WorkRow

if TYPE_CHECKING:
    from hub.hub import Hub

KIND = "geocode"
OFFLINE = "osmplaces"
"""The built-in geocoder over the loaded maps."""
QUEUE = "outward"
LONGEST = 45.0
"""Seconds that one look-up may take before its worker is ended."""
TRIES = 5
"""Tries after which a person has to set the pin."""


def ask(session: Session, order_id: str) -> None:
    """Have the place of an order looked up."""
    enqueue(session, KIND, order_id, queue=QUEUE)


def resume(session: Session) -> int:
    """Make look-ups due that waited for a connection to be mended; return how many."""
    parked = session.exec(
        select(WorkRow.subject).where(WorkRow.kind == KIND, WorkRow.state == "parked")
    ).all()
    return unpark(session, KIND, list(parked)) if parked else 0


def work(hub: Hub, claim: Claim) -> None:
    """Look one order's place up: known doors first, then the geocoder when it is its turn."""
    with hub.store.read() as session:
        order = session.get(OrderRow, claim.subject)
        waits = order is not None and order.state == "needs_address"
        rows = hub.connections.find(session, "geocoders", order.merchant) if order else []
    if order is None or not waits:
        end(hub, claim, "")
        return
    address = Address.model_validate(order.address)
    if use_known(hub, claim, address):
        return
    if rows:
        look_up(hub, claim, rows[0], address)
    else:
        look_at_maps(hub, claim, address)


def is_possible(hub: Hub, session: Session, merchant: str | None) -> bool:
    """Say whether an address can be looked up: a geocoder is connected, or a map is loaded."""
    found = hub.connections.find(session, "geocoders", merchant)
    return bool(found) or bool(loaded(hub.settings.maps))


def look_at_maps(hub: Hub, claim: Claim, address: Address) -> None:
    """Ask the loaded maps, as where no geocoder is connected."""
    if not loaded(hub.settings.maps):
        end(hub, claim, "the place of its address is not known; set the pin on the map")
        return
    kind = hub.plugins.connector(OFFLINE)
    geocoder = kind(kind.Config.model_validate({"folder": hub.settings.maps}))
    try:
        with deadline(LONGEST), hub.connections.contained(geocoder):
            location = located(geocoder, address)
    except Exception as error:  # a map may be taken away meanwhile
        again(hub, claim, Retry(f"{geocoder.title} failed: {error}"))
        return
    settle(hub, claim, kind.title, OFFLINE, address, location)


def look_up(hub: Hub, claim: Claim, row: ConnectionRow, address: Address) -> None:
    """Ask one geocoder, with no transaction open meanwhile."""
    began = hub.store.clock.wall()
    try:
        with hub.store.read() as session:
            geocoder = hub.connections.usable(session, row.id)
            until = rests(session.get_one(ConnectionRow, row.id), session.wall)
        if until is not None or claim.hung:
            leave(hub, claim, row, until)
            return
        if not my_turn(hub, claim, row, pace(geocoder)):
            return
        with deadline(LONGEST), hub.connections.contained(geocoder):
            location = located(geocoder, address)
    except Parked as reason:
        with hub.store.write() as session:
            park(session, claim, str(reason))
    except Unauthorized as error:
        expire(hub, claim, row, str(error), began)
    except Retry as error:
        again(hub, claim, error)
    except Rejected as error:
        end(hub, claim, f"the geocoder refused its address ({error}); set the pin on the map")
    except Exception as error:  # a connector may raise anything
        again(hub, claim, Retry(f"{row.title} failed: {error}"))
    else:
        settle(hub, claim, row.title, row.connector, address, location)


def located(geocoder: Any, address: Address) -> Location | None:
    """Return what a geocoder answers; raise `PluginError` for what is no answer."""
    location = cast(Geocoder, geocoder).locate(address)
    if location is not None and not isinstance(location, Location):
        kind = type(location).__name__
        raise PluginError(f"{geocoder.title} returned a {kind}, which is no Location")
    return location


def leave(hub: Hub, claim: Claim, row: ConnectionRow, until: datetime | None) -> None:
    """Leave a geocoder alone for a while that did not answer until its worker was ended."""
    with hub.store.write() as session:
        found = session.get_one(ConnectionRow, row.id, with_for_update=True)
        if until is None:
            hangs(found, session.wall, f"It did not answer: {claim.why}")
        postpone(session, claim, found.rests_until or session.wall, "its geocoder is left alone")


def pace(geocoder: Any) -> float:
    """Return how many requests per second a geocoder's settings allow."""
    return float(getattr(geocoder.config, "per_second", 1.0))


def my_turn(hub: Hub, claim: Claim, row: ConnectionRow, per_second: float) -> bool:
    """Say whether the geocoder may be asked now; if not, the work is due again at its own turn.

    One database row per connection holds when it was asked last and which turn is free next, so
    that all workers together keep the pace; nobody sleeps.
    """
    gap = timedelta(seconds=1 / per_second)
    with hub.store.write() as session:
        now = session.wall
        turns = session.exec(
            select(SettingRow).where(SettingRow.name == f"pace:{row.id}").with_for_update()
        ).one_or_none()
        if turns is None:
            turns = SettingRow(name=f"pace:{row.id}", value={})
            session.add(turns)
        last, free = read_turn(turns, "last", now - gap), read_turn(turns, "free", now)
        if last + gap <= now:
            after = max(free, now + gap)
            turns.value = {"last": now.isoformat(), "free": after.isoformat()}
            return True
        turn = max(free, last + gap)
        turns.value = {"last": last.isoformat(), "free": (turn + gap).isoformat()}
        # Waiting for one's turn is no try.
        held(
            session, claim, state="ready", not_before=turn, tries=claim.tries - 1,
            lease_token="", lease_until=None,
        )  # fmt: skip
        return False


def read_turn(turns: SettingRow, name: str, default: datetime) -> datetime:
    """Return a stored turn, never far ahead of what a busy hour can book."""
    text = turns.value.get(name)
    return datetime.fromisoformat(text) if text else default


def use_known(hub: Hub, claim: Claim, address: Address) -> bool:
    """Use the door that an earlier order has taught; return whether there was one."""
    with hub.store.write() as session:
        place = places.known(session, [address]).get(places.address_key(address))
        if place is None or place.confidence < SURE:
            return False
        location = Location(lat=place.lat, lon=place.lon, confidence=place.confidence)
        put(session, session.get_one(OrderRow, claim.subject), location)
        finish(session, claim)
        return True


def settle(
    hub: Hub, claim: Claim, title: str, source: str, address: Address, location: Location | None
) -> None:
    """Record what a geocoder answered: its `title` for people, its `source` with the place."""
    if location is None:
        end(hub, claim, f"{title} does not know its address; set the pin on the map")
        return
    if location.confidence < SURE:
        end(hub, claim, f"{title} is not sure about its address; set the pin on the map")
        return
    with hub.store.write() as session:
        order = session.get_one(OrderRow, claim.subject, with_for_update={"key_share": True})
        places.remember(session, address, location, source)
        # The address may have been changed or pinned while the geocoder was asked.
        if order.state == "needs_address" and Address.model_validate(order.address) == address:
            put(session, order, location)
            finish(session, claim)
        else:
            defer(session, claim, session.wall)


def again(hub: Hub, claim: Claim, error: Retry) -> None:
    """Ask later: when the geocoder says, or after 2, 4, 8 ... seconds; in the end a person."""
    if claim.tries >= TRIES:
        end(hub, claim, f"its address could not be looked up ({error}); set the pin on the map")
        return
    wait = error.after if error.after is not None else 2.0**claim.tries
    with hub.store.write() as session:
        defer(session, claim, session.wall + timedelta(seconds=min(wait, 3600)), str(error))


def expire(hub: Hub, claim: Claim, row: ConnectionRow, reason: str, began: datetime) -> None:
    """Pause the connection, tell its owner, and park the work until it is mended or renewed."""
    with hub.store.write() as session:
        latest = session.get_one(ConnectionRow, row.id, with_for_update=True)
        if doubt(latest, began, session.wall):
            if waits(latest, session.wall):
                park(session, claim, reason)
            else:
                postpone(session, claim, session.wall, reason)
            return
        hub.connections.expire(session, row.id, reason)
        facts = ConnectionFacts(
            id=row.id, connector=row.connector, title=row.title, reason=reason[:300]
        )
        append(
            session,
            ConnectionExpired(subject=row.id, merchant_id=row.merchant, connection=facts),
        )
        park(session, claim, reason)


def end(hub: Hub, claim: Claim, reason: str) -> None:
    """End the look-up; with a `reason` the order goes on waiting for a person."""
    with hub.store.write() as session:
        order = session.get(OrderRow, claim.subject)
        if reason and order is not None and order.state == "needs_address":
            order.reason = reason[:300]
        finish(session, claim)
