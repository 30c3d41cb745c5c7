"""A connection is set up from the terminal: asked for, tested, looked at, enabled."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlmodel import select

from hub.cli import connect, setup, trials
from hub.fleet import roster
from hub.hub import Hub
from hub.store import ConnectionRow, OrderRow, System, WorkRow
from hub.testing.fixtures import World
from hub.testing.patience import PATIENCE
from hub.testing.peers.consent import ConsentPeer
from hub.testing.peers.shipstation import ShipStationPeer
from hub.testing.peers.sms import SmsPeer
from hub.testing.peers.xero import XeroPeer
from tests import needs

pytestmark = needs.plugins("shipstation", "sms", "xero")

Connect = Callable[..., Result]


@pytest.fixture
def station(tmp_path: Path, serve: Callable[..., None]) -> ShipStationPeer:
    made = ShipStationPeer(tmp_path / "station")
    serve(made)
    return made


@pytest.fixture
def keyed(
    station: ShipStationPeer, given: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, ...]:
    """Return words that connect an account without a secret on the command line."""
    (given / "secret").write_text(f"{station.secret}\n")
    monkeypatch.setenv("HUB_CONNECT_KEY", station.key)
    return ("connect", "shipstation", "--url", station.url,
            "--set-file", f"secret={given / 'secret'}")  # fmt: skip


def connections(hub: Hub) -> list[ConnectionRow]:
    with hub.store.read() as session:
        return list(session.exec(select(ConnectionRow)))


def waiting(hub: Hub, kind: str) -> int:
    with hub.store.read() as session:
        rows = session.exec(select(WorkRow).where(WorkRow.kind == kind, WorkRow.state == "ready"))
        return len(list(rows))


def another_merchant(hub: Hub) -> None:
    with hub.store.write(System()) as session:
        roster.add_merchant(session, "Bergblick")


def test_without_a_name_it_lists_what_can_be_connected(run: Connect) -> None:
    said = run("connect").stdout
    assert "shipstation" in said
    assert "connects by consent" in said
    found = {one["name"]: one for one in json.loads(run("connect", "--json").stdout)}
    assert found["sms"]["kind"] == "Messages"
    (key,) = [one for one in found["shipstation"]["settings"] if one["name"] == "key"]
    assert (key["kind"], key["required"]) == ("password", True)
    assert "csv" not in found


def test_the_settings_of_a_connector_are_its_options(run: Connect) -> None:
    said = run("connect", "shipstation", "--help").stdout
    for text in (
        "--key",
        "--mark-when",
        "[dispatched|delivered]",
        "--notify-customer / --no-",
        "-m",
    ):
        assert text in said
    assert "--webhook-keys" not in said


def test_a_shop_is_tested_shown_and_put_into_use(
    hub: Hub, world: World, run: Connect, station: ShipStationPeer, keyed: tuple[str, ...]
) -> None:
    station.add(orderNumber="A-17")
    station.add(shipTo=None)
    done = run(*keyed, "--title", "Our ShipStation", "--yes")
    assert done.exit_code == 0, done.output
    assert "Number     A-17 (1000)" in done.stdout
    assert "3 x Tea" in done.stdout
    assert "What would come in: 1 new, 0 changed, 0 unchanged" in done.stdout
    assert "refused: order N-1001" in done.stdout
    assert "Our ShipStation is in use. Its first orders are being read." in done.stdout
    (row,) = connections(hub)
    assert (row.enabled, row.state, row.merchant) == (True, "healthy", world.merchant)
    assert (waiting(hub, "pull"), waiting(hub, "preview")) == (1, 0)
    with hub.store.read() as session:
        assert list(session.exec(select(OrderRow))) == []
    assert station.secret not in done.output
    assert "warning" not in done.stderr


def test_programs_read_one_object(
    world: World, run: Connect, station: ShipStationPeer, keyed: tuple[str, ...]
) -> None:
    station.add()
    done = run(*keyed, "--yes", "--json")
    told = json.loads(done.stdout)
    assert (told["ok"], told["enabled"], told["state"]) == (True, True, "healthy")
    assert told["test"]["order"]["ref"] == "1000"
    assert told["would"]["new"] == 1
    assert "is in use" in done.stderr


def test_a_person_is_asked_for_what_is_missing_and_before_it_is_enabled(
    hub: Hub, world: World, run: Connect, station: ShipStationPeer, person: None
) -> None:
    done = run("connect", "shipstation", "--url", station.url,
               said=f"{station.key}\n{station.secret}\ny\n")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "API key" in done.stderr
    assert "version 1 needs the API secret" in done.stderr
    assert "Enable? [Y/n]" in done.stderr
    assert station.secret not in done.output
    assert connections(hub)[0].enabled


def test_a_person_who_says_no_keeps_a_draft_and_goes_on_with_it(
    hub: Hub, world: World, run: Connect, station: ShipStationPeer, keyed: tuple[str, ...],
    person: None,
) -> None:  # fmt: skip
    done = run(*keyed, said="n\n")
    (row,) = connections(hub)
    assert (done.exit_code, row.state) == (setup.LEFT, "not_set_up")
    assert f"hub connect shipstation --id {row.id} --yes" in done.stdout
    done = run("connect", "shipstation", "--id", row.id, "--currency", "EUR", "--yes")
    assert done.exit_code == 0, done.output
    (row,) = connections(hub)
    assert (row.enabled, row.config["currency"], row.config["url"]) == (True, "EUR", station.url)
    done = run("connect", "shipstation", "--id", row.id)
    assert (done.exit_code, "set up already" in done.stderr) == (1, True)


def test_without_a_person_nothing_is_enabled_that_was_not_asked_for(
    hub: Hub, world: World, run: Connect, keyed: tuple[str, ...]
) -> None:
    assert run(*keyed).exit_code == setup.LEFT
    assert not connections(hub)[0].enabled


def test_a_setting_that_is_missing_is_named_with_the_ways_to_give_it(
    hub: Hub, world: World, run: Connect, station: ShipStationPeer
) -> None:
    done = run("connect", "shipstation", "--url", station.url)
    assert done.exit_code == 2
    for text in ("key (API key", "API Settings", "--set-file key=PATH", "HUB_CONNECT_KEY"):
        assert text in done.stderr.replace("\n", " ")
    told = json.loads(run("connect", "shipstation", "--json").stdout)
    assert (told["ok"], connections(hub)) == (False, [])


def test_a_setting_that_is_refused_is_named_with_what_to_do(
    world: World, run: Connect, keyed: tuple[str, ...]
) -> None:
    done = run(*keyed, "--currency", "euros")
    assert done.exit_code == 1
    assert "currency" in done.stderr
    assert "--set currency=VALUE" in done.stderr
    told = json.loads(run(*keyed, "--currency", "euros", "--json").stdout)
    assert (told["ok"], told["field"]) == (False, "currency")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--set", "nothing=1"), "has no setting nothing"),
        (("--set", "currency"), "SETTING=VALUE"),
        (("--set-file", "key=/no/such/file"), "cannot be read"),
        (("--set", "note=perhaps"), "say yes or no"),
        (("--mark-when", "soon"), "'soon' is not one of"),
        (("--merchant", "nobody"), "nobody"),
    ],
)
def test_wrong_words_are_told(
    hub: Hub, world: World, run: Connect, keyed: tuple[str, ...], words: tuple[str, ...], text: str
) -> None:
    done = run(*keyed, *words)
    assert done.exit_code in (1, 2)
    assert text in done.stderr
    assert connections(hub) == []


def test_an_unknown_connector_is_told_with_the_one_that_was_meant(run: Connect) -> None:
    done = run("connect", "shipstaton")
    assert done.exit_code == 2
    assert "did you mean shipstation?" in done.stderr


def test_a_secret_on_the_command_line_is_taken_and_warned_of(
    world: World, run: Connect, keyed: tuple[str, ...], station: ShipStationPeer
) -> None:
    for words in (("--key", station.key), ("--set", f"key={station.key}")):
        done = run(*keyed, *words)
        assert "shell's history" in done.stderr
        assert station.key not in done.output


def test_secrets_come_by_stdin_line_by_line(
    world: World, run: Connect, station: ShipStationPeer
) -> None:
    done = run("connect", "shipstation", "--url", station.url, "--set-file", "key=-",
               "--set-file", "secret=-", "--yes",
               said=f"{station.key}\n{station.secret}\n")  # fmt: skip
    assert done.exit_code == 0, done.output


def test_credentials_that_are_refused_keep_a_draft_and_say_how_to_go_on(
    hub: Hub, world: World, run: Connect, keyed: tuple[str, ...], station: ShipStationPeer
) -> None:
    done = run(*keyed, "--set", "key=another-key-1", "--yes")
    (row,) = connections(hub)
    assert (done.exit_code, row.state, row.enabled) == (setup.UNTESTED, "not_set_up", False)
    assert "does not accept the credentials" in done.stderr
    assert f"hub connect shipstation --id {row.id}" in done.stderr
    told = json.loads(run(*keyed, "--set", "key=another-key-1", "--json").stdout)
    assert (told["ok"], told["test"]["kind"]) == (False, "unauthorized")
    assert run("connect", "shipstation", "--id", row.id, "--yes").exit_code == 0


def test_orders_need_a_merchant_that_is_named_where_there_are_several(
    hub: Hub, world: World, run: Connect, keyed: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    another_merchant(hub)
    done = run(*keyed, "--yes")
    assert done.exit_code == 2
    assert "alpenkraut, bergblick" in done.stderr
    assert run(*keyed, "--yes", "--merchant", "bergblick").exit_code == 0
    monkeypatch.setattr(connect, "is_asked", lambda: True)
    assert run(*keyed, "--yes", said="alpenkraut\n").exit_code == 0
    owners = {row.merchant for row in connections(hub)}
    assert (len(owners), world.merchant in owners) == (2, True)


def test_without_any_merchant_it_says_how_to_add_one(
    hub: Hub, run: Connect, keyed: tuple[str, ...]
) -> None:
    done = run(*keyed, "--yes")
    assert (done.exit_code, "hub merchant add" in done.stderr) == (1, True)


def test_a_gateway_serves_all_merchants_unless_one_is_named(
    hub: Hub, world: World, run: Connect, tmp_path: Path, given: Path, serve: Callable[..., None]
) -> None:
    peer = SmsPeer(tmp_path / "sms")
    serve(peer)
    (given / "token").write_text(peer.token)
    words = ("connect", "sms", "--url", peer.url, "--set-file", f"token={given / 'token'}")
    done = run(*words, "--yes")
    assert done.exit_code == 0, done.output
    assert "Workflows that use it:" in done.stdout
    assert run(*words, "--yes", "--merchant", "alpenkraut").exit_code == 0
    assert {row.merchant for row in connections(hub)} == {None, world.merchant}


@pytest.fixture
def books(tmp_path: Path, serve: Callable[..., None]) -> tuple[ConsentPeer, tuple[str, ...]]:
    """Return Xero's sign-in and words that connect to it."""
    identity, accounts = ConsentPeer(tmp_path / "identity"), XeroPeer(tmp_path / "accounts")
    serve(identity, accounts)
    words = ("connect", "xero", "--client-id", identity.client, "--url",
             f"{accounts.url}/api.xro/2.0", "--set", f"login_url={identity.url}/authorize",
             "--set", f"identity_url={identity.url}/token",
             "--set", f"connections_url={identity.url}/connections")  # fmt: skip
    return identity, words


def test_a_consent_is_waited_for_and_then_the_set_up_goes_on(
    hub: Hub,
    world: World,
    run: Connect,
    books: tuple[ConsentPeer, tuple[str, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    identity, words = books

    def consent() -> None:
        """Connect, as somebody does on the page meanwhile."""
        with hub.store.read() as session:
            row = session.exec(select(ConnectionRow)).one()
            made: Any = hub.connections.build(session, row)
        grant = made.exchange(identity.give())
        with hub.store.write(System()) as session:
            hub.connections.grant(session, row.id, grant)

    monkeypatch.setattr(setup, "pause", consent)
    done = run(*words, "--yes", "--wait", "5")
    assert done.exit_code == 0, done.output
    (row,) = connections(hub)
    page = f"{hub.settings.public_url}/admin/connections/{row.id}/setup/connect"
    assert page in done.stdout
    assert "/admin/connections/callback" in done.stdout
    assert (row.enabled, row.state) == (True, "healthy")


def test_a_consent_that_nobody_gives_is_left_for_later(
    hub: Hub,
    world: World,
    run: Connect,
    books: tuple[ConsentPeer, tuple[str, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, words = books
    waited: list[str] = []
    monkeypatch.setattr(setup, "pause", lambda: waited.append("a second"))
    done = run(*words, "--wait", "3", "--yes", "--json")
    assert len(waited) == 3
    told = json.loads(done.stdout)
    (row,) = connections(hub)
    assert (done.exit_code, row.enabled) == (setup.LEFT, False)
    assert told["next"] == f"hub connect xero --id {row.id}"
    assert told["consent"].endswith(f"{row.id}/setup/connect")
    assert run("connect", "xero", "--id", row.id, "--yes").exit_code == setup.LEFT
    assert len(waited) == 3, "nobody is at the terminal, so nobody is waited for"


def test_a_connector_that_gives_no_answer_is_left_alone(
    hub: Hub, world: World, run: Connect, keyed: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    gate = threading.Event()
    monkeypatch.setattr(trials, "LONGEST", 0.2)
    monkeypatch.setattr(trials, "TICK", 0.05)
    monkeypatch.setattr(trials.previews, "work", lambda *_: gate.wait(PATIENCE))
    done = run(*keyed, "--yes")
    gate.set()
    assert done.exit_code == 1
    assert "no answer within" in done.stderr
    assert connections(hub)[0].state == "not_set_up"


def test_no_worker_makes_the_same_test_as_well(
    hub: Hub, world: World, run: Connect, keyed: tuple[str, ...], station: ShipStationPeer
) -> None:
    run(*keyed, "--yes")
    asked = [one.path for one in station.requests]
    assert asked.count("/accounts/listtags") == 1
    assert waiting(hub, "preview") == 0
