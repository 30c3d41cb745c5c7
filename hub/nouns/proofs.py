"""What came of a delivery: its proof, and the news of it."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from hub.nouns.noun import Noun
from hub.nouns.orders import Address, Location, Money, Recipient

Outcome = Literal["completed", "partial", "failed"]


class ProofFile(Noun):
    """A photo, a signature or the PDF of a proof, as stored."""

    name: str
    media_type: str
    sha256: str
    content: bytes = Field(repr=False)


class HandedLine(Noun):
    """One article of an order with what was handed over of it."""

    name: str
    ordered: int
    handed_over: int
    sku: str = ""
    ref: str = ""
    """The source's own id of the line."""
    price: Money | None = None
    """Of one piece."""


class Proof(Noun):
    """A delivery record on its way to a sink; storing the same `key` twice is storing once."""

    key: str
    id: str
    order: str
    stop: str = ""
    invoice: str = ""
    outcome: Outcome
    at: AwareDatetime
    summary: str
    """One plain sentence of at most 200 characters, fit for a history note."""
    record: bytes = Field(repr=False)
    """The RFC 8785 JSON of the delivery record."""
    sha256: str
    files: tuple[ProofFile, ...] = ()
    tracking_url: str = ""
    number: str = ""
    """How the customer and the shop call the order."""
    parent: str = ""
    """The source's id of the purchase that the order is a part of."""
    source: str = ""
    """Where the order came from: `csv`, `api`, or the `order_source` of a connection."""
    lines: tuple[HandedLine, ...] = ()
    recipient: Recipient = Recipient()
    address: Address = Address()


Progress = Literal[
    "dispatched", "out_for_delivery", "delayed", "attempted", "delivered", "partial", "failed",
    "cancelled",
]  # fmt: skip
"""How far a delivery is, as shops and their customers are told: `attempted` was tried in vain and
is tried again, `failed` is not."""


class DeliveryStatus(Noun):
    """News of one order's delivery on its way to where the order came from; the same `key` twice
    is the same news twice."""

    key: str
    order: str
    """The order's own `ref` in its source."""
    status: Progress
    at: AwareDatetime
    number: str = ""
    parent: str = ""
    stop: str = ""
    eta: AwareDatetime | None = None
    location: Location | None = None
    """Where it happened, as far as the driver's phone told."""
    tracking_url: str = ""
    carrier: str = ""
    """Who delivers, as customers know them."""
    reason: str = ""
    """Why it is late or failed, as people read it."""
    received_by: str = ""
    proof_url: str = ""
    """Where the recipient sees the proof; empty before there is one."""
    lines: tuple[HandedLine, ...] = ()
    """What was handed over; empty before somebody was at the door."""
