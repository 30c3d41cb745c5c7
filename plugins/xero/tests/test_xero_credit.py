"""Credit notes for short deliveries, and what may still be put on an invoice in which state."""

from __future__ import annotations

import pytest

from hub import Rejected, Retry, Unknown
from hub.testing.peers.log import effects
from hub.testing.peers.xero import XeroPeer

from .deliveries import LINES, Build, another, billed, delivered, draft, drafts, kinds


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
