"""What is connected is listed, shown, tested, paused and removed from the terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlmodel import select

from hub.cli import cli
from hub.errors import Missing, Refused
from hub.hub import Hub
from hub.store import ConnectionRow, System, WorkRow
from hub.testing.fixtures import World
from hub.testing.peers.sms import SmsPeer
from tests import needs

pytestmark = needs.plugins("sms", "woocommerce")

Command = Callable[..., Result]


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmsPeer]:
    made = SmsPeer(tmp_path / "sms")
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


@pytest.fixture
def texts(hub: Hub, gateway: SmsPeer) -> str:
    """Return the id of a connection in use."""
    return add(hub, gateway, "Texts")


def add(hub: Hub, gateway: SmsPeer, title: str, merchant: str | None = None) -> str:
    with hub.store.write(System()) as session:
        settings = {"url": gateway.url, "token": gateway.token}
        return hub.connections.save(
            session, "sms", settings, title=title, merchant=merchant
        ).id  # fmt: skip


def row_of(hub: Hub, id: str) -> ConnectionRow:
    with hub.store.read() as session:
        return session.get_one(ConnectionRow, id)


def test_the_list_says_how_each_one_stands(
    hub: Hub, world: World, command: Command, gateway: SmsPeer, texts: str
) -> None:
    other = add(hub, gateway, "Own texts", world.merchant)
    with hub.store.write(System()) as session:
        session.get_one(ConnectionRow, other).state = "degraded"
    rows = json.loads(command("connections", "list", "--json").stdout)
    assert [(row["id"], row["state"], row["merchant"]) for row in rows] == [
        (other, "degraded", "alpenkraut"), (texts, "healthy", "")
    ]  # fmt: skip
    assert "Own texts" in command("connections", "list").stdout


def test_an_empty_list_says_what_to_do(command: Command) -> None:
    assert "hub connect" in command("connections", "list").stderr


def test_one_is_shown_without_its_secrets(command: Command, texts: str, gateway: SmsPeer) -> None:
    done = command("connections", "show", texts)
    assert gateway.url in done.stdout
    assert gateway.token not in done.output
    found = json.loads(command("connections", "show", "sms", "--json").stdout)
    assert (found["secrets"], found["title"]) == (["token"], "Texts")


def test_one_is_tested_as_by_a_worker(
    hub: Hub, command: Command, texts: str, gateway: SmsPeer
) -> None:
    assert command("connections", "test", "Texts").stdout == "Texts works\n"
    assert row_of(hub, texts).checked_at is not None
    gateway.accepted.clear()
    failed = CliRunner().invoke(cli, ["connections", "test", texts, "--json"])
    told = json.loads(failed.stdout)
    assert (failed.exit_code, told["ok"], told["state"]) == (1, False, "action_needed")
    with hub.store.read() as session:
        assert {row.state for row in session.exec(select(WorkRow))} == {"done"}


def test_one_is_paused_and_resumed(hub: Hub, command: Command, texts: str) -> None:
    command("connections", "pause", texts)
    row = row_of(hub, texts)
    assert (row.enabled, row.paused_by) == (False, "cli")
    command("connections", "resume", texts)
    assert row_of(hub, texts).enabled


def test_one_is_removed_and_brought_back(hub: Hub, command: Command, texts: str) -> None:
    said = command("connections", "remove", texts, "--yes").stdout
    assert f"hub connections restore {texts}" in said
    assert json.loads(command("connections", "list", "--json").stdout) == []
    command("connections", "restore", texts)
    assert row_of(hub, texts).removed_at is None


def test_removal_is_asked_about(hub: Hub, command: Command, texts: str) -> None:
    done = CliRunner().invoke(cli, ["connections", "remove", texts], input="n\n")
    assert done.exit_code == 1
    assert row_of(hub, texts).removed_at is None


def test_a_name_has_to_be_of_one(hub: Hub, command: Command, gateway: SmsPeer, texts: str) -> None:
    other = add(hub, gateway, "More texts")
    with pytest.raises(Refused, match=f"{texts} .Texts., {other} .More texts."):
        command("connections", "show", "sms")
    with pytest.raises(Missing, match="hub connections list"):
        command("connections", "show", "nothing")


def test_a_new_webhook_address_is_printed_where_somebody_has_to_enter_it(
    hub: Hub, world: World, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind: Any = hub.plugins.connector("woocommerce")
    for verb in ("subscribe", "unsubscribe"):
        monkeypatch.delattr(kind, verb, raising=False)
    with hub.store.write(System()) as session:
        settings = {"url": "https://shop.example", "key": "ck_key-1", "secret": "cs_secret-1"}
        id = hub.connections.save(
            session, "woocommerce", settings, merchant=world.merchant
        ).id  # fmt: skip
    address = command("connections", "webhook", id).stdout.strip()
    assert address.startswith(f"{hub.settings.public_url}/hooks/{id}/")
    shown = json.loads(command("connections", "show", id, "--json").stdout)
    assert shown["webhook_addresses"] == 1
    for verb in ("subscribe", "unsubscribe"):
        monkeypatch.setattr(kind, verb, lambda self, hook: None, raising=False)
    with pytest.raises(Refused, match="sets up the webhooks of WooCommerce"):
        command("connections", "webhook", id)
