"""Take in what was delivered to a connection: in the order in which it came, a few at a time.

A delivery waits in the inbox until the transaction that takes the last of it marks it as done.
Whoever dies in between leaves it waiting; orders are taken once however often they come.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from sqlmodel import select

from hub.connections import activity
from hub.connections.book import Parked
from hub.connections.grants import doubt
from hub.connections.pulse import degrade, fails, rests, works
from hub.errors import HubError, PluginError, Refused, Rejected, Retry, Unauthorized
from hub.notify import replies
from hub.nouns import (
    Cancelled,
    DeliveryReport,
    DevicePosition,
    Disconnected,
    InboundText,
    Order,
    PrivacyRequest,
    RefusedRow,
)
from hub.orders.intake import take_all
from hub.orders.mapping import Mapping
from hub.orders.resolve import open_desk
from hub.queue.faults import reach
from hub.queue.work import Claim, LeaseLost, defer, finish, park, postpone, renew
from hub.store import ConnectionRow, InboxRow, Session, System
from hub.store.database import Busy
from hub.tracking import devices
from hub.workflow import calloffs, farewells, rejects
from hub.workflow.checks import SHORTLY
from hub.workflow.failures import message_of
from hub.workflow.incoming import DONE, FAILED, WAITING, receiver, unseal
from hub.workflow.parking import expire
from hub.workflow.pulls import SOON, TOGETHER, TURN, twin_of

if TYPE_CHECKING:
    from hub.capabilities import Receiver
    from hub.connector import Connector
    from hub.hub import Hub

BEGUN = "begun"
"""How often a worker died while it had this delivery in hand, in its inbox row's `answer`."""
SILENT = 3
"""Workers that have to be lost over one delivery until that is put down to the delivery."""
NO_ANSWER = "the connector gave no answer until its worker was ended"
STUCK = "What it sent could not be taken in"
NOBODYS = "the connection belongs to no merchant, so its orders are nobody's"


@dataclass
class Batch:
    """What goes into one transaction, and the deliveries that end with it."""

    orders: list[tuple[rejects.Origin, Order]] = field(default_factory=list)
    refused: list[tuple[rejects.Origin, RefusedRow]] = field(default_factory=list)
    positions: list[tuple[rejects.Origin, DevicePosition]] = field(default_factory=list)
    told: list[DeliveryReport | InboundText] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Say whether the transaction would get long."""
        records = len(self.orders) + len(self.refused) + len(self.told)
        return records >= TOGETHER or len(self.positions) >= 100


@dataclass
class Ended:
    """What became of one delivery."""

    id: str
    outcome: str
    text: str
    ms: int


def work(hub: Hub, claim: Claim) -> None:
    """Take in what waits of one connection, and note how that went."""
    with hub.store.read() as session:
        began, row = session.wall, session.get(ConnectionRow, claim.subject)
        until = rests(row, session.wall) if row is not None else None
        if row is not None and until is None:
            try:
                connector = receiver(hub.connections.usable(session, row.id))
                check_alone(hub, row)
            except Exception as error:  # a connector may fail as it is built
                farewells.listen(hub, claim, row, error)
                note(hub, claim, row, error, began)
                return
    if row is None or until is not None:
        with hub.store.write() as session:
            if until is not None:
                defer(session, claim, until)
            else:
                finish(session, claim)
        return
    try:
        more = go_on(Taking(hub, claim, row, connector))
    except (LeaseLost, Busy):
        raise
    except Exception as error:  # told on the connection's card
        note(hub, claim, row, error, began)
        return
    with hub.store.write() as session:
        found = session.get_one(ConnectionRow, row.id)
        if found.reason.startswith(STUCK):
            works(found, session.wall)
        if more:
            defer(session, claim, session.wall)
        else:
            finish(session, claim)


def check_alone(hub: Hub, row: ConnectionRow) -> None:
    """Raise `Refused` where an older shop of the same kind has the same order numbers."""
    with hub.store.read() as session:
        twin = twin_of(session, row) if row.merchant else None
    if twin is not None:
        raise Refused(f"{twin} hands over orders of the same kind of shop, which would be mixed up")


@dataclass
class Taking:
    """One turn at what waits of one connection."""

    hub: Hub
    claim: Claim
    row: ConnectionRow
    connector: Receiver
    batch: Batch = field(default_factory=Batch)
    lost: Counter[str] = field(default_factory=Counter)
    """How many records of each delivery were refused."""


def go_on(taking: Taking) -> bool:
    """Take in one delivery after the other; return whether there is more than a turn is long."""
    began = time.monotonic()
    careful = taking.claim.lost or taking.claim.losses > 0
    while found := waiting(taking, 1 if careful else TOGETHER):
        for delivery in found:
            if not careful or begin(taking, delivery):
                take_one(taking, delivery)
        store(taking)
        if time.monotonic() - began > TURN:
            return True
    return False


def waiting(taking: Taking, limit: int) -> list[InboxRow]:
    """Return the deliveries that have waited longest."""
    query = select(InboxRow).where(
        InboxRow.source == taking.row.id,
        InboxRow.kind == activity.DELIVERY,
        InboxRow.status == WAITING,
    )
    with taking.hub.store.read() as session:
        return list(session.exec(query.order_by(InboxRow.id).limit(limit)))


def begin(taking: Taking, delivery: InboxRow) -> bool:
    """Note that a delivery is taken in hand after a worker died; give up one that kills them.

    Return whether it may be tried.
    """
    begun = int(delivery.answer.get(BEGUN, 0))
    with taking.hub.store.write() as session:
        renew(session, taking.claim)
        kept = session.get_one(InboxRow, delivery.id)
        kept.answer = {**kept.answer, BEGUN: begun + 1}
    if begun < SILENT:
        return True
    taking.batch.ended.append(Ended(delivery.id, "failed", NO_ANSWER, 0))
    return False


def take_one(taking: Taking, delivery: InboxRow) -> None:
    """Take in what one delivery tells; what is wrong with it alone is noted, nothing else waits.

    Raise `Retry` and `Unauthorized`, which are about the connection.
    """
    began, tally, origin = time.monotonic(), Tally(), origin_of(delivery)
    try:
        request = unseal(taking.hub.keys, bytes(delivery.body))
        begin = partial(taking.connector.unpack, request)
        for item in taking.hub.connections.drawn(cast("Connector[Any]", taking.connector), begin):
            tally.add(item)
            put(taking, origin, item)
    except (LeaseLost, Busy):
        raise
    except (Retry, Unauthorized):
        store(taking)  # what came before is safe; this delivery waits on
        raise
    except (Rejected, Refused) as error:
        said = RefusedRow(line=0, reason=str(error), field=error.field or "")
        taking.batch.refused.append((origin, said))
        outcome, text = "rejected", str(error)
    except Exception as error:  # a plugin may raise anything; it is this delivery's end
        outcome, text = "failed", message_of(error)
    else:
        outcome, text = "done", tally.text()
    spent = int((time.monotonic() - began) * 1000)
    taking.batch.ended.append(Ended(delivery.id, outcome, text, spent))


def origin_of(delivery: InboxRow) -> rejects.Origin:
    """Return a delivery as what its records come with."""
    return rejects.Origin(activity.DELIVERY, inbox=delivery.id)


@dataclass
class Tally:
    """What a delivery told, in numbers."""

    orders: int = 0
    cancelled: int = 0
    refused: int = 0
    positions: int = 0
    farewells: int = 0
    requests: int = 0
    reports: int = 0
    texts: int = 0

    def add(self, item: Any) -> None:
        """Count one."""
        for kind, name in (
            (Order, "orders"), (Cancelled, "cancelled"), (RefusedRow, "refused"),
            (Disconnected, "farewells"), (PrivacyRequest, "requests"),
            (DevicePosition, "positions"), (DeliveryReport, "reports"), (InboundText, "texts"),
        ):  # fmt: skip
            if isinstance(item, kind):
                setattr(self, name, getattr(self, name) + 1)

    def text(self) -> str:
        """Return it in words."""
        parts = (
            (self.orders, "order", "orders"), (self.cancelled, "cancellation", "cancellations"),
            (self.refused, "refused record", "refused records"),
            (self.farewells, "end of the connection", "ends of the connection"),
            (self.requests, "request about personal data", "requests about personal data"),
            (self.positions, "position", "positions"), (self.reports, "report", "reports"),
            (self.texts, "text", "texts"),
        )  # fmt: skip
        said = [f"{number} {one if number == 1 else many}" for number, one, many in parts if number]
        return ", ".join(said) or "nothing for the hub in it"


def put(taking: Taking, origin: rejects.Origin, item: Any) -> None:
    """Add one item to what is stored next, in the order in which it came."""
    batch = taking.batch
    if isinstance(item, Order):
        batch.orders.append((origin, item))
    elif isinstance(item, RefusedRow):
        batch.refused.append((origin, item))
    elif isinstance(item, DevicePosition):
        batch.positions.append((origin, item))
    elif isinstance(item, DeliveryReport | InboundText):
        batch.told.append(item)
    elif isinstance(item, Cancelled):
        store(taking)  # an order that came before is there to be called off
        cancel(taking, origin, item)
    elif isinstance(item, Disconnected | PrivacyRequest):
        store(taking)
        came = farewells.came_with(taking.hub, origin)
        farewells.take(taking.hub, taking.claim, taking.row, item, came)
    else:
        raise PluginError(f"{taking.connector!r}.unpack yielded {item!r}, which it may not")
    if batch.is_full:
        store(taking)


def cancel(taking: Taking, origin: rejects.Origin, item: Cancelled) -> None:
    """Call an order off; one that comes too late is put on the list, for the dispatcher."""
    refused = calloffs.cancel(taking.hub, taking.claim, taking.row, item)
    if refused is not None:
        taking.batch.refused.append((origin, refused))


def store(taking: Taking) -> None:
    """Write what has been gathered, with the deliveries that end with it, in one transaction."""
    hub, row, batch = taking.hub, taking.row, taking.batch
    if not (batch.orders or batch.refused or batch.positions or batch.told or batch.ended):
        return
    batch.refused += hand_in(taking, batch.positions)
    if row.merchant is None:
        batch.refused += [(origin, nobodys(order)) for origin, order in batch.orders]
        batch.orders = []
    rules, merchant, source = Mapping.of(row), row.merchant or "", row.order_source
    orders = [rules.apply(order) for _, order in batch.orders]
    with hub.store.read() as session:
        desk = open_desk(hub, session, merchant, orders, rules.lead) if orders else None
    with hub.store.write(System(row.merchant)) as session:
        renew(session, taking.claim)
        results = take_all(hub, session, merchant, source, orders, desk) if orders else []
        origins = [origin for origin, _ in batch.orders]
        told = list(zip(origins, orders, results, strict=True))
        lost = rejects.sort_out(session, row, told, batch.refused)
        for item in batch.told:
            replies.hear(session, row, item)
        refused = taking.lost + Counter(origin.inbox for origin in lost)
        for ended in batch.ended:
            close(session, row, ended, refused[ended.id])
        reach("before_commit")
    taking.batch, taking.lost = Batch(), refused


def nobodys(order: Order) -> RefusedRow:
    """Return an order as one that cannot be taken, since it is nobody's."""
    return RefusedRow(line=0, reason=f"order {order.ref}: {NOBODYS}", ref=order.ref)


def hand_in(
    taking: Taking, positions: list[tuple[rejects.Origin, DevicePosition]]
) -> list[tuple[rejects.Origin, RefusedRow]]:
    """Hand positions of tracking devices on; return what was refused of them."""
    from redis.exceptions import RedisError

    if not positions:
        return []
    try:
        devices.hand_in(taking.hub, taking.row.id, [position for _, position in positions])
    except RedisError as error:
        raise Retry("Redis is away, so positions have to wait") from error
    except Rejected as error:
        return [(origin, RefusedRow(line=0, reason=str(error))) for origin, _ in positions[:1]]
    return []


def close(session: Session, row: ConnectionRow, ended: Ended, refused: int) -> None:
    """Mark a delivery as ended, and say so in the log; one without a refusal settles earlier ones.

    What failed, as a whole or in part, can be replayed.
    """
    outcome, text = ended.outcome, ended.text
    if outcome == "done" and refused:
        outcome, text = "rejected", f"{text}; {refused} could not be taken"
    if outcome == "done":
        rejects.resolve_delivery(session, row.id, ended.id)
    kept = session.get_one(InboxRow, ended.id)
    topic = kept.answer.get("topic", "")
    kept.status, kept.answer = DONE if outcome == "done" else FAILED, {"topic": topic}
    said = f"{topic}: {text}" if topic else text
    activity.settle(session, ended.id, outcome, said, ended.ms)


def note(hub: Hub, claim: Claim, row: ConnectionRow, error: Exception, began: datetime) -> None:
    """Write down why a connection's deliveries have to wait, and until when."""
    if isinstance(error, Parked):
        lay_by(hub, claim)
        return
    with hub.store.write() as session:
        found = session.get_one(ConnectionRow, row.id, with_for_update=True)
        text = hub.connections.cover(found, message_of(error))
        if isinstance(error, Unauthorized) and doubt(found, began, session.wall):
            postpone(session, claim, session.wall + SHORTLY, text)
        elif isinstance(error, Unauthorized):
            expire(hub, session, row.id, text)
            park(session, claim, text)
        elif isinstance(error, Retry):
            fails(found, session.wall, text, error.after)
            defer(session, claim, max(found.rests_until or session.wall, session.wall + SOON), text)
        else:
            degrade(found, session.wall, f"{STUCK}: {text}")
            defer(session, claim, session.wall + SOON, text)


def lay_by(hub: Hub, claim: Claim) -> None:
    """Let the deliveries of a connection wait that is off or has to be reconnected."""
    with hub.store.write() as session:
        # Waits for whoever is switching it on at this moment, whose release could not see that
        # this work waits.
        session.get_one(ConnectionRow, claim.subject, with_for_update=True, populate_existing=True)
        try:
            hub.connections.usable(session, claim.subject)
        except HubError as error:
            park(session, claim, str(error))
        else:
            defer(session, claim, session.wall)
