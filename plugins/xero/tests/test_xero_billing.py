"""Draft invoices of one delivery: made once, of what was handed over, or put to an accountant."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from hub import HandedLine, Money, Recipient, Rejected, Unknown
from hub.testing.peers import duplicates
from hub.testing.peers.log import entries
from hub.testing.peers.xero import XeroPeer

from .deliveries import LINES, Build, another, delivered, draft, drafts, handed, kinds


def test_a_delivery_becomes_a_draft_of_what_was_handed_over(
    accounts: XeroPeer, build: Build
) -> None:
    xero = build(record="draft_invoice", accounts="WIN=260", tax_type="OUTPUT2")
    receipt = xero.store(delivered())
    made = draft(accounts)
    assert receipt.ref == made["InvoiceID"]
    assert receipt.detail == "draft invoice made and PDF attached"
    assert (made["Type"], made["Status"]) == ("ACCREC", "DRAFT")
    assert made["Reference"] == "1001 POD:stp_1 #cdcdcd"
    assert (made["LineAmountTypes"], made["CurrencyCode"]) == ("Inclusive", "CHF")
    apples, wine = made["LineItems"]
    assert apples["Description"] == "Apples (2 of 3) - order 1001 POD:stp_1 #cdcdcd"
    assert (apples["Quantity"], apples["UnitAmount"]) == (2, 4.1255)
    assert (apples["AccountCode"], wine["AccountCode"]) == ("200", "260")
    assert (apples["TaxType"], wine["Quantity"]) == ("OUTPUT2", 6)
    assert "ItemCode" not in apples
    (file,) = accounts.files[made["InvoiceID"]]
    assert file == "POD-stp_1-ababab.pdf"


def test_the_customer_is_made_with_address_and_phone_and_found_again(
    accounts: XeroPeer, build: Build
) -> None:
    xero = build(record="draft_invoice")
    xero.store(delivered())
    xero.store(another(2))
    made = draft(accounts, "Contacts")
    assert (made["Name"], made["EmailAddress"]) == ("Martina Beck", "beck@example.com")
    assert made["Addresses"][0]["AddressLine1"] == "Städtle 49"
    assert made["Phones"] == [{"PhoneType": "DEFAULT", "PhoneNumber": "+41795551234"}]
    assert {one["Contact"]["ContactID"] for one in drafts(accounts)} == {made["ContactID"]}


def test_a_customer_is_known_by_e_mail_before_name_and_two_of_one_name_stay_two(
    accounts: XeroPeer, build: Build
) -> None:
    told = {"Name": "Beck Ltd", "EmailAddress": "BECK@example.com"}
    known = accounts.books.put("Contacts", told)
    xero = build(record="draft_invoice")
    xero.store(delivered())
    assert draft(accounts)["Contact"]["ContactID"] == known["ContactID"]
    accounts.books.put("Contacts", {"Name": "Anna Meier", "EmailAddress": "anna@one.example"})
    xero.store(another(2, recipient=Recipient(name="Anna Meier", email="anna@two.example")))
    assert drafts(accounts)[1]["Contact"]["Name"] == "Anna Meier (anna@two.example)"
    xero.store(another(3, recipient=Recipient(name="Anna Meier")))
    assert drafts(accounts)[2]["Contact"]["Name"] == "Anna Meier"


def test_an_archived_customer_is_not_billed_and_a_name_with_quotes_is_found(
    accounts: XeroPeer, build: Build
) -> None:
    xero = build(record="draft_invoice")
    who = Recipient(name='The "Old" Inn')
    xero.store(delivered(recipient=who))
    xero.store(another(2, recipient=Recipient(name="The Old Inn")))
    assert len(drafts(accounts)) == 2
    gone = {"Name": "Left", "EmailAddress": "beck@example.com", "ContactStatus": "ARCHIVED"}
    accounts.books.put("Contacts", gone)
    xero.store(another(3))
    assert drafts(accounts)[2]["Contact"]["Name"] == "Martina Beck"


def test_storing_again_makes_nothing_more(accounts: XeroPeer, build: Build) -> None:
    for record in ("draft_invoice", "consolidated_invoice"):
        proof = another(len(record))
        build(record=record).store(proof)
        before = kinds(accounts)
        again = build(record=record).store(proof.model_copy(update={"key": "another run"}))
        assert "was" in again.detail
        assert kinds(accounts) == before


@pytest.mark.parametrize("record", ["draft_invoice", "consolidated_invoice"])
@pytest.mark.parametrize("lost", [1, 2, 3])
def test_lost_replies_make_one_record(
    accounts: XeroPeer, build: Build, record: str, lost: int
) -> None:
    xero = build(record=record)
    xero.store(another(2))
    for _ in range(lost):
        accounts.mutes = 1
        with pytest.raises(Unknown):
            xero.store(another(3, recipient=Recipient(name="Somebody Else")))
    xero.store(another(3, recipient=Recipient(name="Somebody Else")))
    assert duplicates(accounts.log.path) == 0
    assert len(drafts(accounts)) == len(drafts(accounts, "Contacts")) == 2


def test_a_lost_reply_to_added_lines_adds_them_once(accounts: XeroPeer, build: Build) -> None:
    xero = build(record="consolidated_invoice")
    xero.store(another(2, files=()))
    accounts.mutes = 1
    with pytest.raises(Unknown):
        xero.store(another(3, files=()))
    assert xero.store(another(3, files=())).detail == "was on the draft invoice"
    assert len(draft(accounts)["LineItems"]) == 4


def test_nothing_handed_over_is_nothing_to_bill(accounts: XeroPeer, build: Build) -> None:
    lines = tuple(one.model_copy(update={"handed_over": 0}) for one in LINES)
    receipt = build(record="draft_invoice").store(delivered(lines=lines, outcome="failed"))
    assert "nothing was handed over" in receipt.detail
    assert list(entries(accounts.log.path)) == []


@pytest.mark.parametrize(
    ("told", "reason", "field"),
    [
        ({"lines": ()}, "says nothing about what was delivered", "lines"),
        ({"lines": (handed("Apples", 1, 1, None, sku="APL"),)}, "no price for Apples", "price"),
        ({"recipient": Recipient(phone="+41795551234")}, "names nobody", "recipient"),
        (
            {"lines": (*LINES, HandedLine(name="Tea", ordered=1, handed_over=1,
                                          price=Money(amount=Decimal(3), currency="EUR")))},
            "prices in CHF, EUR", "price",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_billed_is_put_to_an_accountant(
    accounts: XeroPeer, build: Build, told: dict[str, Any], reason: str, field: str
) -> None:
    with pytest.raises(Rejected, match=rf"^needs accountant: .*{reason}") as caught:
        build(record="draft_invoice").store(delivered(**told))
    assert caught.value.field == field
    assert drafts(accounts) == []


def test_an_article_that_is_a_xero_item_needs_no_price(accounts: XeroPeer, build: Build) -> None:
    lines = (handed("Apples", 1, 1, None, sku="APL"),)
    build(record="draft_invoice", items=True).store(delivered(lines=lines))
    (line,) = draft(accounts)["LineItems"]
    assert line["ItemCode"] == "APL"
    assert not {"UnitAmount", "AccountCode", "TaxType"} & set(line)


@pytest.mark.parametrize(
    ("settings", "said", "field"),
    [
        ({"account": "999"}, "Account code '999' is not a valid code", "account"),
        ({"tax_type": "NOPE"}, "TaxType code 'NOPE' does not exist", "tax_type"),
    ],
)
@pytest.mark.parametrize("record", ["draft_invoice", "consolidated_invoice"])
def test_what_xero_refuses_is_put_to_an_accountant_with_its_words(
    accounts: XeroPeer, build: Build, settings: Any, said: str, field: str, record: str
) -> None:
    with pytest.raises(Rejected, match=r"^needs accountant: Xero says: ") as caught:
        build(record=record, **settings).store(delivered())
    assert said in str(caught.value)
    assert caught.value.field == field


def test_a_locked_period_is_put_to_an_accountant_with_its_day(
    accounts: XeroPeer, build: Build
) -> None:
    accounts.books.locked = date(2026, 11, 30)
    with pytest.raises(Rejected, match=r"^needs accountant: .*lock date 30 November") as caught:
        build(record="draft_invoice").store(delivered())
    assert caught.value.field == "date"


def test_a_draft_that_somebody_deleted_is_not_made_again(accounts: XeroPeer, build: Build) -> None:
    xero = build(record="draft_invoice")
    xero.store(delivered())
    draft(accounts)["Status"] = "DELETED"
    with pytest.raises(Rejected, match=r"^needs accountant: .*which is DELETED"):
        xero.store(delivered())
    assert len(drafts(accounts)) == 1
