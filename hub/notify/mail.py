"""The action `notify.email`: one mail to one recipient, kept as a row from before it is sent."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from sqlmodel import select

from hub.access import get
from hub.actions import ActionInput, ActionOutput, Call, Outward
from hub.errors import HubError, Missing, Rejected, Retry, Unauthorized
from hub.hub import Hub
from hub.notify import bounces, channels, letter, optouts, reports, unsubscribe, visit
from hub.nouns import Message, ProofFile, Receipt
from hub.proofs import pdf
from hub.proofs.sheet import latest
from hub.store import MerchantRow, MessageRow, Session, StopRow, System

LARGEST_TEXT = 6000
"""Bytes; escaped and linked they stay a page that mail programs do not cut off."""
LARGEST_FILE = 7_000_000
"""Bytes of a proof; a larger one stays on its page, because mail servers would refuse it."""
NOT_SENT = (Rejected, Retry, Unauthorized, Missing)
"""After these nothing was sent; after anything else nobody can tell."""
OPTED_OUT = "not sent: the recipient wants no more e-mails"


def short(text: str) -> str:
    """Return `text`; raise `ValueError` where it is longer than a mail may be."""
    if len(text.encode()) > LARGEST_TEXT:
        raise ValueError(f"a text has at most {LARGEST_TEXT} bytes")
    return text


class EmailInput(ActionInput):
    """Who gets which mail, and about which stop."""

    to: Annotated[str, Field(max_length=320)]
    subject: Annotated[str, Field(min_length=1, max_length=300)]
    text: Annotated[str, Field(min_length=1), AfterValidator(short)]
    stop: str = ""
    """Its order, time and place stand below the text, with a link to its live page."""
    kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")] = "email"
    """What it tells of that stop, such as `dispatched`."""
    attach_proof: bool = False
    """Attach the PDF of the stop's last proof, where there is one."""


class EmailOutput(ActionOutput):
    """What became of it."""

    ref: str = ""
    """The mail's Message-ID."""
    state: Literal["sent", "opted_out"] = "sent"
    """`opted_out`: nothing was sent, because the recipient wants no more or does not exist."""


def channel(hub: Hub, session: Session, wanted: EmailInput) -> list[str]:
    """Return the one connection to send through: the merchant's own, else the operator's."""
    merchant = owner(session, wanted.stop)
    if not wanted.to.strip():
        raise Rejected("the recipient has no e-mail address; add it to the order", "to")
    return [channels.channel(hub, session, merchant, "email").id]


def owner(session: Session, stop: str) -> str:
    """Return the merchant for whom is sent; raise `Rejected` for another merchant's stop."""
    if stop:
        try:
            return get(session, StopRow, stop).merchant
        except Missing as error:
            raise Rejected(f"{error}; a mail names a stop of its own merchant", "stop") from error
    merchant = session.principal.merchant if isinstance(session.principal, System) else None
    if merchant is None:
        raise Rejected("a mail without a stop needs an event that belongs to a merchant", "stop")
    return merchant


def prepare(hub: Hub, wanted: EmailInput, call: Call) -> Message:
    """Return what is sent, after keeping a row that says that it is on its way.

    Where the recipient wants no more, the row says so, and the message goes to nobody.
    """
    files, too_large = proof(hub, wanted, call) if wanted.attach_proof else ((), False)
    with hub.store.write(System(call.merchant)) as session:
        brand = session.get_one(MerchantRow, owner(session, wanted.stop))
        out = optouts.found(session, brand.id, "email", wanted.to)
        row = keep(session, wanted, call, brand.id)
        if out is not None:
            row.state, row.error = "withheld", f"{OPTED_OUT} ({out.reason})"[:500]
            return Message(key=call.key, to="", text="")
        row.state, row.error = "sending", ""
        made = written(hub, session, wanted, brand, too_large)
    return Message(
        key=call.key,
        to=wanted.to.strip(),
        subject=letter.seen(wanted.subject),
        text=letter.text(made),
        html=letter.html(made),
        sender=brand.name,
        reference=wanted.stop,
        kind=wanted.kind,
        files=files,
        unsubscribe_url=made.unsubscribe_url,
    )


def keep(session: Session, wanted: EmailInput, call: Call, merchant: str) -> MessageRow:
    """Return the row of a mail, made where there is none yet; its address as the list has it."""
    row = message(session, call.key)
    if row is None:
        row = MessageRow(
            key=call.key, merchant=merchant, stop=wanted.stop or None, channel=call.connection,
            medium="email", to=optouts.plain("email", wanted.to), subject=wanted.subject,
            text=wanted.text, created_at=session.now,
        )  # fmt: skip
        session.add(row)
    return row


def written(
    hub: Hub, session: Session, wanted: EmailInput, brand: MerchantRow, too_large: bool
) -> letter.Letter:
    """Return the mail in the merchant's name, with what is known of its stop."""
    stop = session.get_one(StopRow, wanted.stop) if wanted.stop else None
    more = "\n\nThe proof is too large for a mail; see the delivery." if too_large else ""
    return letter.Letter(
        sender=letter.Sender(
            name=brand.name, accent=brand.accent, phone=brand.phone, email=brand.email
        ),
        subject=wanted.subject,
        text=wanted.text + more,
        rows=visit.rows(session, stop) if stop else (),
        button=visit.button(hub, session, stop) if stop else None,
        unsubscribe_url=unsubscribe.link(hub, session, brand.id, wanted.to),
    )


def proof(hub: Hub, wanted: EmailInput, call: Call) -> tuple[tuple[ProofFile, ...], bool]:
    """Return the PDF of the stop's last proof, if any, and whether it is too large for a mail."""
    principal = System(call.merchant)
    try:
        with hub.store.read(principal) as session:
            found = latest(session, wanted.stop).id
    except Missing:
        return (), False
    page = pdf.pdf(hub, principal, found)
    content = hub.files.get(page)
    if len(content) > LARGEST_FILE:
        return (), True
    made = ProofFile(
        name="proof-of-delivery.pdf", media_type="application/pdf", sha256=page, content=content
    )
    return (made,), False


def send(connector: Any, sent: Message) -> Receipt:
    """Hand the mail to the channel, unless it goes to nobody."""
    if not sent.to:
        return Receipt(detail=OPTED_OUT, withheld=True)
    receipt: Receipt = connector.send(sent)
    return receipt


def done(session: Session, wanted: EmailInput, call: Call, receipt: Receipt) -> None:
    """Record that the channel took it, with its reference."""
    row = message(session, call.key)
    if row is None or row.state == "withheld":
        return
    row.ref, row.sent_at = receipt.ref, session.now
    if row.state not in reports.FINAL:  # its report may have been quicker
        row.state = "sent"
    session.flush()
    reports.catch_up(session, row)


def failed(session: Session, wanted: EmailInput, call: Call, error: HubError) -> None:
    """Record that it was refused, or that nobody knows whether it was sent.

    To an address that does not exist nothing more is sent.
    """
    row = message(session, call.key)
    if row is None:
        return
    row.state = "rejected" if isinstance(error, NOT_SENT) else "unknown"
    row.error = str(error)[:500]
    if isinstance(error, Rejected) and error.field == "to":
        bounces.suppress(session, row.merchant, row.to, row.error)


def summed(outputs: list[dict[str, Any]]) -> EmailOutput:
    """Return what became of the one mail."""
    said = outputs[0] if outputs else {}
    return EmailOutput(
        ref=str(said.get("ref", "")), state="opted_out" if said.get("withheld") else "sent"
    )


def message(session: Session, key: str) -> MessageRow | None:
    """Return the row of the mail with that key."""
    return session.exec(select(MessageRow).where(MessageRow.key == key)).one_or_none()


SEND_EMAIL = Outward(
    name="notify.email",
    hooks=("notification_channels",),
    medium="email",
    Input=EmailInput,
    Output=EmailOutput,
    items=channel,
    prepare=prepare,
    call=send,
    done=done,
    failed=failed,
    output=summed,
    on_unknown="resend",
)
