"""How far Xero's documents have been read: page after page by change, and none is left out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from hub import Cancelled, Cursor, Order, RefusedRow, Rejected
from hub_xero.accounting import PAGE, Accounting
from hub_xero.documents import Kind, contact_ids, moment, read

OVERLAP, STEP = 60, 1
"""Seconds that the next reading goes back: a document may become visible a little late. Within one
reading a step is enough, because Xero is asked in whole seconds."""
MOST_SEEN = 2 * PAGE
"""Documents that a cursor names so that they are not read twice; reading twice does no harm."""


class Place(BaseModel):
    """What a cursor says: documents dated `first` or later, changed since, but for those seen.

    `page` counts only while more documents than a page were changed in one moment. `seen` has the
    second of each one's change.
    """

    model_config = ConfigDict(frozen=True)

    kind: str
    first: date
    since: datetime
    page: int = 1
    seen: dict[str, int] = {}


def pull(
    accounting: Accounting, orders: str, kind: Kind, cursor: Cursor, days_back: int
) -> Iterator[Order | Cancelled | RefusedRow | Cursor]:
    """Yield what changed behind a cursor, one page of it, and the cursor behind that."""
    place = begin(orders, cursor, days_back)
    call: Callable[..., list[Any]] = getattr(accounting, f"changed_{orders}")
    found = call(place.since, place.page, place.first)
    new = [
        (line, one) for line, one in enumerate(found, start=1) if mark(kind, one) not in place.seen
    ]
    wanted = contact_ids(kind, [one for _, one in new])
    contacts = {
        str(one["ContactID"]): one
        for one in (accounting.contacts(wanted) if wanted else [])
        if isinstance(one, dict) and one.get("ContactID")
    }
    for line, one in new:
        yield from read(kind, line, one, contacts)
    yield Cursor(value=after(kind, place, found).model_dump_json())


def begin(orders: str, cursor: Cursor, days_back: int) -> Place:
    """Return where to read: at the cursor, or some days back where there is none of this kind."""
    if cursor.value:
        try:
            place = Place.model_validate_json(cursor.value)
        except ValidationError:
            raise Rejected("this is no cursor of Xero's documents", field="cursor") from None
        if place.kind == orders:
            return place
    first = datetime.now(UTC).date() - timedelta(days=days_back)
    since = datetime(first.year, first.month, first.day, tzinfo=UTC)
    return Place(kind=orders, first=first, since=since)


def after(kind: Kind, place: Place, found: list[Any]) -> Place:
    """Return the place behind a page; the same where nothing is new.

    Where a reading ends, fewer documents than a page lie behind the place, so that the next one
    sees at once what is new.
    """
    told = {mark(kind, one): at for one in found if (at := changed(one)) is not None}
    known, full = {**place.seen, **told}, len(found) >= PAGE
    if not full and place.page == 1 and known.keys() == place.seen.keys():
        return place
    if not known:
        return place.model_copy(update={"page": place.page + 1 if full else 1})
    last, before = max(known.values()), int(place.since.timestamp())
    if full:
        stuck = last - STEP <= before
        since, page = (before, place.page + 1) if stuck else (last - STEP, 1)
        kept = newest(known, min(since, last - OVERLAP))
    else:
        since, page = last - OVERLAP, 1
        behind = sorted((at for at in known.values() if at >= since), reverse=True)
        if len(behind) >= PAGE:
            since = behind[PAGE - 1] + 1
        kept = newest(known, since)
    begins = datetime.fromtimestamp(since, UTC)
    return Place(kind=place.kind, first=place.first, since=begins, page=page, seen=kept)


def newest(known: dict[str, int], since: int) -> dict[str, int]:
    """Return the documents that were changed last, as many as a cursor may name."""
    kept = sorted((at, name) for name, at in known.items() if at >= since)
    return {name: at for at, name in kept[-MOST_SEEN:]}


def changed(document: Any) -> int | None:
    """Return the second in which a document was changed."""
    at = moment(document.get("UpdatedDateUTC")) if isinstance(document, dict) else None
    return None if at is None else int(at.timestamp())


def mark(kind: Kind, document: Any) -> str:
    """Return a short name of a document as it is now; nothing where it has none."""
    if not isinstance(document, dict) or not isinstance(document.get(kind.id), str):
        return ""
    named = f"{document[kind.id]} {document.get('UpdatedDateUTC')}"
    return hashlib.sha256(named.encode()).hexdigest()[:12]
