"""Xero as a source of orders: which documents, how they read, and that none is lost."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hub_xero import Xero

from hub import (
    Address,
    Cancelled,
    Cursor,
    Money,
    Order,
    Recipient,
    RefusedRow,
    Rejected,
    Retry,
)
from hub.testing.peers.log import entries
from hub.testing.peers.xero import Limits, XeroPeer

from .deliveries import Build

NOW = datetime.now(UTC).replace(microsecond=0)
BECK = {
    "ContactID": "c-1", "Name": "Martina Beck", "EmailAddress": "beck@example.com",
    "Phones": [
        {"PhoneType": "DEFAULT", "PhoneNumber": "", "PhoneAreaCode": "", "PhoneCountryCode": ""},
        {"PhoneType": "MOBILE", "PhoneNumber": "5551234", "PhoneAreaCode": "079",
         "PhoneCountryCode": "41"},
    ],
    "Addresses": [
        {"AddressType": "POBOX", "AddressLine1": "P.O. Box 7", "City": "Vaduz"},
        {"AddressType": "STREET", "AddressLine1": "Städtle 49", "AddressLine2": "2nd floor",
         "City": "Vaduz", "PostalCode": "9490", "Region": "", "Country": "Liechtenstein"},
    ],
}  # fmt: skip
LINES = [
    {"Description": "Apples", "Quantity": 3, "UnitAmount": 4.1255, "ItemCode": "APL"},
    {"Description": "Cheese", "Quantity": 1.5, "UnitAmount": 20.10},
    {"Description": "Discount", "Quantity": -1, "UnitAmount": 5},
    {"Description": "With our thanks"},
]


def invoice(accounts: XeroPeer, at: datetime = NOW, **told: Any) -> dict[str, Any]:
    made = {"Type": "ACCREC", "Status": "AUTHORISED", "Contact": {"ContactID": "c-1"}, **told}
    return accounts.books.put("Invoices", {"LineItems": LINES, **made}, at)


def whole(xero: Xero, cursor: Cursor | None = None) -> tuple[list[Any], Cursor]:
    """Read on as the hub does, until nothing is new; return the records and the last cursor."""
    at, found = cursor or Cursor(), []
    for _ in range(60):
        *records, last = list(xero.pull(at))
        assert isinstance(last, Cursor)
        found += records
        if last == at:
            return found, last
        at = last
    raise AssertionError("it is never at its end")


def only(found: list[Any]) -> Any:
    (one,) = found
    return one


def test_by_itself_xero_hands_over_nothing_and_asks_nothing(
    accounts: XeroPeer, build: Build
) -> None:
    invoice(accounts)
    assert list(build().pull(Cursor())) == []
    assert list(entries(accounts.log.path)) == []


def test_an_invoice_is_an_order_to_its_contacts_street(accounts: XeroPeer, build: Build) -> None:
    accounts.books.put("Contacts", BECK)
    made = invoice(accounts, InvoiceNumber="INV-7", Status="PAID")
    found = only(whole(build(orders="invoices"))[0])
    assert (found.ref, found.number, found.invoice) == (made["InvoiceID"], "INV-7", "INV-7")
    assert found.recipient == Recipient(
        name="Martina Beck", phone="+41795551234", email="beck@example.com"
    )
    assert found.address == Address(
        line1="Städtle 49", line2="2nd floor", postcode="9490", city="Vaduz",
        country="Liechtenstein",
    )  # fmt: skip
    apples, cheese = found.lines
    assert (apples.name, apples.quantity, apples.sku) == ("Apples", 3, "APL")
    assert apples.ref == made["LineItems"][0]["LineItemID"]
    assert apples.price == Money(amount=Decimal("4.1255"), currency="CHF")
    assert (cheese.name, cheese.quantity) == ("1.5 x Cheese", 1)
    assert cheese.price == Money(amount=Decimal("30.15"), currency="CHF")


@pytest.mark.parametrize("status", ["VOIDED", "DELETED"])
def test_what_is_voided_or_deleted_is_called_off(
    accounts: XeroPeer, build: Build, status: str
) -> None:
    made = invoice(accounts, Status=status)
    told = only(whole(build(orders="invoices"))[0])
    assert told == Cancelled(ref=made["InvoiceID"], reason=f"{status.lower()} in Xero")


def test_drafts_bills_and_what_the_hub_drafted_itself_are_no_orders(
    accounts: XeroPeer, build: Build
) -> None:
    invoice(accounts, Status="DRAFT")
    invoice(accounts, Type="ACCPAY")
    invoice(accounts, Reference="1001 POD:stp_1 #cdcdcd")
    invoice(accounts, LineItems=[{"Description": "Apples POD:stp_2 #ab12cd", "Quantity": 1}])
    assert whole(build(orders="invoices"))[0] == []


def test_an_address_that_is_a_post_box_is_better_than_none(
    accounts: XeroPeer, build: Build
) -> None:
    accounts.books.put("Contacts", {**BECK, "Addresses": BECK["Addresses"][:1]})
    accounts.books.put("Contacts", {"ContactID": "c-2", "Name": "Nobody"})
    invoice(accounts)
    invoice(accounts, Contact={"ContactID": "c-2"})
    box, none = whole(build(orders="invoices"))[0]
    assert box.address == Address(line1="P.O. Box 7", city="Vaduz")
    assert none.address == Address()


def test_an_accepted_quote_is_an_order_and_a_declined_one_is_called_off(
    accounts: XeroPeer, build: Build
) -> None:
    accounts.books.put("Contacts", BECK)
    told = {"Contact": {"ContactID": "c-1"}, "LineItems": LINES}
    yes = accounts.books.put("Quotes", {**told, "Status": "ACCEPTED", "QuoteNumber": "QU-1"})
    no = accounts.books.put("Quotes", {**told, "Status": "DECLINED"})
    for status in ("DRAFT", "SENT", "INVOICED"):
        accounts.books.put("Quotes", {**told, "Status": status})
    order, cancelled = whole(build(orders="quotes"))[0]
    assert (order.ref, order.number, order.invoice) == (yes["QuoteID"], "QU-1", "")
    assert order.address.line1 == "Städtle 49"
    assert cancelled.ref == no["QuoteID"]


def test_a_purchase_order_says_itself_where_to_when_and_to_whom(
    accounts: XeroPeer, build: Build
) -> None:
    told = {
        "Status": "AUTHORISED", "PurchaseOrderNumber": "PO-9", "LineItems": LINES,
        "Contact": {"ContactID": "c-9", "Name": "Supplier Ltd"}, "AttentionTo": "Goods in",
        "Telephone": "+423 232 1234", "DeliveryInstructions": "Ramp at the back",
        "DeliveryAddress": "Alpenblick Inn\r\nDorfstrasse 3\r\n9497 Triesenberg\r\nLiechtenstein",
        "DeliveryDate": f"/Date({int(datetime(2026, 12, 1, tzinfo=UTC).timestamp() * 1000)}+0000)/",
    }  # fmt: skip
    accounts.books.put("PurchaseOrders", told)
    found = only(whole(build(orders="purchase_orders"))[0])
    assert found.recipient == Recipient(name="Goods in", phone="+423 232 1234")
    assert found.address == Address(
        line1="Alpenblick Inn", line2="Dorfstrasse 3", postcode="9497", city="Triesenberg",
        country="Liechtenstein",
    )  # fmt: skip
    assert (found.service_date, found.notes) == (date(2026, 12, 1), "Ramp at the back")
    assert (found.number, found.invoice) == ("PO-9", "")
    assert not [one for one in entries(accounts.log.path) if one.path.endswith("Contacts")]


BROKEN = [
    ({"LineItems": [{"Description": "Bad", "Quantity": "many"}]}, "LineItems.Quantity"),
    ({"LineItems": [{"Description": "Bad", "Quantity": 1, "UnitAmount": True}]}, "UnitAmount"),
    ({"LineItems": [{"Description": "Bad", "Quantity": 2_000_000}]}, "quantity"),
    ({"CurrencyCode": "francs"}, "currency"),
    ({"CurrencyCode": 7}, "CurrencyCode"),
    ({"Status": None}, "Status"),
]


@pytest.mark.parametrize(("wrong", "field"), BROKEN)
def test_one_bad_record_among_a_hundred_is_refused_with_its_field(
    accounts: XeroPeer, build: Build, wrong: dict[str, Any], field: str
) -> None:
    for number in range(99):
        invoice(accounts, NOW + timedelta(seconds=number))
    bad = invoice(accounts, NOW + timedelta(seconds=40))
    bad.update(wrong)
    found, _ = whole(build(orders="invoices"))
    refused = only([one for one in found if isinstance(one, RefusedRow)])
    assert sum(isinstance(one, Order) for one in found) == 99
    assert refused.ref == bad["InvoiceID"]
    assert field in refused.field


def test_what_changes_later_is_read_then_and_nothing_twice(
    accounts: XeroPeer, build: Build
) -> None:
    xero = build(orders="invoices")
    first = invoice(accounts)
    found, cursor = whole(xero)
    assert [one.ref for one in found] == [first["InvoiceID"]]
    assert whole(xero, cursor) == ([], cursor)
    late = invoice(accounts, NOW - timedelta(seconds=30))  # became visible after a later one
    again = accounts.books.put("Invoices", {**first, "Status": "VOIDED"}, NOW + timedelta(hours=1))
    refs = {one.ref for one in whole(xero, cursor)[0]}
    assert refs == {late["InvoiceID"], again["InvoiceID"]}


@pytest.mark.parametrize("seconds", [0, 1, 30, 120])
def test_no_document_of_many_is_lost_however_close_their_changes_lie(
    accounts: XeroPeer, build: Build, seconds: int
) -> None:
    wanted = {
        invoice(accounts, NOW + timedelta(seconds=number * seconds / 450))["InvoiceID"]
        for number in range(450)
    }
    xero = build(orders="invoices")
    found, cursor = whole(xero)
    assert {one.ref for one in found} == wanted
    assert len(found) < 1000
    more = invoice(accounts, NOW + timedelta(seconds=seconds + 1))
    assert more["InvoiceID"] in {one.ref for one in whole(xero, cursor)[0]}


def test_a_document_that_changes_while_it_is_read_hides_no_other(
    accounts: XeroPeer, build: Build
) -> None:
    made = [invoice(accounts, NOW + timedelta(seconds=3 * n)) for n in range(250)]
    xero = build(orders="invoices")
    *first, cursor = list(xero.pull(Cursor()))
    accounts.books.put("Invoices", made[5], NOW + timedelta(hours=1))
    rest, _ = whole(xero, cursor)
    assert {one.ref for one in [*first, *rest]} == {one["InvoiceID"] for one in made}


def test_a_cursor_stays_short(accounts: XeroPeer, build: Build) -> None:
    for _ in range(450):
        invoice(accounts)
    assert len(whole(build(orders="invoices"))[1].value) < 6_000


def test_what_is_older_than_the_days_back_is_left_alone_even_when_it_changes(
    accounts: XeroPeer, build: Build
) -> None:
    day = NOW - timedelta(days=30)
    invoice(accounts, NOW, Date=f"/Date({int(day.timestamp() * 1000)}+0000)/")
    assert whole(build(orders="invoices"))[0] == []
    assert len(whole(build(orders="invoices", days_back=31))[0]) == 1


def test_another_kind_of_document_is_read_from_its_own_beginning(
    accounts: XeroPeer, build: Build
) -> None:
    invoice(accounts)
    accounts.books.put("Quotes", {"Status": "ACCEPTED"})
    _, cursor = whole(build(orders="invoices"))
    assert len(whole(build(orders="quotes"), cursor)[0]) == 1


def test_a_cursor_that_is_none_is_rejected(build: Build) -> None:
    with pytest.raises(Rejected, match="no cursor") as caught:
        list(build(orders="invoices").pull(Cursor(value="17")))
    assert caught.value.field == "cursor"


def test_contacts_are_asked_for_together(accounts: XeroPeer, build: Build) -> None:
    for number in range(100):
        who = {**BECK, "ContactID": f"c-{number}"}
        accounts.books.put("Contacts", who)
        invoice(accounts, NOW + timedelta(seconds=number), Contact={"ContactID": f"c-{number}"})
    found = [one for one in build(orders="invoices").pull(Cursor()) if isinstance(one, Order)]
    assert len({one.ref for one in found}) == 100
    assert all(one.address.city == "Vaduz" for one in found)
    asked = [one.path for one in entries(accounts.log.path)]
    assert (len(asked), sum(path.endswith("Contacts") for path in asked)) == (4, 3)


def test_reading_orders_leaves_a_part_of_the_calls_to_delivery_records(
    accounts: XeroPeer, build: Build
) -> None:
    accounts.limits = Limits(minute=10)
    xero = build(orders="invoices", per_minute=10)
    for _ in range(9):
        list(xero.pull(Cursor()))
    with pytest.raises(Retry, match="kept for other calls") as caught:
        list(xero.pull(Cursor()))
    assert caught.value.after is not None
    assert len(list(entries(accounts.log.path))) == 9
    xero.check()
    with pytest.raises(Retry, match="used up"):
        xero.check()
    assert all(one.status == 200 for one in entries(accounts.log.path))


def test_what_xero_says_is_left_of_the_day_counts_more_than_our_own_count(
    accounts: XeroPeer, build: Build
) -> None:
    accounts.limits = Limits(day=2)
    xero = build(per_day=5000)
    xero.check()
    xero.check()
    with pytest.raises(Retry, match="a day are used up") as caught:
        xero.check()
    assert caught.value.after is not None
    assert caught.value.after > 80_000
    assert len(list(entries(accounts.log.path))) == 2
