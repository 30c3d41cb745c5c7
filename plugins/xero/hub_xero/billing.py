"""Draft invoices and credit notes made of what was really handed over."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from decimal import Decimal
from typing import Any

from hub import HandedLine, Proof, Receipt, Retry, Unknown
from hub_xero.accounting import GONE, Accounting, Json
from hub_xero.documents import is_ours, is_whole, number
from hub_xero.refusals import needs_accountant
from hub_xero.settings import MARK, Config

OPEN = ("DRAFT",)
LONGEST = 4_000
"""Letters that Xero takes in a line's description."""
DELIVERED = ("completed", "partial")


class Billing:
    """One organisation's drafts; each proof gets into them once."""

    def __init__(self, accounting: Accounting, config: Config) -> None:
        self.accounting, self.config = accounting, config

    def draft(self, proof: Proof) -> tuple[Json, str]:
        """Return the draft invoice of one delivery, and a word on whether it was made now."""
        reference = referred(proof)
        found = self.accounting.referred("Invoices", reference)
        if found:
            alive = min(found, key=lambda one: one.get("Status") in GONE)
            return standing(alive, proof), "draft invoice was there"
        return self._made(proof, self.contact(proof), reference), "draft invoice made"

    def consolidated(self, proof: Proof, contact: str) -> tuple[Json, str]:
        """Return the period's draft invoice of a customer with this delivery on it.

        Called by one worker at a time for each customer: Xero replaces all lines of a draft, so
        two that add to it at once would lose those of one.
        """
        reference = self.period(proof)
        own = [
            one for one in self.accounting.invoices_of(contact, reference)
            if is_ours(one) and one.get("CurrencyCode") in (None, *currency(proof).values())
        ]  # fmt: skip
        there = next((one for one in own if has(one, proof)), None)
        if there is not None:
            return standing(there, proof), "was on the draft invoice"
        draft = next((one for one in own if one.get("Status") in OPEN), None)
        if draft is None:
            return self._made(proof, contact, reference), "new draft invoice"
        lines = [kept(line) for line in draft["LineItems"]] + self.lines(proof)
        state = {"invoice": draft["InvoiceID"], "as of": draft.get("UpdatedDateUTC"), "to": lines}
        sent = self.accounting.set_lines(draft["InvoiceID"], lines, key(proof, "lines", state))
        return self._seen(sent, draft, proof), "added to the draft invoice"

    def _made(self, proof: Proof, contact: str, reference: str) -> Json:
        document = {
            "Type": "ACCREC",
            "Status": "DRAFT",
            "Contact": {"ContactID": contact},
            "Date": day(proof).isoformat(),
            "LineAmountTypes": self.config.line_amount_types,
            "Reference": reference,
            "LineItems": self.lines(proof),
            **currency(proof),
        }
        return self.accounting.create("Invoices", document, key(proof, "invoice", document))

    def _seen(self, sent: Json, before: Json, proof: Proof) -> Json:
        """Return the draft as it is now; raise `Retry` where lines got lost on the way."""
        id = str(sent.get("InvoiceID") or before["InvoiceID"])
        now = next(iter(self.accounting.invoices([id])), {})
        ids = {line.get("LineItemID") for line in now.get("LineItems") or []}
        if not has(now, proof) or any(x.get("LineItemID") not in ids for x in before["LineItems"]):
            raise Retry("somebody else changed the draft invoice at the same moment", after=5)
        return now

    def credit(self, proof: Proof, invoice: Json) -> str:
        """Make a draft credit note of what an invoice names and was not handed over, once.

        Return what was done, nothing where nothing was missing.
        """
        short = [line for line in proof.lines if line.handed_over < line.ordered]
        if not short or proof.outcome not in DELIVERED:
            return ""
        state, named = invoice.get("Status"), invoice.get("InvoiceNumber")
        missing = sum(line.ordered - line.handed_over for line in short)
        if state != "AUTHORISED":
            raise needs_accountant(
                f"{missing} of order {proof.number or proof.order} were not handed over, but "
                f"invoice {named} is {state}, so no credit note is drafted for it",
                "invoice",
            )
        reference = referred(proof)
        if self.accounting.referred("CreditNotes", reference):
            return "credit note was there"
        document = {
            "Type": "ACCRECCREDIT",
            "Status": "DRAFT",
            "Contact": {"ContactID": invoice["Contact"]["ContactID"]},
            "Date": day(proof).isoformat(),
            "LineAmountTypes": invoice.get("LineAmountTypes") or self.config.line_amount_types,
            "Reference": reference,
            "LineItems": [self.missing(line, invoice, proof) for line in short],
            **({"CurrencyCode": invoice["CurrencyCode"]} if invoice.get("CurrencyCode") else {}),
        }
        self.accounting.create("CreditNotes", document, key(proof, "credit", document))
        return "credit note drafted"

    def missing(self, line: HandedLine, invoice: Json, proof: Proof) -> Json:
        """Return a credit note's line: priced, booked and taxed as on the invoice."""
        sold = billed(line, invoice)
        count = Decimal(line.ordered - line.handed_over)
        if sold is None:
            return {**self.line(line, int(count), proof), "Description": said(line, proof)}
        quantity = number(sold.get("Quantity"), "Quantity") or Decimal(1)
        if not is_whole(quantity):  # one thing to carry, such as 1.5 kg
            count = quantity
        names = ("UnitAmount", "AccountCode", "TaxType", "ItemCode", "DiscountRate")
        same = {name: sold[name] for name in names if sold.get(name) is not None}
        return {"Description": said(line, proof), "Quantity": count, **same}

    def lines(self, proof: Proof) -> list[Json]:
        """Return a line for each article of which something was handed over."""
        return [
            self.line(line, line.handed_over, proof) for line in proof.lines if line.handed_over
        ]

    def line(self, line: HandedLine, count: int, proof: Proof) -> Json:
        """Return one line; raise `Rejected` where nobody knows what it costs."""
        item = {"ItemCode": line.sku} if self.config.items and line.sku else {}
        if line.price is None and not item:
            raise needs_accountant(
                f"order {proof.number or proof.order} has no price for {line.name}, so no invoice "
                "can be drafted; give orders prices, or let article numbers be Xero items",
                "price",
            )
        price = {} if line.price is None else {"UnitAmount": line.price.amount}
        account = self.config.account_of(line.sku)
        tax = {"TaxType": self.config.tax_type} if self.config.tax_type else {}
        booked = {"AccountCode": account} if account else {}
        return {
            "Description": said(line, proof),
            "Quantity": Decimal(count),
            **price,
            **booked,
            **tax,
            **item,
        }

    def contact(self, proof: Proof) -> str:
        """Return the customer's id: found by e-mail, then by name, else made."""
        who = proof.recipient
        name, email = " ".join(who.name.split())[:200], who.email.strip()[:255]
        found = self.accounting.contact_where("EmailAddress", email) if email else None
        if found is not None:
            return str(found["ContactID"])
        if not (name or email):
            raise needs_accountant("the order names nobody whom to bill", "recipient")
        named = self.accounting.contact_where("Name", name) if name else None
        if named is not None and same_person(named, email):
            return str(named["ContactID"])
        if named is not None:
            name = f"{name} ({email})"
        return self._added(proof, name or email, email)

    def _added(self, proof: Proof, name: str, email: str) -> str:
        where = proof.address
        place = {
            "AddressType": "STREET", "AddressLine1": where.line1, "AddressLine2": where.line2,
            "City": where.city, "Region": where.region, "PostalCode": where.postcode,
            "Country": where.country[:50],
        }  # fmt: skip
        document: Json = {"Name": name}
        if email:
            document["EmailAddress"] = email
        if where.text():
            document["Addresses"] = [{part: told for part, told in place.items() if told}]
        if proof.recipient.phone:
            phone = {"PhoneType": "DEFAULT", "PhoneNumber": proof.recipient.phone[:50]}
            document["Phones"] = [phone]
        digest = hashlib.sha256(f"contact {name.lower()} {email.lower()}".encode()).hexdigest()
        made = self.accounting.create("Contacts", document, digest)
        if not made.get("ContactID"):
            raise Unknown("Xero did not say which contact it made")
        return str(made["ContactID"])

    def period(self, proof: Proof) -> str:
        """Return the reference of the invoice on which a delivery belongs, by its own day."""
        at = day(proof)
        year, week, _ = at.isocalendar()
        named = {"day": f"{at}", "week": f"{year}-W{week:02}", "month": f"{at:%Y-%m}"}
        return f"Deliveries {named[self.config.period]}"


def refuse_unbillable(proof: Proof) -> Receipt | None:
    """Return a receipt where there is nothing to bill; raise `Rejected` for an order of nothing."""
    if not proof.lines and proof.outcome in DELIVERED:
        raise needs_accountant(
            f"order {proof.number or proof.order} says nothing about what was delivered, so no "
            "invoice can be drafted",
            "lines",
        )
    if not any(line.handed_over for line in proof.lines):
        return Receipt(detail="nothing was handed over, so there is nothing to invoice")
    return None


def marker(proof: Proof) -> str:
    """Return the words by which a record is found again: the stop, and which of its proofs."""
    return f"{MARK}{proof.stop or proof.id} #{proof.sha256[:6]}"


def referred(proof: Proof) -> str:
    """Return the reference of a document that is about one delivery, of 255 letters at most."""
    named = (proof.number or proof.order).replace('"', "").replace("\\", "")[:150]
    return f"{named} {marker(proof)}"


def said(line: HandedLine, proof: Proof) -> str:
    """Return a line's description, with the mark by which it is found again."""
    count = f" ({line.handed_over} of {line.ordered})" if line.handed_over < line.ordered else ""
    tail = f"{count} - order {(proof.number or proof.order)[:100]} {marker(proof)}"
    return f"{line.name[: LONGEST - len(tail)]}{tail}"


def day(proof: Proof) -> date:
    """Return the delivery's own day, in the zone in which its proof tells the time."""
    return proof.at.date()


def currency(proof: Proof) -> Json:
    """Return the currency of the prices; raise `Rejected` where there are several."""
    found = sorted({line.price.currency for line in proof.lines if line.price is not None})
    if len(found) > 1:
        raise needs_accountant(
            f"order {proof.number or proof.order} has prices in {', '.join(found)}", "price"
        )
    return {"CurrencyCode": found[0]} if found else {}


def has(invoice: Json, proof: Proof) -> bool:
    """Say whether a delivery is on an invoice."""
    lines = invoice.get("LineItems") or []
    return any(marker(proof) in str(line.get("Description") or "") for line in lines)


def standing(invoice: Json, proof: Proof) -> Json:
    """Return an invoice that has a delivery; raise `Rejected` where somebody has voided it."""
    if invoice.get("Status") in GONE:
        raise needs_accountant(
            f"delivery {marker(proof)} was billed on invoice "
            f"{invoice.get('InvoiceNumber') or invoice.get('InvoiceID')}, which is "
            f"{invoice['Status']}; bill it by hand, the hub makes no second one",
            "invoice",
        )
    return invoice


def kept(line: Json) -> Json:
    """Return a line of a draft as it goes back: as it is, without what Xero works out itself."""
    names = (
        "LineItemID", "Description", "Quantity", "UnitAmount", "ItemCode", "AccountCode",
        "TaxType", "DiscountRate", "DiscountAmount", "Tracking",
    )  # fmt: skip
    return {name: line[name] for name in names if line.get(name) is not None}


def billed(line: HandedLine, invoice: Json) -> Json | None:
    """Return an invoice's line for an article: by its id, its item code, else its description."""
    sold: list[Json] = invoice.get("LineItems") or []
    for name, value in (
        ("LineItemID", line.ref),
        ("ItemCode", line.sku),
        ("Description", line.name),
    ):
        found = [one for one in sold if value and one.get(name) == value]
        if found:
            return found[0]
    return None


def same_person(contact: Json, email: str) -> bool:
    """Say whether a contact of the same name is meant: no other e-mail address says otherwise."""
    other = str(contact.get("EmailAddress") or "").strip().lower()
    return not other or not email or other == email.lower()


def key(proof: Proof, part: str, content: Any) -> str:
    """Return the Idempotency-Key of a document: of the delivery and all that is sent.

    Xero refuses a key that comes again with another content.
    """
    told = json.dumps(content, sort_keys=True, default=str)
    named = f"{proof.stop or proof.id}:{proof.sha256}:{part}:{told}"
    return hashlib.sha256(named.encode()).hexdigest()
