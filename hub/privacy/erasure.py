"""Remove a person from everything that is held, and leave what is no person's.

What was bought, when it was delivered and what came of it stays for the figures and the books. The
sealed records of deliveries stay as they are: they hold names as salted hashes only, and the salts
go. Photos and signatures stay with them, as proof.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, cast
from sqlmodel import SQLModel, col, delete, or_, select

from hub.access import audit
from hub.access.scope import column
from hub.connections.activity import DELIVERY
from hub.events import erase as erase_persons
from hub.fleet import places
from hub.nouns import Address
from hub.orders.cancellation import cancel
from hub.privacy.subjects import ERASED, said_of, without
from hub.store import (
    ActivityRow,
    AttemptRow,
    EffectRow,
    EventRow,
    FlagRow,
    ImportErrorRow,
    ImportRow,
    InboxRow,
    MessageRow,
    OrderRow,
    PlaceRow,
    PreviewRow,
    ProofRow,
    RejectedRow,
    ReplyRow,
    RouteWayRow,
    RunRow,
    Session,
    StepAttemptRow,
    StepRow,
    StopRow,
)
from hub.store.states import ENDED

if TYPE_CHECKING:
    from hub.hub import Hub

COARSE = 2
"""Decimals of what is left of a place: about a kilometre."""
KEPT = ("postcode", "city", "region", "country")
"""What is left of an address."""
NEVER = 422
"""State of a delivery that nobody takes in any more."""
TOGETHER = 20
"""Words that are looked for in one question."""


def waits(session: Session, order: OrderRow) -> bool:
    """Say whether an order is still to be delivered, for which its person has to be known."""
    if order.state == "cancelled":
        return False
    state = session.exec(select(StopRow.state).where(StopRow.order == order.id)).first()
    return state is None or state not in ENDED | {"cancelled"}


def call_off(session: Session, order: OrderRow) -> bool:
    """Call off an order that waits but is on no route; return whether that could be done."""
    state = session.exec(select(StopRow.state).where(StopRow.order == order.id)).first()
    if state not in (None, "unassigned", "planned", "on_hold"):
        return False
    cancel(session, order.id)
    return True


def erase_order(hub: Hub, id: str) -> None:
    """Remove the person from an order and everything that hangs on it, in one transaction."""
    with hub.store.write() as session:
        order = session.get_one(OrderRow, id, with_for_update={"key_share": True})
        stop = session.exec(select(StopRow).where(StopRow.order == id)).one_or_none()
        words = said_of(session, order)
        subjects = [id, *([stop.id] if stop is not None else [])]
        pages = visits(session, stop) if stop is not None else []
        events = session.exec(select(EventRow.id).where(col(EventRow.subject).in_(subjects))).all()
        erase_persons(session, list(events))
        traces(session, list(events), subjects, words)
        address = Address.model_validate(order.address)
        blank(session, order)
        session.flush()
        forget_place(session, address)
        audit.note(
            session, "order.erased", order.id,
            f"removed the person from the order {order.ref}", merchant=order.merchant,
        )  # fmt: skip
    for page in pages:
        hub.files.drop(page)


def blank(session: Session, order: OrderRow) -> None:
    """Empty an order of its person; its number, its goods and its town stay."""
    order.name = order.phone = order.email = order.notes = ""
    order.address = {name: order.address.get(name, "") for name in KEPT}
    order.reason = ""
    order.lat, order.lon = coarse(order.lat), coarse(order.lon)
    order.erased_at = session.now


def visits(session: Session, stop: StopRow) -> list[str]:
    """Empty what the visits of a stop say about people; return the PDFs that go with it."""
    stop.lat, stop.lon = round(stop.lat, COARSE), round(stop.lon, COARSE)
    # Lines to the very door, of every route that it was ever on; they are found anew without it.
    led = cast(col(RouteWayRow.stops), Text).contains(stop.id, autoescape=True)
    session.exec(delete(RouteWayRow).where(led))
    for attempt in session.exec(select(AttemptRow).where(AttemptRow.stop == stop.id)):
        attempt.received_by = attempt.note = ""
        attempt.lat, attempt.lon = coarse(attempt.lat), coarse(attempt.lon)
    for message in session.exec(select(MessageRow).where(MessageRow.stop == stop.id)):
        message.to = message.text = message.subject = message.error = ""
    for reply in session.exec(select(ReplyRow).where(ReplyRow.stop == stop.id)):
        reply.sender = reply.text = ""
    pages = []
    for proof in session.exec(select(ProofRow).where(ProofRow.stop == stop.id)):
        pages += [proof.pdf] if proof.pdf else []
        proof.salt = proof.pdf = ""  # the page is drawn anew, without the person, when it is asked
    return pages


def coarse(degrees: float | None) -> float | None:
    """Return a coordinate from which no door can be told."""
    return None if degrees is None else round(degrees, COARSE)


def traces(session: Session, events: list[str], subjects: list[str], words: list[str]) -> None:
    """Take words out of the flags about an order and of the runs that its events have started."""
    for flag in session.exec(select(FlagRow).where(col(FlagRow.subject).in_(subjects))):
        flag.text = without(flag.text, words)
    runs = list(session.exec(select(RunRow).where(col(RunRow.event).in_(events))))
    ids = [run.id for run in runs]
    steps = session.exec(select(StepRow).where(col(StepRow.run).in_(ids))).all()
    effects = session.exec(select(EffectRow).where(col(EffectRow.run).in_(ids))).all()
    tries = session.exec(
        select(StepAttemptRow).where(col(StepAttemptRow.effect).in_([one.id for one in effects]))
    ).all()
    clean(runs, words, "inputs", "error", "reason")
    clean(steps, words, "input", "output", "error", "override")
    clean(effects, words, "output", "error")
    clean(tries, words, "message")


def clean(rows: Any, words: list[str], *names: str) -> None:
    """Take words out of columns of rows, which are written only where that changes them."""
    for row in rows:
        for name in names:
            before = getattr(row, name)
            after = without(before, words)
            if after != before:
                setattr(row, name, after)


def forget_place(session: Session, address: Address) -> None:
    """Forget where an address is, unless somebody else's order goes there as well."""
    key = places.address_key(address)
    place = session.exec(select(PlaceRow).where(PlaceRow.address_key == key)).one_or_none()
    if place is None:
        return
    near = select(OrderRow).where(
        col(OrderRow.erased_at).is_(None), OrderRow.lat == place.lat, OrderRow.lon == place.lon
    )
    for order in session.exec(near):
        if places.address_key(Address.model_validate(order.address)) == key:
            return
    session.delete(place)


def erase_texts(hub: Hub, merchant: str | None, words: frozenset[str]) -> None:
    """Take words out of what was written down about a merchant's exchanges and files."""
    imports = select(ImportRow.id)
    if merchant is not None:
        imports = imports.where(ImportRow.merchant == merchant)
    for some in chunked(sorted(words)):
        with hub.store.write() as session:
            scrub(session, RejectedRow, merchant, some, "reason")
            scrub(session, FlagRow, merchant, some, "text")
            scrub(session, ActivityRow, merchant, some, "text", "excerpt")
            errors = select(ImportErrorRow).where(
                col(ImportErrorRow.import_).in_(imports), like(ImportErrorRow, some, "reason")
            )
            clean(session.exec(errors).all(), some, "reason")


def scrub(
    session: Session, table: type[SQLModel], merchant: str | None, words: list[str], *names: str
) -> None:
    """Take words out of text columns of a merchant's rows."""
    query = select(table).where(like(table, words, *names))
    if merchant is not None:
        query = query.where(column(table, "merchant") == merchant)
    clean(session.exec(query).all(), words, *names)


def like(table: type[SQLModel], words: list[str], *names: str) -> Any:
    """Return the condition that one of some words stands in one of some columns."""
    return or_(
        *(column(table, name).contains(word, autoescape=True) for name in names for word in words)
    )


def chunked(words: list[str]) -> list[list[str]]:
    """Return words a few at a time."""
    return [words[at : at + TOGETHER] for at in range(0, len(words), TOGETHER)]


def erase_connection(hub: Hub, connection: str) -> None:
    """Empty everything that came through a connection and is kept as it came."""
    with hub.store.write() as session:
        for rejected in session.exec(
            select(RejectedRow).where(RejectedRow.connection == connection)
        ):
            rejected.reason = ERASED
        for entry in session.exec(select(ActivityRow).where(ActivityRow.connection == connection)):
            entry.text, entry.excerpt = "", ""
        for flag in session.exec(
            select(FlagRow).where(FlagRow.subject == connection, FlagRow.kind == "order_refused")
        ):
            flag.text = ERASED
        forget_previews(session, [connection])
        kept = select(InboxRow).where(InboxRow.source == connection, InboxRow.kind == DELIVERY)
        for row in session.exec(kept):
            row.body, row.status = b"", row.status or NEVER


def forget_previews(session: Session, connections: list[str]) -> None:
    """Drop the samples that connections have shown."""
    for row in session.exec(select(PreviewRow).where(col(PreviewRow.connection).in_(connections))):
        row.sealed = ""
