"""What the connector does in a whole hub, and that the page about it says what is true."""

from __future__ import annotations

import hmac
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlmodel import select
from werkzeug.serving import make_server

from hub.hub import Hub
from hub.queue import entry
from hub.store import ConnectionRow, OrderLineRow, OrderRow, RejectedRow, WorkRow
from hub.testing.fixtures import World
from hub.testing.patience import PATIENCE
from hub.testing.peers import Reply
from hub.web import create_app
from hub.workflow import incoming, previews, pulls
from hub.workflow.parts import assemble
from tests.builtin.generic.erp import FIELDS, TOKEN, ErpPeer, order
from tests.builtin.sftp_server import PASSWORD, USER, SftpPeer

PAGE = (Path(__file__).parents[3] / "docs" / "connectors" / "generic.md").read_text()
EXAMPLE = PAGE[PAGE.index("## A worked example") : PAGE.index("## News out")]
SECRET = "a-secret-of-the-erp"


def fenced(language: str) -> str:
    """Return what stands in the block of a language in the worked example."""
    found = re.search(rf"```{language}\n(.*?)```", EXAMPLE, re.S)
    assert found, language
    return found[1]


def mapped() -> dict[str, Any]:
    """Return the mapping of the worked example."""
    rows = re.findall(r"^\| ([a-z_.0-9]+) \| `(.+?)` \| (\w*) ?\|$", EXAMPLE, re.M)
    assert len(rows) > 15
    return {"rules": {name: {"path": path, "how": how} for name, path, how in rows}}


@pytest.fixture
def whole(hub: Hub) -> Hub:
    """Return the hub with all its parts."""
    assemble(hub)
    return hub


def connected(hub: Hub, world: World, **settings: Any) -> str:
    """Return the id of a connection that is in use and whose orders are due."""
    with hub.store.write() as session:
        row = hub.connections.save(session, "generic", settings, merchant=world.merchant)
        pulls.request(session, row.id)
        return row.id


def worker(hub: Hub) -> None:
    """Do what is due for the worker that calls other systems."""
    while entry.run(hub, "outward", "test"):
        hub.connections.spoilt = ""  # the peers answer in threads of this very process


def orders(hub: Hub) -> dict[str, OrderRow]:
    with hub.store.read() as session:
        return {row.ref: row for row in session.exec(select(OrderRow))}


def row_of(hub: Hub, id: str) -> ConnectionRow:
    with hub.store.read() as session:
        return session.get_one(ConnectionRow, id)


def from_erp(erp: ErpPeer, **more: Any) -> dict[str, Any]:
    return {"url": f"{erp.url}/api/orders?since={{since}}", "records": "data", "auth": "bearer",
            "token": TOKEN, "changed_path": "changed", "paging": "page", "fields": FIELDS,
            **more}  # fmt: skip


def test_ninety_nine_of_a_hundred_come_in_and_one_is_listed_with_its_field(
    whole: Hub, world: World, erp: ErpPeer
) -> None:
    erp.orders = [order(n) for n in range(1, 101)]
    erp.orders[41] = order(42, customer={})
    connected(whole, world, **from_erp(erp))
    worker(whole)
    assert len(orders(whole)) == 99
    with whole.store.read() as session:
        [row] = session.exec(select(RejectedRow)).all()
    assert (row.field, row.ref) == ("recipient.name", "A-00042")


def test_a_refused_token_needs_a_person_and_nothing_is_lost(
    whole: Hub, world: World, erp: ErpPeer
) -> None:
    erp.orders = [order(1)]
    id = connected(whole, world, **from_erp(erp, token="wrong-token-123"))
    worker(whole)
    assert row_of(whole, id).state == "action_needed"
    with whole.store.write() as session:
        whole.connections.save(session, "generic", from_erp(erp), merchant=world.merchant, id=id)
        pulls.request(session, id)
    worker(whole)
    assert set(orders(whole)) == {"A-00001"}


def test_a_limit_lets_the_reading_wait_as_long_as_it_says(
    whole: Hub, world: World, erp: ErpPeer
) -> None:
    erp.orders = [order(n) for n in range(1, 6)]
    id = connected(whole, world, **from_erp(erp))
    erp.failures = [(429, 90)]
    worker(whole)
    assert orders(whole) == {}
    row = row_of(whole, id)
    assert row.rests_until is not None
    assert row.rests_until > whole.store.clock.wall()
    assert row.state != "action_needed"


def test_a_worker_that_dies_in_mid_page_loses_nothing_and_doubles_nothing(
    whole: Hub, world: World, erp: ErpPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    erp.orders = [order(n) for n in range(1, 251)]
    id = connected(
        whole, world, **from_erp(erp, paging="none", url=f"{erp.url}/api/orders?size=999")
    )
    genuine, calls = pulls.store, iter(range(1000))

    def dying(*given: Any, **named: Any) -> int:
        if next(calls) == 2:
            raise SystemExit("killed")
        return genuine(*given, **named)

    monkeypatch.setattr(pulls, "store", dying)
    with pytest.raises(SystemExit):
        worker(whole)
    assert 0 < len(orders(whole)) < 250
    monkeypatch.setattr(pulls, "store", genuine)
    with whole.store.write() as session:
        for work in session.exec(select(WorkRow).where(WorkRow.kind == "pull")):
            session.delete(work)
        session.flush()
        pulls.request(session, id)
    worker(whole)
    assert sorted(orders(whole)) == [f"A-{n:05}" for n in range(1, 251)]
    with whole.store.read() as session:
        assert len(session.exec(select(OrderLineRow)).all()) == 250


def test_the_worked_example_is_read_by_http(whole: Hub, world: World, erp: ErpPeer) -> None:
    told = json.loads(fenced("json"))
    erp.answer = lambda _: Reply(content=json.dumps(told).encode())  # type: ignore[method-assign]
    connected(whole, world, **from_erp(erp, records="data.orders", paging="none", fields=mapped()))
    worker(whole)
    row = orders(whole)["A-1001"]
    assert (row.name, str(row.service_date)) == ("Anna Beck", "2026-11-23")
    assert row.window_start is not None
    assert row.cash_due is not None


@pytest.fixture
def served(whole: Hub) -> Iterator[str]:
    """Serve the hub on a free port; return its origin."""
    server = make_server("127.0.0.1", 0, create_app(whole), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def push(address: str) -> str:
    """Do what the worked example does in a shell; the same in here where there is none."""
    script = fenced("sh")
    if all(shutil.which(name) for name in ("sh", "curl", "openssl", "cut")):
        told = subprocess.run(
            ["sh", "-c", script], env={"PATH": "/usr/bin:/bin", "SECRET": SECRET,
                                       "ADDRESS": address},
            capture_output=True, text=True, timeout=3 * PATIENCE, check=True,
        )  # fmt: skip
        return told.stdout.strip()
    body = re.search(r"BODY='(.*?)'", script, re.S)[1].encode()  # type: ignore[index]
    signature = hmac.digest(SECRET.encode(), body, "sha256").hex()
    headers = {"X-Signature": f"sha256={signature}"}
    return str(requests.post(address, data=body, headers=headers, timeout=PATIENCE).status_code)


def test_the_worked_example_is_sent_by_webhook_and_mapped_by_what_came(
    whole: Hub, world: World, served: str
) -> None:
    hooks = {"hook_auth": "hmac", "hook_secret": SECRET, "hook_prefix": "sha256="}
    id = connected(whole, world, **hooks)
    with whole.store.write() as session:
        row = session.get_one(ConnectionRow, id)
        path = incoming.open_address(whole, session, row).partition("/hooks/")[2]
    assert push(f"{served}/hooks/{path}") == "200"
    worker(whole)
    assert orders(whole) == {}, "nobody has mapped anything yet"
    with whole.store.write() as session:
        previews.request(session, id, "test")
    worker(whole)
    with whole.store.read() as session:
        found = previews.found(whole, previews.find(session, id, "test"))
    assert found["records"][0]["customer"]["fullName"] == "Ben Vogt"
    with whole.store.write() as session:
        whole.connections.save(
            session, "generic", {**hooks, "fields": mapped()}, merchant=world.merchant, id=id
        )
    body = json.loads(re.search(r"BODY='(.*?)'", fenced("sh"), re.S)[1])  # type: ignore[index]
    text = json.dumps({**body, "orderNo": "A-1004"}).encode()
    signature = hmac.digest(SECRET.encode(), text, "sha256").hex()
    for sign, wanted in ((signature, 200), (signature, 200), ("0" * 64, 401)):
        answer = requests.post(
            f"{served}/hooks/{path}", data=text, headers={"X-Signature": f"sha256={sign}"},
            timeout=PATIENCE,
        )  # fmt: skip
        assert answer.status_code == wanted
    worker(whole)
    assert set(orders(whole)) == {"A-1004"}
    assert orders(whole)["A-1004"].name == "Ben Vogt"


def test_the_worked_example_is_read_by_sftp(whole: Hub, world: World, sftp: SftpPeer) -> None:
    (sftp.root / "orders").mkdir()
    (sftp.root / "orders" / "orders-1.csv").write_text(fenced("csv"))
    connected(
        whole, world, url=f"sftp://127.0.0.1:{sftp.port}/orders", user=USER, password=PASSWORD,
        fingerprint=sftp.fingerprint, format="csv", pattern="orders-*.csv", ready="renamed",
    )  # fmt: skip
    worker(whole)
    row = orders(whole)["A-1003"]
    assert row.name == "Clara Frick"
    with whole.store.read() as session:
        lines = session.exec(select(OrderLineRow).where(OrderLineRow.order == row.id)).all()
    assert sorted(line.name for line in lines) == ["Herb salt", "Herb tea"]
