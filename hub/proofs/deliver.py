"""Hand a proof to every system that keeps proofs: one keyed item per connection."""

from __future__ import annotations

from typing import Any

from sqlmodel import select

from hub.access import get
from hub.actions import ActionInput, ActionOutput, Call, Outward
from hub.connector import Connector
from hub.errors import HubError, Missing
from hub.hub import Hub
from hub.nouns import Address, Proof, ProofFile, Receipt
from hub.proofs import pdf
from hub.proofs.sheet import ProofSheet, handed_lines, latest, recipient, sheet, summary
from hub.store import (
    AttemptRow,
    OrderRow,
    ProofReceiptRow,
    ProofRow,
    Session,
    StopRow,
    System,
)
from hub.tracking.links import tracking_url

ENDINGS = {"image/jpeg": "jpg", "image/png": "png"}


class DeliverInput(ActionInput):
    """Which proof: that of the stop's last attempt, or a certain one."""

    stop: str
    proof: str = ""


class DeliverOutput(ActionOutput):
    """How many systems have taken it."""

    delivered: int


def chosen(session: Session, given: DeliverInput) -> ProofRow:
    """Return the proof that the input names; raise `Missing` if there is none to be seen."""
    if not given.proof:
        return latest(session, given.stop)
    found = get(session, ProofRow, given.proof)
    if found.stop != given.stop:
        raise Missing(f"proof {given.proof} is not of stop {given.stop}")
    return found


def items(hub: Hub, session: Session, given: DeliverInput) -> list[str]:
    """Return the connections that keep proofs of the stop's merchant, or of every merchant."""
    chosen(session, given)
    stop = get(session, StopRow, given.stop)
    return [row.id for row in hub.connections.find(session, "pod_sinks", stop.merchant)]


def prepare(hub: Hub, given: DeliverInput, call: Call) -> Proof:
    """Return the proof with its PDF and pictures, ready to be stored elsewhere."""
    principal = System(call.merchant)
    with hub.store.read(principal) as session:
        row = chosen(session, given)
        found = sheet(session, row.id)
        order = session.get_one(OrderRow, session.get_one(StopRow, row.stop).order)
        lines = handed_lines(session, session.get_one(AttemptRow, row.attempt))
    page = pdf.pdf(hub, principal, row.id)
    return Proof(
        key=call.key,
        id=row.id,
        order=found.order,
        stop=found.stop,
        invoice=found.invoice,
        outcome=found.record["outcome"],
        at=found.at,
        summary=summary(found),
        record=row.record.encode(),
        sha256=row.sha256,
        files=tuple(files(hub, found, page)),
        tracking_url=tracking_url(hub, found.stop),
        number=order.number,
        parent=order.parent,
        source=order.source,
        lines=lines,
        recipient=recipient(order),
        address=Address.model_validate(order.address),
    )


def files(hub: Hub, found: ProofSheet, page: str) -> list[ProofFile]:
    """Return the PDF and every picture, under names that people understand."""
    made = [
        ProofFile(
            name="proof.pdf",
            media_type="application/pdf",
            sha256=page,
            content=hub.files.get(page),
        )
    ]
    counted: dict[str, int] = {}
    for picture in found.pictures:
        counted[picture.kind] = counted.get(picture.kind, 0) + 1
        made.append(
            ProofFile(
                name=f"{picture.kind}-{counted[picture.kind]}.{ENDINGS[picture.media_type]}",
                media_type=picture.media_type,
                sha256=picture.sha256,
                content=hub.files.get(picture.sha256),
            )
        )
    return made


def call(connector: Connector[Any], proof: Proof) -> Receipt:
    """Store the proof through one connection."""
    receipt: Receipt = connector.store(proof)  # type: ignore[attr-defined]
    return receipt


def done(session: Session, given: DeliverInput, call: Call, receipt: Receipt) -> None:
    """Remember that a sink has taken the proof."""
    proof = chosen(session, given)
    known = session.exec(
        select(ProofReceiptRow).where(
            ProofReceiptRow.proof == proof.id, ProofReceiptRow.connection == call.connection
        )
    ).one_or_none()
    row = known or ProofReceiptRow(proof=proof.id, connection=call.connection, at=session.now)
    row.ref, row.detail, row.at = receipt.ref, receipt.detail, session.now
    session.add(row)


def failed(session: Session, given: DeliverInput, call: Call, error: HubError) -> None:
    """Write nothing: the effect keeps the error, and no receipt means not delivered."""


def output(receipts: list[dict[str, Any]]) -> DeliverOutput:
    """Return how many systems have taken the proof."""
    return DeliverOutput(delivered=len(receipts))


DELIVER = Outward(
    name="proofs.deliver",
    hooks=("pod_sinks",),
    Input=DeliverInput,
    Output=DeliverOutput,
    items=items,
    prepare=prepare,
    call=call,
    done=done,
    failed=failed,
    output=output,
    on_unknown="resend",
)
