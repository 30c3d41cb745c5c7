"""One draft invoice for each customer and period: every delivery on it once, whoever adds it."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from hub import HandedLine, Money, Recipient, Rejected, Retry
from hub.testing.patience import PATIENCE
from hub.testing.peers.xero import ROOT, XeroPeer

from .deliveries import Build, another, delivered, draft, drafts


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
from hub import Proof, ledgers
ledgers.COUNTING = 60.0
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


def test_two_workers_that_add_to_one_draft_lose_no_line(accounts: XeroPeer, redis_url: str) -> None:
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
        assert one.communicate(timeout=PATIENCE)[0].strip().isdecimal()
        assert one.returncode == 0
    lines = [line["Description"] for made in drafts(accounts) for line in made["LineItems"]]
    assert len(drafts(accounts)) == 1
    assert len(lines) == len(set(lines)) == 24
