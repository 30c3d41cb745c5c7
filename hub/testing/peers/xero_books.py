"""The books of the Xero peer: documents by kind, what may be asked of them and what is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

Json = dict[str, Any]
IDS = {
    "Invoices": "InvoiceID", "Contacts": "ContactID", "Quotes": "QuoteID",
    "PurchaseOrders": "PurchaseOrderID", "CreditNotes": "CreditNoteID",
}  # fmt: skip
NUMBERS = {
    "Invoices": "InvoiceNumber", "Quotes": "QuoteNumber", "PurchaseOrders": "PurchaseOrderNumber",
    "CreditNotes": "CreditNoteNumber",
}  # fmt: skip
CONDITION = re.compile(
    r'^([A-Za-z.]+)\s*(==|>=)\s*(?:"([^"]*)"|DateTime\((\d+),\s*(\d+),\s*(\d+)\))$'
)
MSDATE = re.compile(r"^/Date\((-?\d+)([+-]\d{4})?\)/$")
OPEN = ("DRAFT", "SUBMITTED")


class Invalid(Exception):
    """Say what Xero finds wrong with a document, one sentence each."""


@dataclass
class Books:
    """Everything that one organisation has; ids are made when a document comes in."""

    documents: dict[str, dict[str, Json]] = field(
        default_factory=lambda: {kind: {} for kind in IDS}
    )
    accounts: set[str] = field(default_factory=lambda: {"200", "201", "260", "400"})
    taxes: set[str] = field(default_factory=lambda: {"OUTPUT", "OUTPUT2", "NONE", "EXEMPTOUTPUT"})
    locked: date | None = None
    """The last day of the period that is locked."""

    def put(self, kind: str, told: Mapping[str, Any], at: datetime | None = None) -> Json:
        """Take a document as it is, as if a person had made it; return it as Xero tells it."""
        now = at or datetime.now(UTC)
        made = deepcopy(dict(told))
        made.setdefault(IDS[kind], str(uuid4()))
        if kind in NUMBERS:
            made.setdefault(NUMBERS[kind], f"{kind[:2].upper()}-{len(self.documents[kind]) + 1:04}")
            made.setdefault("Date", msdate(now))
            made.setdefault("CurrencyCode", "CHF")
            made.setdefault("LineItems", [])
            made["LineItems"] = [line_of(line) for line in made["LineItems"]]
            made["Total"] = total(made["LineItems"])
        made["UpdatedDateUTC"] = msdate(now)
        self.documents[kind][made[IDS[kind]]] = made
        return made

    def create(self, kind: str, told: Mapping[str, Any]) -> Json:
        """Return a document that a caller wants, checked but not kept; raise `Invalid`."""
        if kind == "Contacts":
            return self._contact(told)
        self._check(told)
        made = {"Type": "ACCREC", "Status": "DRAFT", **told, "Contact": self._known(told)}
        made["Date"] = msdate(moment(str(told.get("Date") or datetime.now(UTC).isoformat())))
        made[IDS[kind]] = str(uuid4())
        return made

    def update(self, kind: str, id: str, told: Mapping[str, Any]) -> Json:
        """Return a document with what a caller changes, not kept; raise `Invalid`."""
        before = self.documents[kind][id]
        if before["Status"] not in OPEN:
            raise Invalid(f"{kind[:-1]} not of valid status for modification")
        self._check({**before, **told})
        return {**before, **told, "Contact": before["Contact"], "Date": before["Date"]}

    def _contact(self, told: Mapping[str, Any]) -> Json:
        name = str(told.get("Name", "")).strip()
        if not name:
            raise Invalid("The contact name is required")
        if any(one["Name"].lower() == name.lower() for one in self.documents["Contacts"].values()):
            raise Invalid(f"The contact name {name} is already assigned to another contact.")
        return {"ContactStatus": "ACTIVE", **told, "ContactID": str(uuid4())}

    def _known(self, told: Mapping[str, Any]) -> Json:
        asked = dict(told.get("Contact") or {})
        found = self.documents["Contacts"].get(str(asked.get("ContactID")))
        if found is None:
            raise Invalid("The Contact's ContactID could not be found")
        if found.get("ContactStatus") == "ARCHIVED":
            raise Invalid(f"The contact {found['Name']} is archived")
        return {"ContactID": found["ContactID"], "Name": found["Name"]}

    def _check(self, told: Mapping[str, Any]) -> None:
        for line in told.get("LineItems") or []:
            account, tax = line.get("AccountCode"), line.get("TaxType")
            if not line.get("Description"):
                raise Invalid("Description must not be empty")
            if account is not None and account not in self.accounts:
                raise Invalid(f"Account code '{account}' is not a valid code for this document.")
            if tax is not None and tax not in self.taxes:
                raise Invalid(
                    f"The TaxType code '{tax}' does not exist or cannot be used for this type of "
                    "transaction."
                )
        day = moment(str(told.get("Date") or datetime.now(UTC).isoformat())).date()
        if self.locked is not None and day <= self.locked:
            raise Invalid(
                f"The document date cannot be before the period lock date {self.locked:%d %B %Y}"
            )

    def find(self, kind: str, query: Mapping[str, str], since: str) -> list[Json]:
        """Return what a list asks for, in its order; raise `Invalid` for what Xero refuses."""
        found = list(self.documents[kind].values())
        for name, values in asked(kind, query):
            found = [one for one in found if named(one, name) in values]
        for condition in filter(None, re.split(r"\s+(?:AND|&&)\s+", query.get("where", ""))):
            found = [one for one in found if holds(condition, one)]
        if query.get("DateFrom"):
            first = date.fromisoformat(query["DateFrom"])
            found = [one for one in found if moment(one["Date"]).date() >= first]
        if since:
            found = [one for one in found if moment(one["UpdatedDateUTC"]) >= instant(since)]
        if query.get("order", "").startswith("UpdatedDateUTC"):
            found.sort(key=lambda one: moment(one["UpdatedDateUTC"]))
        return found


def asked(kind: str, query: Mapping[str, str]) -> list[tuple[str, set[str]]]:
    """Return the lists by which a query narrows down: (the field, what it may be)."""
    names = {
        "IDs": IDS[kind], "InvoiceNumbers": "InvoiceNumber", "ContactIDs": "Contact.ContactID",
        "Statuses": "Status", "Status": "Status",
    }  # fmt: skip
    return [(name, set(query[asks].split(","))) for asks, name in names.items() if query.get(asks)]


def holds(condition: str, document: Json) -> bool:
    """Say whether a document fulfils one condition of `where`."""
    found = CONDITION.match(condition.strip())
    if found is None:
        raise Invalid(f"No property or field matches: {condition}")
    name, sign, text, *day = found.groups()
    value = named(document, name)
    if sign == ">=":
        return moment(value).date() >= date(*map(int, day))
    return value.lower() == (text or "").lower()


def named(document: Json, name: str) -> str:
    """Return a field, which may be one of a document within."""
    value: Any = document
    for part in name.split("."):
        value = (value or {}).get(part)
    return str(value or "")


def instant(text: str) -> datetime:
    """Return an `If-Modified-Since`; raise `Invalid` for one that is not UTC in whole seconds."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = datetime.now()  # noqa: DTZ005 - refused below
    if found.tzinfo is None or found.utcoffset() or found.microsecond:
        raise Invalid(f"If-Modified-Since {text} is not an instant in UTC of whole seconds")
    return found


def moment(text: str) -> datetime:
    """Return a date as Xero writes it, or as it takes it."""
    found = MSDATE.match(text)
    if found:
        return datetime.fromtimestamp(int(found.group(1)) / 1000, UTC)
    made = datetime.fromisoformat(text)
    return made if made.tzinfo else made.replace(tzinfo=UTC)


def msdate(at: datetime) -> str:
    """Return an instant as Xero writes it."""
    return f"/Date({int(at.timestamp() * 1000)}+0000)/"


def line_of(line: Mapping[str, Any]) -> Json:
    """Return a line with an id and its amount."""
    made = {"LineItemID": str(uuid4()), **line}
    amount = Decimal(str(made.get("Quantity") or 0)) * Decimal(str(made.get("UnitAmount") or 0))
    made.setdefault("LineAmount", float(amount.quantize(Decimal("0.01"))))
    return made


def total(lines: list[Json]) -> float:
    """Return what lines come to."""
    return float(sum((Decimal(str(line["LineAmount"])) for line in lines), Decimal(0)))
