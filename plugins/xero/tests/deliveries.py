"""Deliveries of an order without an invoice, an invoice with articles, and what Xero keeps."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hub_xero import Xero

from hub import Address, HandedLine, Money, Proof, Recipient
from hub.testing.conformance import a_proof
from hub.testing.peers.log import entries
from hub.testing.peers.xero import XeroPeer

Build = Callable[..., Xero]
BECK = Recipient(name="Martina Beck", phone="+41795551234", email="beck@example.com")
HOME = Address(line1="Städtle 49", postcode="9490", city="Vaduz", country="Liechtenstein")


def handed(name: str, ordered: int, given: int, price: str | None, **told: Any) -> HandedLine:
    money = None if price is None else Money(amount=Decimal(price), currency="CHF")
    return HandedLine(name=name, ordered=ordered, handed_over=given, price=money, **told)


LINES = (
    handed("Apples", 3, 2, "4.1255", sku="APL"),
    handed("Pears", 1, 0, "2"),
    handed("Wine", 6, 6, "18.50", sku="WIN"),
)


def delivered(**told: Any) -> Proof:
    """Return a proof of an order without an invoice, two of its articles handed over."""
    named = {"invoice": "", "number": "1001", "outcome": "partial", "lines": LINES}
    return a_proof(**{**named, "recipient": BECK, "address": HOME, **told})


def another(number: int, **told: Any) -> Proof:
    """Return the proof of another delivery to the same customer."""
    return delivered(
        key=f"run_{number}:x", id=f"prf_{number}", stop=f"stp_{number}", number=str(1000 + number),
        sha256=f"{number:02}" * 32, **told,
    )  # fmt: skip


def drafts(accounts: XeroPeer, kind: str = "Invoices") -> list[dict[str, Any]]:
    return list(accounts.books.documents[kind].values())


def draft(accounts: XeroPeer, kind: str = "Invoices") -> dict[str, Any]:
    (one,) = drafts(accounts, kind)
    return one


def kinds(accounts: XeroPeer) -> list[str]:
    found = entries(accounts.log.path)
    return [one.kind for one in found if one.kind and one.status == 200 and not one.repeat]


def billed(accounts: XeroPeer, **told: Any) -> dict[str, Any]:
    """Return an invoice in the books with three articles."""
    who = accounts.books.put("Contacts", {"Name": "Martina Beck"})
    lines = [
        {"Description": "Apples", "Quantity": 3, "UnitAmount": 4.1255, "ItemCode": "APL",
         "AccountCode": "201", "TaxType": "OUTPUT2"},
        {"Description": "Pears", "Quantity": 1.5, "UnitAmount": 2, "AccountCode": "260"},
        {"Description": "Wine", "Quantity": 6, "UnitAmount": 18.5},
    ]  # fmt: skip
    made = {
        "Type": "ACCREC", "Status": "AUTHORISED", "InvoiceNumber": "INV-1001", "Contact": who,
        "LineAmountTypes": "Exclusive", "LineItems": lines, **told,
    }  # fmt: skip
    return accounts.books.put("Invoices", made)
