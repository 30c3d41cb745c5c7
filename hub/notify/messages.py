"""The action `notify.sms`: one text to one recipient, kept as a row from before it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from sqlmodel import select

from hub import phones
from hub.access import get
from hub.actions import ActionInput, ActionOutput, Call, Outward
from hub.errors import HubError, Missing, Rejected, Retry, Unauthorized
from hub.hub import Hub
from hub.notify import channels, limits, optouts, reports
from hub.notify.segments import segments
from hub.nouns import Message, Receipt
from hub.nouns.noun import Noun
from hub.store import ConnectionRow, MerchantRow, MessageRow, OrderRow, Session, StopRow, System

LARGEST_TEXT = 2048
"""Bytes of one message; some thirteen parts of an SMS."""
NOT_SENT = (Rejected, Retry, Unauthorized, Missing)
"""After these nothing was sent; after anything else nobody can tell."""


def short(text: str) -> str:
    """Return `text`; raise `ValueError` where it is longer than a message may be."""
    if len(text.encode()) > LARGEST_TEXT:
        raise ValueError(f"a text has at most {LARGEST_TEXT} bytes")
    return text


class SmsInput(ActionInput):
    """Who gets which text, and about which stop."""

    to: Annotated[str, Field(max_length=100)]
    text: Annotated[str, Field(min_length=1), AfterValidator(short)]
    stop: str = ""
    kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")] = "sms"
    """What it tells of that stop, such as `near`."""


class SmsOutput(ActionOutput):
    """What the gateway said."""

    ref: str = ""
    """The gateway's own id of the message."""
    state: Literal["sent", "opted_out"] = "sent"
    """`opted_out`: nothing was sent, because the recipient wants no more."""


def channel(hub: Hub, session: Session, wanted: SmsInput) -> list[str]:
    """Return the one connection to send through: the merchant's own, else the operator's."""
    merchant = owner(session, wanted)
    if not wanted.to.strip():
        raise Rejected("the recipient has no phone number; add it to the order", "to")
    return [channels.channel(hub, session, merchant, "sms").id]


def owner(session: Session, wanted: SmsInput) -> str:
    """Return the merchant for whom is sent; raise `Rejected` for another merchant's stop."""
    if wanted.stop:
        try:
            return get(session, StopRow, wanted.stop).merchant
        except Missing as error:
            raise Rejected(
                f"{error}; a message names a stop of its own merchant", "stop"
            ) from error
    merchant = session.principal.merchant if isinstance(session.principal, System) else None
    if merchant is None:
        raise Rejected("a message without a stop needs an event that belongs to a merchant", "stop")
    return merchant


@dataclass(frozen=True)
class Ready:
    """A text after it was looked at: where it goes, or why it does not."""

    to: str
    text: str
    withheld: str = ""
    refused: Rejected | None = None
    full: int = 0
    """How many texts were sent today, where that is as many as may be."""


class Outgoing(Noun):
    """What is sent, or why nothing is."""

    message: Message
    withheld: str = ""


def prepare(hub: Hub, wanted: SmsInput, call: Call) -> Outgoing:
    """Return what is sent, after keeping a row that says that it is on its way.

    Raise `Rejected` for a number that is none or lies in a country that was not allowed, and once
    the merchant has sent all that it may today; that raises a flag as well.
    """
    with hub.store.write(System(call.merchant)) as session:
        merchant = owner(session, wanted)
        # One at a time of a merchant, so that two cannot both be the last of the day.
        brand = session.get_one(MerchantRow, merchant, with_for_update=True)
        ready = looked_at(session, wanted, call, brand)
        row = message(session, call.key) or MessageRow(
            key=call.key, merchant=merchant, stop=wanted.stop or None, channel=call.connection,
            to=ready.to, text=ready.text, created_at=session.now,
        )  # fmt: skip
        row.to, row.text, row.segments = ready.to, ready.text, segments(ready.text).parts
        row.state, row.error = "sending", ""
        if ready.withheld or ready.refused:
            row.state = "withheld" if ready.withheld else "rejected"
            row.error = ready.withheld or str(ready.refused)
        session.add(row)
        if ready.full:
            limits.tell_full(session, brand, ready.full)
        sender = brand.sender
    if ready.refused:
        raise ready.refused
    made = Message(
        key=call.key,
        to=ready.to,
        text=ready.text,
        sender=sender,
        reference=wanted.stop,
        kind=wanted.kind,
    )
    return Outgoing(message=made, withheld=ready.withheld)


def looked_at(session: Session, wanted: SmsInput, call: Call, brand: MerchantRow) -> Ready:
    """Say where a text goes, and whether it may."""
    most = limits.limits(session, brand.id)
    text = f"{wanted.text}\n{most.footer}" if most.footer else wanted.text
    try:
        phone = phones.read(wanted.to, likely(session, wanted, call), most.countries)
    except Rejected as error:
        return Ready(wanted.to, text, refused=error)
    entry = optouts.found(session, brand.id, "sms", phone.e164)
    if entry is not None:
        why = f"the recipient has opted out ({entry.reason or 'on request'}, {entry.at:%d %b %Y})"
        return Ready(phone.e164, text, withheld=why)
    if most.countries and phone.country not in most.countries:
        where = phone.country or "no one country"
        abroad = Rejected(
            f"the recipient's phone is of {where}, and {brand.name} sends texts to "
            f"{' '.join(most.countries)} only; correct the order, or allow the "
            f"country under Messages",
            "to",
        )
        return Ready(phone.e164, text, refused=abroad)
    if limits.sent_today(session, brand.id, without=call.key) >= most.daily:
        enough = Rejected(
            f"{brand.name} has sent {most.daily} texts today, which is all it may; "
            f"raise its limit under Messages if they were meant"
        )
        return Ready(phone.e164, text, refused=enough, full=most.daily)
    return Ready(phone.e164, text)


def likely(session: Session, wanted: SmsInput, call: Call) -> list[str]:
    """Return the countries as of which a number without + is read: the order's, the channel's."""
    found = []
    if wanted.stop:
        order = session.get_one(OrderRow, session.get_one(StopRow, wanted.stop).order)
        found.append(str(order.address.get("country") or ""))
    row = session.get(ConnectionRow, call.connection)
    found.append(str(row.config.get("country") or "") if row else "")
    return [one.upper() for one in found if len(one) == 2]


def send(connector: Any, outgoing: Outgoing) -> Receipt:
    """Hand the message to the channel, unless it is withheld."""
    if outgoing.withheld:
        return Receipt(detail=f"not sent: {outgoing.withheld}", withheld=True)
    receipt: Receipt = connector.send(outgoing.message)
    return receipt


def done(session: Session, wanted: SmsInput, call: Call, receipt: Receipt) -> None:
    """Record that the channel took it, or why it was not sent.

    A channel may know of an opt-out that the hub does not; then it is put on the hub's list.
    """
    row = message(session, call.key, held=True)
    if row is None:
        return
    if not receipt.withheld:
        row.ref, row.sent_at = receipt.ref, session.now
        if row.state not in reports.FINAL:  # its report may have been quicker
            row.state = "sent"
        session.flush()
        reports.catch_up(session, row)
    elif row.state != "withheld":
        row.state, row.error = "withheld", receipt.detail[:500]
        reports.opt_out(session, row, receipt.detail)


def failed(session: Session, wanted: SmsInput, call: Call, error: HubError) -> None:
    """Record that it was refused, or that nobody knows whether it was sent."""
    row = message(session, call.key, held=True)
    if row is not None and row.state not in reports.FINAL:
        row.state = "rejected" if isinstance(error, NOT_SENT) else "unknown"
        row.error = str(error)[:500]


def summed(outputs: list[dict[str, Any]]) -> SmsOutput:
    """Return the reference of the one message."""
    said = outputs[0] if outputs else {}
    return SmsOutput(
        ref=str(said.get("ref", "")), state="opted_out" if said.get("withheld") else "sent"
    )


def message(session: Session, key: str, *, held: bool = False) -> MessageRow | None:
    """Return the row of the message with that key, held until the end of the transaction."""
    query = select(MessageRow).where(MessageRow.key == key)
    return session.exec(query.with_for_update() if held else query).one_or_none()


SEND_SMS = Outward(
    name="notify.sms",
    hooks=("notification_channels",),
    medium="sms",
    Input=SmsInput,
    Output=SmsOutput,
    items=channel,
    prepare=prepare,
    call=send,
    done=done,
    failed=failed,
    output=summed,
    on_unknown="resend",
)
