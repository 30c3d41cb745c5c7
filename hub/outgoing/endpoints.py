"""Endpoints: added, changed, switched, given a new secret, disabled and removed."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, Table
from sqlmodel import col, func, select, update

from hub import http
from hub.access import audit, get, scoped
from hub.dispatch.flags import clear_flag, open_flags, raise_flag
from hub.errors import Missing, Refused
from hub.events import append, catalogue
from hub.events.catalogue import EndpointDisabled
from hub.events.facts import EndpointFacts
from hub.events.log import tail
from hub.outgoing.message import TEST, new_secret
from hub.outgoing.schedule import rests
from hub.queue import enqueue
from hub.store import EndpointRow, EventRow, MerchantRow, OutgoingRow, Session, WorkRow

if TYPE_CHECKING:
    from datetime import datetime

    from hub.access.keys import Keys

KIND = "outgoing"
"""The work of sending to one endpoint; its subject is the endpoint."""
OVERLAP = timedelta(hours=24)
"""How long the secret before a rotation signs too."""
MOST = 50
"""Endpoints of one owner."""
LONGEST_URL, LONGEST_TEXT = 2000, 200
OPEN = ("pending", "sending")
ROWS: Table = OutgoingRow.__table__  # type: ignore[attr-defined]


def add(
    session: Session,
    keys: Keys,
    url: str,
    *,
    merchant: str | None = None,
    description: str = "",
    types: list[str] | None = None,
) -> tuple[EndpointRow, str]:
    """Add an endpoint, sent what happens from now on; return it and its secret, shown once."""
    owner = col(EndpointRow.merchant)
    alive = scoped(session, EndpointRow).where(col(EndpointRow.removed_at).is_(None))
    mine = alive.where(owner.is_(None) if merchant is None else owner == merchant)
    if merchant is not None:
        get(session, MerchantRow, merchant)
    if len(session.exec(mine.limit(MOST)).all()) >= MOST:
        raise Refused(f"there are {MOST} endpoints already; remove one that is not used", "url")
    secret = new_secret()
    row = EndpointRow(
        merchant=merchant, url=checked_url(url), description=described(description),
        types=checked_types(types or []), secret=keys.seal(secret), seq=tail(session),
        created_at=session.wall,
    )  # fmt: skip
    session.add(row)
    session.flush()
    note(session, row, "added")
    return row, secret


def change(session: Session, id: str, **given: Any) -> EndpointRow:
    """Change `url`, `description` or `types`; what was left out stays."""
    row = found(session, id)
    if "url" in given:
        row.url = checked_url(given["url"])
    if "description" in given:
        row.description = described(given["description"])
    if "types" in given:
        row.types = checked_types(given["types"])
    note(session, row, "changed")
    return row


def rotate(session: Session, keys: Keys, id: str) -> str:
    """Give an endpoint a new secret and return it; the one before signs too for a day."""
    row, secret = found(session, id), new_secret()
    row.previous, row.previous_until = row.secret, session.wall + OVERLAP
    row.secret = keys.seal(secret)
    note(session, row, "rotated", "gave a new secret to the webhook")
    return secret


def switch(session: Session, id: str, enabled: bool, by: str = "") -> EndpointRow:
    """Switch an endpoint off, or on again: then it goes on where it stopped; its flags go."""
    row = found(session, id)
    if enabled:  # in the order in which the worker takes them that gives events out
        enqueue(session, "fan_out", "events")
        wake(session, row, session.wall)
    row.enabled = enabled
    note(session, row, "switched", f"switched {'on' if enabled else 'off'} the webhook")
    if enabled and not (row.state == "healthy" and row.failing_since is None):
        # Whatever was the matter, the first call tells whether it still is.
        row.state, row.reason, row.failures = "healthy", "", 0
        row.failing_since = row.rests_until = row.disabled_at = None
        row.recovered_at = session.wall
    if enabled:
        for flag in open_flags(session):
            if flag.subject == row.id:
                clear_flag(session, flag.id, by)
    return row


def drop(session: Session, id: str) -> int:
    """Lay by what waits for an endpoint, so that it begins anew from now on; return how much."""
    row = found(session, id)
    row.seq = max(row.seq, tail(session))
    return int(
        session.connection()
        .execute(
            ROWS.update()
            .where(ROWS.c.endpoint == row.id, ROWS.c.state == "pending")
            .values(state="dropped", ended_at=session.wall)
        )
        .rowcount
    )


def test(session: Session, id: str) -> OutgoingRow:
    """Have a test sent at once, also to an endpoint that is off; it is tried once."""
    row = found(session, id)
    made = OutgoingRow(
        endpoint=row.id, merchant=row.merchant, type=TEST, subject="", next_at=session.wall,
        created_at=session.wall,
    )  # fmt: skip
    made.subject = made.id
    session.add(made)
    session.flush()
    wake(session, row, session.wall)
    return made


def remove(session: Session, id: str) -> EndpointRow:
    """Send an endpoint nothing any more; its log goes with it, a little at a time."""
    row = found(session, id)
    row.enabled, row.removed_at = False, session.wall
    row.secret = row.previous = ""
    enqueue(session, "outgoing_sweep", row.id)
    note(session, row, "removed")
    return row


def note(session: Session, row: EndpointRow, verb: str, said: str = "") -> None:
    """Write down who did something to an endpoint; its address is told as far as its host."""
    about = f"{said or f'{verb} the webhook'} to {urlsplit(row.url).hostname}"
    audit.note(session, f"webhook.{verb}", row.id, about, merchant=row.merchant)


def disable(session: Session, row: EndpointRow, reason: str) -> None:
    """Switch an endpoint off for the hub itself, and tell a person."""
    row.state, row.reason, row.disabled_at = "disabled", reason[:500], session.wall
    facts = EndpointFacts(
        id=row.id, host=http.host_of(row.url), description=row.description, reason=row.reason
    )
    append(session, EndpointDisabled(subject=row.id, merchant_id=row.merchant, endpoint=facts))
    name = row.description or facts.host
    raise_flag(
        session, f"endpoint:{row.id}:{session.wall.isoformat()}", "webhook_disabled",
        f"Webhooks to {name} are switched off: {reason}", row.id, row.merchant,
    )  # fmt: skip


def wake(session: Session, row: EndpointRow, at: datetime | None = None) -> None:
    """Make the sending to an endpoint due, no later than `at`, else as soon as it may be called.

    Call it before the endpoint or its messages are changed: its worker takes them in that order.
    """
    wall = session.wall
    due = at or rests(row, wall) or wall
    enqueue(session, KIND, row.id, queue="outward", at=due)
    # Work that waits keeps its own time, which may be that of a message that failed.
    session.exec(
        update(WorkRow)
        .where(
            col(WorkRow.kind) == KIND, col(WorkRow.subject) == row.id,
            col(WorkRow.state) == "ready", col(WorkRow.not_before) > due,
        )
        .values(not_before=due)
        .execution_options(synchronize_session=False)
    )  # fmt: skip


def is_on(row: EndpointRow | None) -> bool:
    """Say whether events are sent to an endpoint."""
    return (
        row is not None and row.enabled and row.state != "disabled" and row.removed_at is None
    )  # fmt: skip


def found(session: Session, id: str) -> EndpointRow:
    """Return an endpoint that the principal may see; raise `Missing` for a removed one."""
    row = get(session, EndpointRow, id)
    if row.removed_at is not None:
        raise Missing(f"there is no endpoint {id[:60]}")
    return row


def wanted(row: EndpointRow) -> list[ColumnElement[bool]]:
    """Return the conditions for the events that an endpoint is sent: a merchant's only its own."""
    made: list[ColumnElement[bool]] = []
    if row.merchant is not None:
        made.append(col(EventRow.merchant) == row.merchant)
    if row.types:
        made.append(col(EventRow.type).in_(row.types))
    return made


def listed(session: Session) -> list[EndpointRow]:
    """Return the endpoints that the principal may see, oldest first."""
    query = scoped(session, EndpointRow).where(col(EndpointRow.removed_at).is_(None))
    return list(session.exec(query.order_by(col(EndpointRow.created_at), EndpointRow.id)))


def counts(session: Session, endpoints: list[str]) -> dict[str, dict[str, int]]:
    """Return how many rows each endpoint has in each state."""
    query = (
        select(OutgoingRow.endpoint, OutgoingRow.state, func.count())
        .where(col(OutgoingRow.endpoint).in_(endpoints))
        .group_by(OutgoingRow.endpoint, OutgoingRow.state)
    )
    made: dict[str, dict[str, int]] = {id: {} for id in endpoints}
    for endpoint, state, number in session.exec(query):
        made[endpoint][state] = number
    return made


def checked_url(url: str) -> str:
    """Return an address that may be called as far as can be told without asking for its name.

    What a name leads to is checked at every call.
    """
    said = url.strip()
    try:
        if len(said) > LONGEST_URL or not said.isprintable() or " " in said:
            raise ValueError("give a full address such as https://example.com/hooks")
        http.secure(said)
        parts = urlsplit(said)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise Refused(str(error), "url") from None
    host = str(parts.hostname)
    if f"{host}:{port}" not in http.allowed_addresses() and is_private(host):
        raise Refused(
            f"{host} is a private address, which the hub does not call; the operator can allow "
            f"{host}:{port} with HUB_ALLOW_ADDRESSES", "url",
        )  # fmt: skip
    return said


def is_private(host: str) -> bool:
    """Say whether a host is written as an address that is not public, or names this machine."""
    try:
        ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return not http.is_public(host)


def checked_types(types: list[str]) -> list[str]:
    """Return names of events, each once; raise `Refused` for one that there is not."""
    unknown = sorted(set(types) - catalogue().keys())
    if unknown:
        raise Refused(f"there is no event {unknown[0][:60]}", "types")
    return sorted(set(types))


def described(text: str) -> str:
    """Return a description in one line."""
    said = " ".join(text.split())
    if len(said) > LONGEST_TEXT or not said.isprintable():
        raise Refused(f"a description has at most {LONGEST_TEXT} letters", "description")
    return said
