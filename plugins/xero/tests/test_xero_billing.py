"""Draft invoices and credit notes: made once, of what was handed over, or put to an accountant."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hub_xero import Xero

from hub import Address, HandedLine, Money, Proof, Recipient, Rejected, Retry, Unknown
from hub.testing.conformance import a_proof
from hub.testing.peers import duplicates
from hub.testing.peers.log import effects, entries
from hub.testing.peers.xero import ROOT, XeroPeer

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
    build(record="draft_invoice", items=True, account="").store(delivered(lines=lines))
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


def test_deliveries_of_one_customer_and_period_are_on_one_draft(
    accounts: XeroPeer, build: Build
) -> None:
    xero = build(record="consolidated_invoice", period="week")
    first = xero.store(another(2))
    second = xero.store(another(3))
    assert first.ref == second.ref
    assert (first.detail, second.detail) == (
        "new draft invoice and PDF attached", "added to the draft invoice and PDF attached",
    )  # fmt: skip
    made = draft(accounts)
    assert made["Reference"] == "Deliveries 2026-W48"
    assert [line["Description"].rpartition("order ")[2][:4] for line in made["LineItems"]] == [
        "1002", "1002", "1003", "1003",
    ]  # fmt: skip
    assert sorted(accounts.files[made["InvoiceID"]]) == [
        "POD-stp_2-ababab.pdf", "POD-stp_3-ababab.pdf",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("period", "reference"),
    [("day", "2026-12-01"), ("week", "2026-W49"), ("month", "2026-12")],
)
def test_the_period_is_that_of_the_delivery_in_its_own_zone(
    accounts: XeroPeer, build: Build, period: str, reference: str
) -> None:
    night = datetime(2026, 12, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    build(record="consolidated_invoice", period=period).store(delivered(at=night))
    assert draft(accounts)["Reference"] == f"Deliveries {reference}"
    assert night.astimezone(UTC).date() == date(2026, 11, 30)


def test_customers_periods_and_currencies_have_their_own_drafts(
    accounts: XeroPeer, build: Build
) -> None:
    xero = build(record="consolidated_invoice", period="month")
    euro = (HandedLine(name="Tea", ordered=1, handed_over=1,
                       price=Money(amount=Decimal(3), currency="EUR")),)  # fmt: skip
    xero.store(another(2))
    xero.store(another(3, recipient=Recipient(name="Somebody Else")))
    xero.store(another(4, at=datetime(2026, 12, 2, 9, tzinfo=UTC)))
    xero.store(another(5, lines=euro))
    assert len(drafts(accounts)) == 4


@pytest.mark.parametrize("status", ["SUBMITTED", "AUTHORISED", "PAID", "VOIDED"])
def test_once_the_draft_is_approved_a_new_one_begins_and_nothing_is_billed_twice(
    accounts: XeroPeer, build: Build, status: str
) -> None:
    xero = build(record="consolidated_invoice")
    xero.store(another(2))
    approved = draft(accounts)
    approved["Status"] = status
    assert xero.store(another(3)).ref != approved["InvoiceID"]
    assert len(drafts(accounts)) == 2
    if status == "VOIDED":
        with pytest.raises(Rejected, match=r"^needs accountant: .*which is VOIDED"):
            xero.store(another(2))
    else:
        assert xero.store(another(2)).ref == approved["InvoiceID"]
    assert len(drafts(accounts)) == 2


def test_what_a_person_changed_on_the_draft_stays(accounts: XeroPeer, build: Build) -> None:
    xero = build(record="consolidated_invoice")
    xero.store(another(2))
    line = draft(accounts)["LineItems"][0]
    line |= {"UnitAmount": 3.99, "DiscountRate": 10, "Tracking": [{"Name": "R", "Option": "E"}]}
    xero.store(another(3))
    kept = draft(accounts)["LineItems"][0]
    names = ("LineItemID", "UnitAmount", "DiscountRate", "Tracking")
    assert [kept[name] for name in names] == [line[name] for name in names]


def test_an_approval_between_look_and_change_is_put_to_an_accountant(
    accounts: XeroPeer, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    xero = build(record="consolidated_invoice")
    xero.store(another(2))
    update = accounts.books.update

    def approved(kind: str, id: str, told: Any) -> Any:
        accounts.books.documents[kind][id]["Status"] = "AUTHORISED"
        return update(kind, id, told)

    monkeypatch.setattr(accounts.books, "update", approved)
    with pytest.raises(Rejected, match=r"^needs accountant: .*not of valid status") as caught:
        xero.store(another(3))
    assert caught.value.field == "invoice"


def test_lines_that_somebody_else_overwrote_are_noticed_and_tried_again(
    accounts: XeroPeer, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    xero = build(record="consolidated_invoice")
    xero.store(another(2))
    remember, lost = accounts.remember, []

    def overwritten(entry: Any) -> None:
        remember(entry)
        if entry.kind == "lines" and not lost:
            lost.append(draft(accounts)["LineItems"].pop())
            draft(accounts)["LineItems"].pop()

    monkeypatch.setattr(accounts, "remember", overwritten)
    with pytest.raises(Retry, match="at the same moment"):
        xero.store(another(3))
    xero.store(another(3))
    assert len(draft(accounts)["LineItems"]) == 4


WORKER = """
import sys
from redis import Redis
from hub.budget import counting
from hub.errors import Retry
from hub.ledgers import Shared
from hub_xero import Config, Xero
from hub import Proof
config, proofs, redis = sys.argv[1], sys.argv[2].split("|||"), sys.argv[3]
xero = Xero(Config.model_validate_json(config))
print("ready", flush=True)
sys.stdin.readline()
with counting(Shared(Redis.from_url(redis))):
    left, retries = [Proof.model_validate_json(one) for one in proofs], 0
    while left:
        try:
            xero.store(left[0])
            left.pop(0)
        except Retry:
            retries += 1
print(retries, flush=True)
"""


def test_two_workers_that_add_to_one_draft_lose_no_line(
    accounts: XeroPeer, redis_url: str, tmp_path: Path
) -> None:
    from hub_xero import Config

    told = {"url": accounts.url + ROOT, "token": accounts.token, "tenant": f"t-{os.getpid()}"}
    more = {"record": "consolidated_invoice", "per_minute": 0}
    config = Config.model_validate({**told, **more})
    shown = config.model_dump_json().replace('"token":"**********"', f'"token":"{accounts.token}"')
    workers = []
    for worker in range(2):
        own = [another(10 * (worker + 1) + n, files=()) for n in range(6)]
        proofs = "|||".join(one.model_copy(update={"record": b""}).model_dump_json() for one in own)
        workers.append(
            subprocess.Popen(
                [sys.executable, "-c", WORKER, shown, proofs, redis_url],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
    for one in workers:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in workers:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in workers:
        assert one.communicate(timeout=60)[0].strip().isdecimal()
        assert one.returncode == 0
    lines = [line["Description"] for made in drafts(accounts) for line in made["LineItems"]]
    assert len(drafts(accounts)) == 1
    assert len(lines) == len(set(lines)) == 24


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


def test_a_short_delivery_of_an_approved_invoice_drafts_a_credit_note_once(
    accounts: XeroPeer, build: Build
) -> None:
    made = billed(accounts)
    xero, proof = build(credit_notes=True), delivered(invoice="INV-1001")
    detail = "PDF attached and note added and credit note drafted"
    assert xero.store(proof).detail == detail
    note = draft(accounts, "CreditNotes")
    assert (note["Type"], note["Status"], note["LineAmountTypes"]) == (
        "ACCRECCREDIT", "DRAFT", "Exclusive",
    )  # fmt: skip
    assert note["Contact"]["ContactID"] == made["Contact"]["ContactID"]
    apples, pears = note["LineItems"]
    assert (apples["Quantity"], apples["UnitAmount"]) == (1, 4.1255)
    assert (apples["AccountCode"], apples["TaxType"]) == ("201", "OUTPUT2")
    assert (pears["Quantity"], pears["UnitAmount"], pears["AccountCode"]) == (1.5, 2, "260")
    again = xero.store(proof.model_copy(update={"key": "again"}))
    assert again.detail == "credit note was there"
    assert len(drafts(accounts, "CreditNotes")) == 1


def test_a_lost_reply_makes_one_credit_note(accounts: XeroPeer, build: Build) -> None:
    billed(accounts)
    xero, proof = build(credit_notes=True), delivered(invoice="INV-1001")
    for _ in range(3):
        accounts.mutes = 1
        with pytest.raises(Unknown):
            xero.store(proof)
    xero.store(proof)
    assert kinds(accounts) == ["attachment", "note", "credit_note"]


def test_without_the_setting_and_for_whole_or_vain_deliveries_there_is_no_credit_note(
    accounts: XeroPeer, build: Build
) -> None:
    billed(accounts)
    full = tuple(one.model_copy(update={"handed_over": one.ordered}) for one in LINES)
    build().store(delivered(invoice="INV-1001"))
    xero = build(credit_notes=True)
    xero.store(another(2, invoice="INV-1001", lines=full, outcome="completed"))
    xero.store(another(3, invoice="INV-1001", outcome="failed"))
    assert drafts(accounts, "CreditNotes") == []


@pytest.mark.parametrize("status", ["PAID", "DRAFT", "SUBMITTED"])
def test_a_short_delivery_of_any_other_invoice_is_recorded_and_put_to_an_accountant(
    accounts: XeroPeer, build: Build, status: str
) -> None:
    billed(accounts, Status=status)
    with pytest.raises(Rejected, match=rf"^needs accountant: 2 of order 1001 .* is {status}"):
        build(credit_notes=True).store(delivered(invoice="INV-1001"))
    assert kinds(accounts) == ["attachment", "note"]


@pytest.mark.parametrize("status", ["VOIDED", "DELETED"])
def test_a_voided_invoice_is_put_to_an_accountant_and_nothing_is_written(
    accounts: XeroPeer, build: Build, status: str
) -> None:
    billed(accounts, Status=status)
    with pytest.raises(
        Rejected, match=rf"^needs accountant: invoice INV-1001 is {status}"
    ) as caught:
        build(record="draft_invoice").store(delivered(invoice="INV-1001"))
    assert caught.value.field == "invoice"
    assert kinds(accounts) == []


def test_a_paid_invoice_takes_the_note_and_the_file(accounts: XeroPeer, build: Build) -> None:
    billed(accounts, Status="PAID")
    build().store(delivered(invoice="INV-1001"))
    assert kinds(accounts) == ["attachment", "note"]


def test_an_order_that_is_billed_already_gets_no_second_invoice(
    accounts: XeroPeer, build: Build
) -> None:
    billed(accounts)
    build(record="draft_invoice").store(delivered(invoice="INV-1001"))
    assert len(drafts(accounts)) == 1
    assert kinds(accounts) == ["attachment", "note"]


def test_a_full_invoice_keeps_its_files_and_says_so(accounts: XeroPeer, build: Build) -> None:
    made = billed(accounts)
    stored = {"sha256": "00", "size": 1}
    accounts.files[made["InvoiceID"]] = {f"{n}.pdf": stored for n in range(10)}
    said = build().store(delivered(invoice="INV-1001")).detail
    assert said == "no PDF attached, because the invoice has 10 files and note added"


def test_a_call_that_hits_a_limit_comes_back_later_and_completes(
    accounts: XeroPeer, build: Build
) -> None:
    xero = build(record="draft_invoice")
    accounts.failures = [(429, 40)]
    with pytest.raises(Retry) as caught:
        xero.store(delivered())
    assert caught.value.after == 40
    with pytest.raises(Retry, match="left alone"):
        xero.store(delivered())
    assert build(record="draft_invoice").store(delivered()).detail.startswith("draft invoice made")
    assert len(list(effects(accounts.log.path))) == 2
