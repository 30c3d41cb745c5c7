"""Find the place of an address that somebody has written in one line and waits for, as a depot's.

It is found as orders' addresses are: a known door first, then the connected geocoder, in a worker
and at its pace, and without one the loaded maps.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlmodel import select

from hub.connections.book import Parked
from hub.deadlines import deadline
from hub.errors import HubError, Refused
from hub.fleet import places
from hub.maps import loaded
from hub.maps.places import find as find_on_maps
from hub.nouns import Address, Location
from hub.orders.geocoding import LONGEST, OFFLINE, QUEUE, located, my_turn, pace
from hub.orders.resolve import SURE
from hub.queue import Claim, enqueue
from hub.queue.work import end, finish
from hub.store import ConnectionRow, WorkRow

if TYPE_CHECKING:
    from hub.hub import Hub

KIND = "look_up"
"""Work whose subject is the address itself, as JSON."""
PATIENCE = timedelta(seconds=30)
"""After which somebody is told that no worker takes it."""
EXAMPLE = "Städtle 6, 9490 Vaduz"
DEGREES = "write degrees under On the map instead"
_POSTCODE = r"(?:[A-Za-z]{1,2}-)?(\d[\d-]{2,8}\d)"
_TOWN = re.compile(rf"^{_POSTCODE}\s+(\D.*)$")
_BEHIND = re.compile(r"^(.*?)\s*(\d{4,6}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})$")
_BARE = re.compile(rf"^(.*\S)\s+({_POSTCODE}\s+\D.*)$")


def address_of(text: str) -> Address:
    """Return the address in a line such as `Städtle 6, 9490 Vaduz, LI`.

    Raises `Refused` where there is no street or no town in it.
    """
    street, *rest = [part.strip() for part in text.split(",")]
    bare = _BARE.match(street)
    if not rest and bare:
        street, rest = bare[1], [bare[2]]
    postcode = city = ""
    others: list[str] = []
    for part in filter(None, rest):
        town, behind = _TOWN.match(part), _BEHIND.match(part)
        if town and not postcode:  # what stands between is the street, behind a name of the place
            street, postcode, city = city or street, town[1], town[2]
        elif behind and not postcode:
            others += [city] if city and behind[1] else []
            postcode, city = behind[2], city or behind[1]
        elif not city:
            city = part
        else:
            others.append(part)
    country = others[-1] if others else ""
    found = Address(line1=street, postcode=postcode, city=city, country=country[:60])
    if not places.address_key(found):
        raise Refused(f"address: {text[:60]!r} names no street and town like {EXAMPLE}", "address")
    return found


def find(hub: Hub, text: str, *, asked: bool = False, ask: bool = True) -> Location | None:
    """Return where an address is, None while a worker asks the geocoder.

    `asked` says that a worker may have been told already; without `ask` none is told now. Raises
    `Refused` for an address that nobody knows.
    """
    address = address_of(text)
    subject = address.model_dump_json(exclude_defaults=True)
    with hub.store.read() as session:
        place = places.known(session, [address]).get(places.address_key(address))
        if place is not None and place.confidence >= SURE:
            return Location(lat=place.lat, lon=place.lon, confidence=place.confidence)
        geocoders = hub.connections.find(session, "geocoders", None)
        query = select(WorkRow).where(WorkRow.kind == KIND, WorkRow.subject == subject)
        row = session.exec(query).one_or_none() if asked else None
        late = row is not None and session.wall - row.not_before > PATIENCE
    if not geocoders:
        return on_maps(hub, address)
    if row is None and not ask:
        raise unknown(f"nobody looks it up any more; try again, or {DEGREES}")
    if row is None:
        with hub.store.write() as session:
            enqueue(session, KIND, subject, queue=QUEUE)
        return None
    if row.state == "leased" or (row.state == "ready" and not late):
        return None
    nobody = f"no worker has looked it up yet; start them with hub up, or {DEGREES}"
    raise unknown(nobody if row.state == "ready" else row.error or "it could not be looked up")


def on_maps(hub: Hub, address: Address) -> Location:
    """Return where the loaded maps have an address; raise `Refused` where they do not."""
    if not loaded(hub.settings.maps):
        raise unknown(
            "nothing can look it up: connect a geocoder under Connections, load a map with "
            f"hub map load, or {DEGREES}"
        )
    found = find_on_maps(hub.settings.maps, address)
    title = hub.plugins.connector(OFFLINE).title
    return sure(title, found.location if found else None)


def sure(title: str, location: Location | None) -> Location:
    """Return a geocoder's answer; raise `Refused` for none, or one that is a guess."""
    if location is None:
        raise unknown(f"{title} does not know it; correct it, or {DEGREES}")
    if location.confidence < SURE:
        raise unknown(f"{title} is not sure where it is; write its house number, or {DEGREES}")
    return location


def unknown(reason: str) -> Refused:
    """Return why an address has no place, as a person reads it beside the field."""
    return Refused(f"address: {reason}", "address")


def work(hub: Hub, claim: Claim) -> None:
    """Ask the geocoder for one address, once; what goes wrong is told to who waits for it."""
    address = Address.model_validate_json(claim.subject)
    with hub.store.read() as session:
        rows = hub.connections.find(session, "geocoders", None)
    reason = f"no geocoder is connected any more; {DEGREES}"
    try:
        if rows and not claim.hung:
            if not asked(hub, claim, rows[0], address):
                return
            reason = ""
        elif claim.hung:
            reason = f"{rows[0].title if rows else 'the geocoder'} does not answer; {DEGREES}"
    except Refused as refusal:
        reason = str(refusal).removeprefix("address: ")
    except (HubError, Parked) as error:
        reason = f"{rows[0].title} could not be asked ({error}); try again, or {DEGREES}"
    except Exception as error:  # a connector may raise anything
        reason = f"{rows[0].title} failed ({type(error).__name__}: {error}); {DEGREES}"
    with hub.store.write() as session:
        if reason:
            end(session, claim, "done", reason)
        else:
            finish(session, claim)


def asked(hub: Hub, claim: Claim, row: ConnectionRow, address: Address) -> bool:
    """Ask a geocoder and remember the door; return False while it is not its turn."""
    with hub.store.read() as session:
        geocoder = hub.connections.usable(session, row.id)
    if not my_turn(hub, claim, row, pace(geocoder)):
        return False
    with deadline(LONGEST), hub.connections.contained(geocoder):
        location = located(geocoder, address)
    location = sure(row.title, location)
    with hub.store.write() as session:
        places.remember(session, address, location, row.connector)
    return True
