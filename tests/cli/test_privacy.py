"""`hub privacy`: a person gets a copy or is erased, from the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlmodel import select

from hub.cli import cli
from hub.hub import Hub
from hub.nouns import Location, Order
from hub.orders.cancellation import cancel
from hub.orders.intake import take
from hub.store import OrderRow, System
from hub.testing.fixtures import World


@pytest.fixture
def order(hub: Hub, world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the order of a person, in the hub that commands open."""
    for name, value in hub.settings.environ().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HUB_DIRECTORY", str(hub.settings.directory))
    said = Order(
        ref="1001", recipient={"name": "Rosa Beck", "email": "rosa@example.li"},
        location=Location(lat=47.1, lon=9.5),
    )  # fmt: skip
    with hub.store.write(System()) as session:
        return take(hub, session, world.merchant, "csv", said).id


def run(*words: str) -> str:
    result = CliRunner().invoke(cli, ["privacy", *words])
    assert result.exit_code == 0, result.output
    return result.output


def test_a_copy_is_written(order: str, tmp_path: Path) -> None:
    out = tmp_path / "rosa.json"
    said = run("export", "--email", "rosa@example.li", "--out", str(out))
    assert said == f"1 order written down into {out}\n"
    assert json.loads(out.read_text())["orders"][0]["name"] == "Rosa Beck"


def test_a_person_is_erased_once_nothing_is_to_be_delivered(hub: Hub, order: str) -> None:
    assert "still to be delivered" in run("erase", "--order", "1001", "--yes")
    with hub.store.write(System()) as session:
        cancel(session, order)
    said = run("erase", "--email", "rosa@example.li", "--merchant", "alpenkraut", "--yes")
    assert said == "1 order erased.\n"
    with hub.store.read() as session:
        assert session.exec(select(OrderRow)).one().name == ""
    assert [one["state"] for one in json.loads(run("list", "--json"))] == ["done", "partly"]
