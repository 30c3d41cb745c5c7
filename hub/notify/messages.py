"""The action `notify.sms`: one text to one recipient, kept as a row from before it is sent."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from sqlmodel import select

from hub.access import get
from hub.actions import ActionInput, ActionOutput, Call, Outward
from hub.errors import HubError, Missing, Rejected, Retry, Unauthorized
from hub.hub import Hub
from hub.nouns import Message, Receipt
from hub.store import MerchantRow, MessageRow, Session, StopRow, System

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


def channel(hub: Hub, session: Session, wanted: SmsInput) -> list[str]:
    """Return the one connection to send through: the merchant's own, else the operator's.

    One that has expired is taken as well: the message then waits until it is reconnected. So is
    one that is switched off where there is no other: the message waits until it is on.
    """
    merchant = owner(session, wanted)
    if not wanted.to.strip():
        raise Rejected("the recipient has no phone number; add it to the order", "to")
    find = partial(hub.connections.find, session, "notification_channels", merchant, medium="sms")
    found = find() or [row for row in find(usable=False) if row.state != "not_set_up"]
    if not found:
        name = session.get_one(MerchantRow, merchant).name
        raise Rejected(
            f"{name} has no channel for messages, nor has the operator; "
            f"set up a connection such as SMS gateway"
        )
    return [found[0].id]


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


def prepare(hub: Hub, wanted: SmsInput, call: Call) -> Message:
    """Return what is sent, after keeping a row that says that it is on its way."""
    with hub.store.write(System(call.merchant)) as session:
        merchant = owner(session, wanted)
        sender = session.get_one(MerchantRow, merchant).sender
        row = message(session, call.key)
        if row is None:
            row = MessageRow(
                key=call.key,
                merchant=merchant,
                stop=wanted.stop or None,
                channel=call.connection,
                to=wanted.to,
                text=wanted.text,
                created_at=session.now,
            )
            session.add(row)
        row.state, row.error = "sending", ""
    return Message(
        key=call.key,
        to=wanted.to,
        text=wanted.text,
        sender=sender,
        reference=wanted.stop,
        kind=wanted.kind,
    )


def send(connector: Any, sent: Message) -> Receipt:
    """Hand the message to the channel."""
    receipt: Receipt = connector.send(sent)
    return receipt


def done(session: Session, wanted: SmsInput, call: Call, receipt: Receipt) -> None:
    """Record that the channel took it, with its reference."""
    row = message(session, call.key)
    if row is not None:
        row.state, row.ref, row.sent_at = "sent", receipt.ref, session.now


def failed(session: Session, wanted: SmsInput, call: Call, error: HubError) -> None:
    """Record that it was refused, or that nobody knows whether it was sent."""
    row = message(session, call.key)
    if row is not None:
        row.state = "rejected" if isinstance(error, NOT_SENT) else "unknown"
        row.error = str(error)[:500]


def summed(outputs: list[dict[str, Any]]) -> SmsOutput:
    """Return the reference of the one message."""
    return SmsOutput(ref=str(outputs[0].get("ref", "")) if outputs else "")


def message(session: Session, key: str) -> MessageRow | None:
    """Return the row of the message with that key."""
    return session.exec(select(MessageRow).where(MessageRow.key == key)).one_or_none()


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
