"""What a document of Xero's becomes: an order, a cancellation, a refused row, or nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import ValidationError

from hub import Address, Cancelled, Money, Order, OrderLine, Recipient, RefusedRow
from hub_xero.settings import MARK

Json = dict[str, Any]
MSDATE = re.compile(r"^/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/$")
CENTS = Decimal("0.0001")
TOWN = re.compile(r"^([A-Z]{1,2}-)?(\d{4,6})\s+(\S.*)$")
PHONES = ("MOBILE", "DDI", "DEFAULT", "OFFICE")
PLACES = ("STREET", "POBOX")


class Unreadable(Exception):
    """Say which field of a document makes no sense, and why."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


@dataclass(frozen=True)
class Kind:
    """One kind of document that orders are made of."""

    documents: str
    id: str
    number: str
    ordered: frozenset[str]
    """The states in which it is an order."""
    ended: frozenset[str]
    """The states that call it off."""
    has_address: bool = False
    """Whether it says itself where to deliver, instead of its contact."""


KINDS = {
    "invoices": Kind(
        "Invoices", "InvoiceID", "InvoiceNumber",
        frozenset({"AUTHORISED", "PAID"}), frozenset({"VOIDED", "DELETED"}),
    ),
    "quotes": Kind(
        "Quotes", "QuoteID", "QuoteNumber",
        frozenset({"ACCEPTED"}), frozenset({"DECLINED", "DELETED"}),
    ),
    "purchase_orders": Kind(
        "PurchaseOrders", "PurchaseOrderID", "PurchaseOrderNumber",
        frozenset({"AUTHORISED"}), frozenset({"DELETED"}), has_address=True,
    ),
}  # fmt: skip
"""By the setting `orders`."""


def contact_ids(kind: Kind, documents: list[Any]) -> list[str]:
    """Return the contacts whose addresses are needed."""
    if kind.has_address:
        return []
    wanted = [
        part(one, "Contact").get("ContactID")
        for one in documents
        if isinstance(one, dict) and one.get("Status") in kind.ordered and not is_ours(one)
    ]
    return [id for id in wanted if isinstance(id, str)]


def is_ours(document: Json) -> bool:
    """Say whether the hub itself made a document, as the record of a delivery."""
    texts = [document.get("Reference")]
    texts += [one.get("Description") for one in rows(document, "LineItems")]
    return any(isinstance(text, str) and MARK in text for text in texts)


def read(
    kind: Kind, line: int, document: Any, contacts: Mapping[str, Json]
) -> Iterator[Order | Cancelled | RefusedRow]:
    """Yield what a document is, if it is anything to the hub."""
    ref = document.get(kind.id) if isinstance(document, dict) else None
    known = ref if isinstance(ref, str) else ""
    try:
        if not known:
            raise Unreadable(kind.id, f"this record of {kind.documents} has no {kind.id}")
        state = document.get("Status")
        if not isinstance(state, str):
            raise Unreadable("Status", "it has no Status")
        if is_ours(document) or (kind.documents == "Invoices" and document["Type"] != "ACCREC"):
            return
        if state in kind.ended:
            yield Cancelled(ref=known, reason=f"{state.lower()} in Xero")
        elif state in kind.ordered:
            yield order(kind, known, document, contacts)
    except Unreadable as error:
        yield RefusedRow(line=line, reason=str(error), field=error.field, ref=known)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(one) for one in first["loc"])
        yield RefusedRow(line=line, reason=str(first["msg"]), field=field, ref=known)
    except (TypeError, ValueError, KeyError, AttributeError, ArithmeticError) as error:
        said = f"it cannot be read: {type(error).__name__}: {str(error)[:100]}"
        yield RefusedRow(line=line, reason=said, field=kind.documents, ref=known)


def order(kind: Kind, ref: str, document: Json, contacts: Mapping[str, Json]) -> Order:
    """Return a document as an order."""
    contact = part(document, "Contact")
    contact = contacts.get(str(contact.get("ContactID")), contact)
    number = text(document, kind.number)
    currency = text(document, "CurrencyCode")
    told: Json = {
        "ref": ref,
        "number": number,
        "invoice": number if kind.documents == "Invoices" else "",
        "lines": tuple(lines(document, currency)),
        "total": money(document.get("Total"), currency, "Total"),
    }
    if not kind.has_address:
        return Order(**told, recipient=recipient(contact), address=address(contact))
    return Order(
        **told,
        recipient=Recipient(
            name=text(document, "AttentionTo") or text(contact, "Name"),
            phone=text(document, "Telephone"),
        ),
        address=written(text(document, "DeliveryAddress")),
        service_date=day(document, "DeliveryDate"),
        notes=text(document, "DeliveryInstructions"),
    )


def lines(document: Json, currency: str) -> Iterator[OrderLine]:
    """Yield the articles; lines that only say something, and discounts, are none."""
    for one in rows(document, "LineItems"):
        count = number(one.get("Quantity"), "LineItems.Quantity")
        if count is None or count <= 0:
            continue
        price = number(one.get("UnitAmount"), "LineItems.UnitAmount")
        name, pieces = text(one, "Description") or text(one, "ItemCode") or "Article", count
        if not is_whole(count):  # 1.5 kg is one thing to carry
            name, pieces = f"{count.normalize():f} x {name}", Decimal(1)
            price = None if price is None else price * count
        yield OrderLine(
            name=name[:500],
            quantity=int(pieces),
            sku=text(one, "ItemCode"),
            ref=text(one, "LineItemID"),
            price=money(price, currency, "LineItems.UnitAmount"),
        )


def is_whole(count: Decimal) -> bool:
    """Say whether a quantity counts pieces."""
    return count == count.to_integral_value()


def recipient(contact: Json) -> Recipient:
    """Return a contact as who receives."""
    found = {one.get("PhoneType"): one for one in rows(contact, "Phones")}
    phone = next((found[kind] for kind in PHONES if text(found.get(kind, {}), "PhoneNumber")), {})
    country, area = text(phone, "PhoneCountryCode").lstrip("+0"), text(phone, "PhoneAreaCode")
    own = text(phone, "PhoneNumber")
    if country and not own.startswith(("+", "00")):
        own = f"+{country}{area.lstrip('0')}{own}"
    else:
        own = f"{area}{own}"
    return Recipient(name=text(contact, "Name"), phone=own, email=text(contact, "EmailAddress"))


def address(contact: Json) -> Address:
    """Return where a contact lives: its street, or where there is none its post box."""
    found = {one.get("AddressType"): one for one in rows(contact, "Addresses")}
    for kind in PLACES:
        one = found.get(kind, {})
        first, *more = [text(one, f"AddressLine{n}") for n in range(1, 5)]
        town = {
            "postcode": text(one, "PostalCode"), "city": text(one, "City"),
            "region": text(one, "Region"), "country": text(one, "Country"),
        }  # fmt: skip
        if first or town["city"] or town["postcode"]:
            return Address(line1=first, line2=", ".join(filter(None, more)), **town)
    return Address()


def written(told: str) -> Address:
    """Return an address that somebody wrote into one field, line by line."""
    said = [one.strip(" ,") for one in re.split(r"[\r\n]+", told) if one.strip(" ,")]
    if not said:
        return Address()
    first, *more = said
    for index, one in enumerate(more):
        found = TOWN.match(one)
        if found:
            rest = more[index + 1 :]
            return Address(
                line1=first, line2=", ".join(more[:index]), postcode=found.group(2),
                city=found.group(3), country=", ".join(rest),
            )  # fmt: skip
    return Address(line1=first, line2=", ".join(more))


def part(document: Json, name: str) -> Json:
    """Return what lies within a document, empty where it is missing."""
    found = document.get(name)
    return found if isinstance(found, dict) else {}


def rows(document: Json, name: str) -> list[Json]:
    """Return a list of what lies within a document; raise `Unreadable` where it is another."""
    found = document.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Unreadable(name, f"its {name} are no list of records")
    return found


def text(document: Json, name: str) -> str:
    """Return a text without blanks around; raise `Unreadable` where it is none."""
    found = document.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise Unreadable(name, f"its {name} is no text")
    return found.strip()


def number(value: Any, field: str) -> Decimal | None:
    """Return a number exactly as Xero wrote it."""
    if value is None:
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        found = Decimal("NaN")
    if isinstance(value, bool) or not found.is_finite():
        raise Unreadable(field, f"its {field} is no number")
    return found


def money(value: Any, currency: str, field: str) -> Money | None:
    """Return an amount in the document's currency, none where it names none."""
    found = number(value, field)
    if found is None or not currency:
        return None
    exact = found if int(found.as_tuple().exponent) >= -4 else found.quantize(CENTS)
    return Money(amount=exact, currency=currency)


def day(document: Json, name: str) -> date | None:
    """Return a day; Xero writes its midnight in UTC."""
    found = moment(document.get(name))
    if found is None and document.get(name):
        raise Unreadable(name, f"its {name} is no date")
    return found.date() if found else None


def moment(value: Any) -> datetime | None:
    """Return an instant as Xero writes it, `/Date(ms+0000)/` or ISO 8601 in UTC."""
    if not isinstance(value, str):
        return None
    found = MSDATE.match(value)
    try:
        if found:
            since = timedelta(milliseconds=int(found.group(1)))
            return datetime(1970, 1, 1, tzinfo=UTC) + since
        made = datetime.fromisoformat(value)
    except (ValueError, OverflowError):
        return None
    return made if made.tzinfo else made.replace(tzinfo=UTC)
