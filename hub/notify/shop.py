"""The action `notify.shop`: the system that an order came from hears how its delivery goes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import col, select

from hub.access import get
from hub.actions import ActionInput, ActionOutput, Call, Outward
from hub.connections.pulse import is_in_use
from hub.connector import Connector
from hub.errors import HubError, Rejected
from hub.hub import Hub
from hub.nouns import DeliveryStatus, Location, Progress, Receipt
from hub.orders import reasons
from hub.proofs.sheet import handed_lines
from hub.store import (
    AttemptRow,
    ConnectionRow,
    EffectRow,
    EventRow,
    MerchantRow,
    OrderRow,
    ProofFileRow,
    RunRow,
    Session,
    StopRow,
    System,
)
from hub.tracking.links import tracking_url

BY_HAND = ("csv", "api")
"""Sources that nobody can be told at."""
SWITCH = "tell_shop"
"""The setting by which a connector may let its users keep the news to themselves."""
AT_THE_DOOR = ("attempted", "delivered", "partial", "failed")
HANDED_OVER = ("delivered", "partial")


class ShopInput(ActionInput):
    """Which stop, and how far its delivery is."""

    stop: str
    status: Progress


class ShopOutput(ActionOutput):
    """How many systems were told: one, or none where the order's source takes no news."""

    told: int


def sources(hub: Hub, session: Session, given: ShopInput) -> list[str]:
    """Return the connection that the stop's order came from, nothing where it takes no news.

    One that is switched off or has expired is taken as well: its news waits for it.
    """
    stop = get(session, StopRow, given.stop)
    order = session.get_one(OrderRow, stop.order)
    if order.source in BY_HAND:
        return []
    query = select(ConnectionRow).where(ConnectionRow.merchant == order.merchant)
    rows = session.exec(query.order_by(ConnectionRow.id)).all()
    mine = [row for row in rows if row.order_source == order.source and is_in_use(row)]
    return [row.id for row in mine if takes_news(hub, row)][:1]


def takes_news(hub: Hub, row: ConnectionRow) -> bool:
    """Say whether a connection's connector passes news on, and is wanted to."""
    plugin = hub.plugins.owner(row.connector)
    kind = plugin.connectors[row.connector] if plugin is not None else None
    if kind is None or not hasattr(kind, "tell"):
        return False
    field = kind.Config.model_fields.get(SWITCH)
    return field is None or row.config.get(SWITCH, field.default) is not False


def prepare(hub: Hub, given: ShopInput, call: Call) -> DeliveryStatus:
    """Return the news as it was when it happened, whenever it is sent."""
    with hub.store.read(System(call.merchant)) as session:
        stop = get(session, StopRow, given.stop)
        order = session.get_one(OrderRow, stop.order)
        event = cause(session, call.key)
        link = tracking_url(hub, stop.id)
        return DeliveryStatus(
            key=call.key,
            order=order.ref,
            number=order.number,
            parent=order.parent,
            stop=stop.id,
            status=given.status,
            at=event.occurred_at if event is not None else session.now,
            eta=eta(stop, event, given.status),
            tracking_url=link,
            carrier=session.get_one(MerchantRow, stop.merchant).name,
            **at_the_door(session, given, stop, event, link),
        )


def cause(session: Session, key: str) -> EventRow | None:
    """Return the event whose workflow makes a call."""
    query = (
        select(EventRow)
        .join(RunRow, col(RunRow.event) == EventRow.id)
        .join(EffectRow, col(EffectRow.run) == RunRow.id)
    )
    return session.exec(query.where(EffectRow.key == key)).one_or_none()


def told(event: EventRow | None, stop: StopRow) -> dict[str, Any]:
    """Return what an event said about a stop; nothing where it was about something else."""
    facts = event.data.get("stop", {}) if event is not None else {}
    return facts if facts.get("id") == stop.id else {}


def eta(stop: StopRow, event: EventRow | None, status: str) -> datetime | None:
    """Return the arrival that was expected then; none for a delivery that is over."""
    if status in AT_THE_DOOR or status == "cancelled":
        return None
    said = told(event, stop).get("eta_at", "")
    return datetime.fromisoformat(said) if said else stop.eta_at


def at_the_door(
    session: Session, given: ShopInput, stop: StopRow, event: EventRow | None, link: str
) -> dict[str, Any]:
    """Return what the driver brought back from the door that the news is about."""
    if given.status not in AT_THE_DOOR:
        return {}
    attempt = attempt_of(session, stop, int(told(event, stop).get("attempt") or 0))
    if attempt is None:
        raise Rejected(f"nobody was at the door of stop {stop.id} yet, so nothing came of it")
    handed = given.status in HANDED_OVER
    return {
        "location": place(attempt),
        "reason": "" if not attempt.reason else reasons.label(attempt.reason),
        "received_by": attempt.received_by if handed else "",
        "proof_url": f"{link}{anchor(session, attempt)}" if handed else "",
        "lines": handed_lines(session, attempt),
    }


def attempt_of(session: Session, stop: StopRow, number: int) -> AttemptRow | None:
    """Return the attempt of that number, or the last one."""
    query = select(AttemptRow).where(AttemptRow.stop == stop.id)
    if number:
        query = query.where(AttemptRow.number == number)
    return session.exec(query.order_by(col(AttemptRow.number).desc()).limit(1)).first()


def place(attempt: AttemptRow) -> Location | None:
    """Return where the driver's phone was."""
    if attempt.lat is None or attempt.lon is None:
        return None
    return Location(lat=attempt.lat, lon=attempt.lon)


def anchor(session: Session, attempt: AttemptRow) -> str:
    """Return the part of the tracking page that shows the pictures, where there are any."""
    query = select(ProofFileRow.id).where(ProofFileRow.attempt == attempt.id)
    return "#pictures" if session.exec(query.limit(1)).first() is not None else ""


def tell(connector: Connector[Any], status: DeliveryStatus) -> Receipt:
    """Pass the news on."""
    receipt: Receipt = connector.tell(status)  # type: ignore[attr-defined]
    return receipt


def done(session: Session, given: ShopInput, call: Call, receipt: Receipt) -> None:
    """Write nothing: the effect keeps the receipt."""


def failed(session: Session, given: ShopInput, call: Call, error: HubError) -> None:
    """Write nothing: the effect keeps the error."""


def output(receipts: list[dict[str, Any]]) -> ShopOutput:
    """Return how many systems were told."""
    return ShopOutput(told=len(receipts))


TELL_SHOP = Outward(
    name="notify.shop",
    method="tell",
    Input=ShopInput,
    Output=ShopOutput,
    items=sources,
    prepare=prepare,
    call=tell,
    done=done,
    failed=failed,
    output=output,
    on_unknown="resend",
)
