"""The Xero connector: the shared checks, and what ends up on an invoice."""

from __future__ import annotations

import base64
import hmac
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hub_xero import Config, Xero, file_name, key, note

from hub import Incoming, Rejected, Retry, Unauthorized, Unknown
from hub.testing.conformance import SECRET, ConnectorTests, a_proof
from hub.testing.peers import Reply, Request, duplicates
from hub.testing.peers.consent import listed
from hub.testing.peers.log import effects, entries
from hub.testing.peers.xero import ROOT, XeroPeer

PEERS = Path(os.environ.get("HUB_PEERS") or Path(__file__).parents[4] / "shared" / "peers")
SPEC = PEERS / "xero" / "xero_accounting.yaml"

TOKEN, CONNECTIONS = "/connect/token", "/connections"


KNOWN = "243216c5-369e-4056-ac67-05388f86dc81"


def an_invoice(**told: Any) -> dict[str, Any]:
    """Return a sales invoice of two articles, as a person would have made it."""
    lines = [
        {"Description": "Apples", "Quantity": 3, "UnitAmount": 4.1255, "ItemCode": "APL"},
        {"Description": "Pears", "Quantity": 1.5, "UnitAmount": 2, "AccountCode": "201"},
        {"Description": "Thank you"},
    ]
    who = {"ContactID": "contact-1", "Name": "Alpenblick Inn"}
    return {"Type": "ACCREC", "Status": "AUTHORISED", "Contact": who, "LineItems": lines, **told}


class TestXero(ConnectorTests):
    connector = Xero
    config = {
        "client_id": "app-1",
        "client_secret": SECRET,
        "access_token": SECRET,
        "refresh_token": SECRET,
        "tenant": "tenant-1",
        "orders": "invoices",
        "webhook_key": SECRET,
    }
    path = ROOT
    places = {"login_url": "/authorize", "identity_url": TOKEN, "connections_url": CONNECTIONS}

    event = {
        "events": [
            {
                "resourceId": KNOWN, "tenantId": "tenant-1", "eventCategory": "INVOICE",
                "eventType": "UPDATE", "eventDateUtc": "2026-11-23T09:00:00.000",
            }
        ],
        "firstEventSequence": 1, "lastEventSequence": 1, "entropy": "S0m3R4nd0mt3xt",
    }  # fmt: skip

    @pytest.fixture(autouse=True)
    def books(self, tmp_path: Path) -> Iterator[None]:
        """Let Xero keep its books while the checks are made."""
        self.xero = XeroPeer(tmp_path / "books")
        begin = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
        for number in range(130):
            told = an_invoice(InvoiceID=KNOWN) if not number else an_invoice()
            self.xero.books.put("Invoices", told, begin + timedelta(seconds=number))
        yield
        self.xero.server.server_close()
        self.xero.log.close()

    def signed(self, body: bytes, secret: str = SECRET) -> Incoming:
        made = base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
        return Incoming(body=body, headers={"x-xero-signature": made}, at=datetime.now(UTC))

    def serve(self, request: Request) -> Reply | None:
        if request.path == CONNECTIONS:
            return Reply(content=listed([("tenant-1", "Alpenkraut AG")]))
        return super().serve(request) if request.path == TOKEN else self.xero.handle(request)


@pytest.fixture
def accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[XeroPeer]:
    made = XeroPeer(tmp_path)
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


def xero(peer: XeroPeer, token: str = XeroPeer.token) -> Xero:
    told = {"url": peer.url + ROOT, "token": token, "tenant": "tenant-1"}
    return Xero(Config.model_validate(told))


def kinds(peer: XeroPeer) -> list[str]:
    return [entry.kind for entry in effects(peer.log.path)]


def test_a_proof_becomes_a_note_and_a_pdf_on_the_invoice_it_names(accounts: XeroPeer) -> None:
    receipt = xero(accounts).store(a_proof())
    attached, noted = effects(accounts.log.path)
    assert receipt.detail == "PDF attached and note added"
    assert receipt.ref == noted.sent["invoice"] == attached.sent["invoice"]
    assert noted.sent["number"] == "INV-1001"
    assert noted.sent["text"].startswith("POD:stp_1 #cdcdcd Delivered 23 Nov 2026 10:30")
    assert (noted.stop, noted.kind) == (attached.stop, "note") == ("stp_1", "note")
    stored = accounts.directory / "attachments" / attached.sent["sha256"]
    assert stored.read_bytes() == a_proof().files[0].content


def test_storing_again_with_another_key_adds_nothing(accounts: XeroPeer) -> None:
    xero(accounts).store(a_proof())
    again = xero(accounts).store(a_proof(key="another run"))
    assert again.detail == "was there"
    assert kinds(accounts) == ["attachment", "note"]


@pytest.mark.parametrize("lost", [1, 2])
def test_a_lost_reply_is_unknown_and_a_second_try_completes_the_record_once(
    accounts: XeroPeer, lost: int
) -> None:
    for _ in range(lost):
        accounts.mutes = 1
        with pytest.raises(Unknown):
            xero(accounts).store(a_proof())
    xero(accounts).store(a_proof())
    assert kinds(accounts) == ["attachment", "note"]
    assert duplicates(accounts.log.path) == 0


def test_the_writes_carry_keys_made_from_the_proofs_key(accounts: XeroPeer) -> None:
    xero(accounts).store(a_proof())
    sent = [entry.key for entry in effects(accounts.log.path)]
    assert sent == [key(a_proof(), "attachment"), key(a_proof(), "note")]
    assert all(0 < len(one) <= 128 for one in sent)


def test_a_proof_without_an_invoice_number_makes_no_call(accounts: XeroPeer) -> None:
    assert xero(accounts).store(a_proof(invoice="")).detail == "no invoice named"
    assert list(entries(accounts.log.path)) == []


def test_an_unknown_invoice_is_rejected_by_its_number(accounts: XeroPeer) -> None:
    with pytest.raises(Rejected, match="no invoice INV-0000") as caught:
        xero(accounts).store(a_proof(invoice="INV-0000"))
    assert caught.value.field == "invoice"


def test_a_second_attempt_at_the_same_stop_gets_its_own_note(accounts: XeroPeer) -> None:
    xero(accounts).store(a_proof(outcome="failed", summary="Nobody at home", files=()))
    xero(accounts).store(a_proof(key="k2", id="prf_2", sha256="ee" * 32, files=()))
    assert kinds(accounts) == ["note", "note"]


def test_a_note_is_never_longer_than_xero_keeps() -> None:
    proof = a_proof(summary="x" * 200, stop="stp_" + "0" * 26, tracking_url="https://h/" + "t" * 99)
    assert len(note(proof)) <= 250
    assert note(proof).endswith("x" * 200)


def test_the_name_of_the_file_tells_the_stop_and_fits_a_path() -> None:
    assert file_name(a_proof(), a_proof().files[0]) == "POD-stp_1-ababab.pdf"


def test_an_expired_token_is_unauthorized(accounts: XeroPeer) -> None:
    xero(accounts).check()
    accounts.expired.add(accounts.token)
    with pytest.raises(Unauthorized, match="Xero does not accept the credentials"):
        xero(accounts).store(a_proof())


def test_two_connections_never_share_a_token(accounts: XeroPeer) -> None:
    good, bad = xero(accounts), xero(accounts, "another token")
    accounts.expired.add("another token")
    first, second = good.accounting, bad.accounting
    first.one_invoice()
    with pytest.raises(Unauthorized):
        second.one_invoice()
    first.one_invoice()


def test_a_daily_limit_comes_back_at_once_with_its_waiting_time(accounts: XeroPeer) -> None:
    accounts.failures = [(429, 40_000)]
    with pytest.raises(Retry) as caught:
        xero(accounts).store(a_proof())
    assert caught.value.after == 40_000
    assert len(list(entries(accounts.log.path))) == 1


@pytest.mark.skipif(not SPEC.exists(), reason="Xero's specification is not in ../shared/peers/xero")
def test_every_call_is_one_that_xeros_specification_has(accounts: XeroPeer) -> None:
    import re

    import yaml

    xero(accounts).store(a_proof())
    xero(accounts).store(a_proof())
    spec: dict[str, Any] = yaml.load(
        SPEC.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    )
    known = {
        (method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/]+", path) + "$"))
        for path, methods in spec["paths"].items()
        for method in methods
    }
    for entry in entries(accounts.log.path):
        path = entry.path.removeprefix(ROOT)
        assert any(m == entry.method and p.match(path) for m, p in known), (entry.method, path)
