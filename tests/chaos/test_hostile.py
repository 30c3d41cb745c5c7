"""A hub beside a plugin that misbehaves: it stays up, other connections work, no secret is told."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
import requests
import sqlalchemy
from sqlmodel import SQLModel, select

from hub.access import tokens, users
from hub.cli.ports import free_port
from hub.events import append
from hub.events.catalogue import OrderReceived
from hub.events.facts import CustomerFacts, MerchantFacts, OrderFacts
from hub.hub import Hub
from hub.orders import geocoding
from hub.store import (
    ConnectionRow,
    EffectRow,
    FlagRow,
    MerchantRow,
    OrderRow,
    Session,
    StepAttemptRow,
    WorkRow,
)
from hub.testing.fixtures import MORNING, World
from hub.testing.patience import PATIENCE
from hub.testing.peers.sms import SmsPeer
from hub.workflow import checks, pulls
from hub.workflow.library import save
from hub.workflow.parts import assemble

from .conftest import Plant

pytestmark = pytest.mark.chaos
SOURCE = Path(__file__).parents[1] / "hostile"
SECRET = "hst-4f1d9e77c0aa52b6"
DEEDS = [
    "hang", "spin", "eat", "hoard", "fail", "mute", "leave", "interrupt", "base", "vanish", "kill",
    "crash", "tell", "shout", "fork", "thread", "close", "nonsense", "huge",
]  # fmt: skip
HANGING = {"hang", "spin"}
TOLD = """
workflow: told
on: [{event: order.received}]
steps:
  - id: sms
    use: notify.sms
    with: {to: "{{ event.customer.phone }}", text: "Order {{ event.order.ref }} is here"}
    retry: {max: 1, backoff: fixed, delay: 1s}
"""


@dataclass
class Yard:
    """A hub with a good connection, and hostile ones of other merchants."""

    hub: Hub
    plant: Plant
    peer: SmsPeer
    merchant: str
    log: Path
    port: int = 0
    hostile: dict[str, str] = field(default_factory=dict)
    """Deed -> the id of the connection that does it."""

    def add(self, deed: str, call: str = "send") -> str:
        """Add a merchant whose connection does a deed; return the merchant."""
        with self.hub.store.write() as session:
            merchant = MerchantRow(name=f"Shop {deed}", slug=deed)
            session.add(merchant)
            session.flush()
            settings = {"deed": deed, "call": call, "token": SECRET}
            row = self.hub.connections.save(
                session, "hostile", settings, merchant=merchant.id, title=f"Hostile {deed}"
            )
            row.pull_at = session.wall + timedelta(hours=1)  # read when a test says so
            self.hostile[deed] = row.id
            return merchant.id

    def order_comes(self, merchant: str, ref: str) -> None:
        """Let an order of a merchant be received."""
        order = OrderFacts(id=f"ord_{ref}", ref=ref, total_minor=1200)
        with self.hub.store.write() as session:
            append(
                session,
                OrderReceived(
                    subject=order.id,
                    merchant_id=merchant,
                    order=order,
                    merchant=MerchantFacts(id=merchant, name="Shop"),
                    customer=CustomerFacts(name="Rosa Beck", phone="+41791234567"),
                ),
            )

    def run(self, *words: str, **more: str) -> subprocess.Popen[bytes]:
        """Start one of the hub's own processes."""
        limits = {"HUB_OUTWARD_SECONDS": "8", "HUB_WORKER_MEGABYTES": "1024"}
        return self.plant.start(*words, program=("-m", "hub"), **limits, **more)

    def row(self, deed: str) -> ConnectionRow:
        """Return a hostile connection as it is now."""
        with self.hub.store.read() as session:
            return session.get_one(ConnectionRow, self.hostile[deed])

    def attempts(self, deed: str) -> list[StepAttemptRow]:
        """Return how the tries through a connection ended."""
        with self.hub.store.read() as session:
            query = select(StepAttemptRow).join(EffectRow, EffectRow.id == StepAttemptRow.effect)
            return list(session.exec(query.where(EffectRow.connection == self.hostile[deed])))

    def texts(self) -> list[str]:
        """Return the messages that the good gateway has sent."""
        return [entry.sent["text"] for entry in self.peer.sent]

    def page(self) -> str:
        """Return the page of connections, as its owner gets it from the hub's own web process."""
        root = f"http://127.0.0.1:{self.port}"
        with self.hub.store.write() as session:
            user = users.add_user(session, f"owner{len(self.log.name)}@example.com", "owner")
            session.flush()
            token = tokens.issue(session, "sign_in", user.id)
        with requests.Session() as browser:
            form = browser.get(f"{root}/sign-in/{token}", timeout=PATIENCE).text
            hidden = dict(re.findall(r'name="(csrf_token)"[^>]* value="([^"]*)"', form))
            browser.post(f"{root}/sign-in/{token}", data=hidden, timeout=PATIENCE)
            assert requests.get(f"{root}/healthz", timeout=PATIENCE).status_code == 200
            reply = browser.get(f"{root}/admin/connections", timeout=PATIENCE)
        assert reply.status_code == 200
        return reply.text

    def told(self) -> str:
        """Return everything that the hub has written anywhere: its log and its database."""
        found = [self.log.read_text(errors="replace")]
        with self.hub.store.read() as session:
            for table in SQLModel.metadata.sorted_tables:
                rows = session.connection().execute(sqlalchemy.select(table)).mappings()
                found += [json.dumps({k: str(v) for k, v in row.items()}) for row in rows]
        return "\n".join(found)


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the hostile plugin be found as if it were installed, here and by every process."""
    project = tomllib.loads((SOURCE / "pyproject.toml").read_text())["project"]
    info = tmp_path / "site" / "hub_hostile-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hub-hostile\nVersion: 0.1.0\n")
    points = project["entry-points"]["hub"]
    lines = "".join(f"{point} = {module}\n" for point, module in points.items())
    (info / "entry_points.txt").write_text(f"[hub]\n{lines}")
    for place in (str(SOURCE), str(info.parent)):
        monkeypatch.syspath_prepend(place)
    before = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(info.parent), str(SOURCE), before]))
    monkeypatch.setenv("HUB_PLUGIN_SECONDS", "60")


@pytest.fixture
def yard(
    installed: None, hub: Hub, world: World, plant: Plant, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Yard]:  # fmt: skip
    """Return a hub with one good connection to a gateway on loopback."""
    peer = SmsPeer(tmp_path / "peer")
    peer.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{peer.port}")
    assemble(hub)
    with hub.store.write() as session:
        settings = {"url": peer.url, "token": peer.token}
        hub.connections.save(session, "sms", settings, merchant=world.merchant, title="Good")
        save(hub, session, TOLD)
    log = tmp_path / "hub.log"
    with log.open("wb") as plant.log:
        yield Yard(hub, plant, peer, world.merchant, log)
    peer.stop()


def ended(session: Session, kind: str) -> bool:
    """Say whether no work of a kind is due or being done."""
    query = select(WorkRow.id).where(WorkRow.kind == kind)
    open_ = query.where(WorkRow.state.in_(["ready", "leased"]))  # type: ignore[attr-defined]
    return session.exec(open_.limit(1)).first() is None


def wait_until_ended(yard: Yard, kind: str) -> None:
    def over() -> bool:
        with yard.hub.store.read() as session:
            return ended(session, kind)

    yard.plant.wait(over)


def test_whatever_a_call_does_the_next_connection_s_message_goes_out(yard: Yard) -> None:
    yard.port = free_port(25_000 + os.getpid() % 3000)
    services = [
        yard.run("dispatcher"), yard.run("worker", "fast"),
        yard.run("web", "--port", str(yard.port)),
    ]  # fmt: skip
    for deed in DEEDS:
        yard.order_comes(yard.add(deed), deed)
    yard.order_comes(yard.merchant, "good")
    services.append(yard.run("worker", "outward"))
    yard.plant.wait(lambda: yard.texts() == ["Order good is here"])
    yard.plant.wait(lambda: all(yard.attempts(deed) for deed in DEEDS))
    yard.order_comes(yard.merchant, "later")
    yard.plant.wait(lambda: len(yard.texts()) == 2)
    assert [service.poll() for service in services] == [None] * len(services)
    page = yard.page()
    outcomes = {deed: [one.outcome for one in yard.attempts(deed)] for deed in DEEDS}
    for deed in ("hang", "spin", "vanish", "kill", "crash"):
        assert outcomes[deed][0] == "lost", outcomes
    assert outcomes["eat"][0] in ("error", "lost")  # it may leave no memory to write that down
    for deed in ("fail", "mute", "leave", "interrupt", "base", "tell", "nonsense"):
        assert outcomes[deed][0] == "error", outcomes
    for deed in ("hoard", "shout", "fork", "thread", "huge"):
        assert outcomes[deed] == ["ok"], (deed, outcomes[deed])
    for deed in HANGING:
        assert "took longer than it may" in yard.row(deed).reason
        assert yard.row(deed).rests_until is not None
        assert f"Hostile {deed}" in page
    assert page.count("took longer than it may") >= len(HANGING)
    assert "left_behind" not in processes()
    assert SECRET not in page
    assert SECRET not in yard.told()
    assert yard.log.stat().st_size < 1_000_000


def processes() -> str:
    """Return nothing but the orphans of this test's workers: children that a deed left behind."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            environ = (entry / "environ").read_bytes()
        except OSError:
            continue
        if parent == 1 and str(SOURCE).encode() in environ:
            found.append("left_behind")
    return " ".join(found)


def test_whatever_a_check_does_its_card_says_so_and_the_good_one_is_checked(yard: Yard) -> None:
    yard.run("dispatcher")
    wrong = [deed for deed in DEEDS if deed not in ("hoard", "shout", "fork", "thread", "huge")]
    wrong.remove("nonsense")
    for deed in wrong:
        yard.add(deed, "check")
    with yard.hub.store.write() as session:
        for row in session.exec(select(ConnectionRow)).all():
            checks.request(session, row.id)
    worker = yard.run("worker", "outward")
    wait_until_ended(yard, checks.KIND)
    assert worker.poll() is None
    with yard.hub.store.read() as session:
        rows = {row.title: row for row in session.exec(select(ConnectionRow))}
    good = rows.pop("Good")
    assert (good.state, good.reason) == ("healthy", "")
    for title, row in rows.items():
        assert row.state == "degraded", title
        assert row.reason.startswith("The last check failed: "), title
        assert row.checked_at is not None
    assert "no answer" in rows["Hostile hang"].reason
    assert "tried to end its worker with SystemExit" in rows["Hostile leave"].reason
    assert "ValueError: cannot sign in with •••" in rows["Hostile fail"].reason
    assert SECRET not in yard.told()


def test_whatever_a_source_yields_it_is_told_and_nothing_of_it_is_taken(yard: Yard) -> None:
    yard.run("dispatcher")
    deeds = ["hang", "fail", "leave", "nonsense", "nothing", "endless", "kill"]
    for deed in deeds:
        yard.add(deed, "pull")
    with yard.hub.store.write() as session:
        for id in yard.hostile.values():
            pulls.request(session, id)
    worker = yard.run("worker", "outward")
    wait_until_ended(yard, pulls.KIND)
    assert worker.poll() is None
    for deed in deeds:
        assert yard.row(deed).state == "degraded", deed
        assert yard.row(deed).reason.startswith("Its orders could not be read: "), deed
    assert "yielded a str, not an Order or a Cursor" in yard.row("nonsense").reason
    assert "10,001 records without a Cursor" in yard.row("endless").reason
    assert "took longer than it may" in yard.row("hang").reason
    with yard.hub.store.read() as session:
        assert session.exec(select(FlagRow)).all() == []
        assert session.exec(select(OrderRow)).all() == []
    assert SECRET not in yard.told()


def test_whatever_a_geocoder_does_its_orders_wait_for_a_person_and_the_others_go_on(
    yard: Yard,
) -> None:
    yard.run("dispatcher")
    deeds = ["fail", "nonsense", "hang"]
    orders = {}
    for deed in deeds:
        merchant = yard.add(deed, "locate")
        with yard.hub.store.write() as session:
            order = OrderRow(
                source="test", ref=deed, state="needs_address", merchant=merchant,
                service_date=MORNING.date(),
                address={"line1": f"Gasse {deed}", "city": "Vaduz"}, received_at=MORNING,
                updated_at=MORNING,
            )  # fmt: skip
            session.add(order)
            session.flush()
            orders[deed] = order.id
            geocoding.ask(session, order.id)
    yard.run("worker", "outward")
    yard.plant.wait(lambda: yard.row("hang").rests_until is not None)
    yard.plant.wait(lambda: all(reason_of(yard, orders[deed]) for deed in ("fail", "nonsense")))
    assert "It did not answer" in yard.row("hang").reason
    assert "returned a str, which is no Location" in reason_of(yard, orders["nonsense"])
    assert SECRET not in yard.told()


def reason_of(yard: Yard, order: str) -> str:
    with yard.hub.store.read() as session:
        return session.get_one(OrderRow, order).reason


def test_a_plugin_that_cannot_be_imported_is_named_and_the_others_load(yard: Yard) -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "hub", "plugin", "list", "--json"], capture_output=True, text=True,
        timeout=2 * PATIENCE, check=True,
    ).stdout  # fmt: skip
    errors = {row["name"]: row["error"] for row in json.loads(listed)}
    assert errors["hostile_raises"] == "ValueError: nobody can import this"
    assert errors["hostile_exits"] == "SystemExit: the hub shall end"
    assert errors["hostile_hangs"] == "TimeoutError: it took longer than 60 seconds"
    assert "which is no Connector class" in errors["hostile_lies"]
    assert (errors["hostile"], errors["sms"]) == ("", "")
