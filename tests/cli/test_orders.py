"""Files of orders from the terminal: how far they are, and what they wait for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from sqlmodel import select

from hub.cli import orders
from hub.errors import HubError
from hub.hub import Hub
from hub.queue.entry import work
from hub.queue.work import bury, claim
from hub.store import ImportRow, OrderRow
from hub.testing.fixtures import World
from hub.workflow.parts import assemble

Connect = Callable[..., Result]
FILE = """\
ref,name,address,postcode,city,country,lat,lon,service_date,item,sku,quantity
A-1,Anna Beck,Aeulestrasse 1,9490,Vaduz,LI,47.1391,9.5227,2026-11-24,Cheese,K-1,2
"""


@pytest.fixture
def words(hub: Hub, world: World, given: Path) -> tuple[str, ...]:
    """Return what imports a file of one order."""
    assemble(hub)
    path = given / "orders.csv"
    path.write_text(FILE)
    return "import", str(path), "--merchant", world.merchant


def meanwhile(monkeypatch: pytest.MonkeyPatch, *acts: Callable[[], object]) -> None:
    """Let things happen between one look at the import and the next."""
    left = list(acts)
    monkeypatch.setattr(orders, "pause", lambda: left.pop(0)() if left else pytest.fail("waits"))


def serve(hub: Hub) -> None:
    """Do what a worker of heavy work does."""
    for one in claim(hub.store, "heavy", "test"):
        work(hub, one)


def test_a_file_that_no_worker_takes_says_what_to_start_and_waits_on(
    hub: Hub, run: Connect, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "PATIENCE", 0.0)
    meanwhile(monkeypatch, lambda: None, lambda: serve(hub))
    said = run(*words)
    assert (said.exit_code, "1 created" in said.stdout) == (0, True)
    assert said.stderr.count("Start the hub with: hub up") == 1


def test_a_file_that_a_worker_takes_at_once_asks_for_nothing(
    hub: Hub, run: Connect, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, lambda: serve(hub))
    said = run(*words)
    assert (said.exit_code, said.stderr) == (0, "")


def test_a_file_behind_other_long_work_says_that_it_is_next(
    hub: Hub, run: Connect, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    from hub.queue import enqueue

    with hub.store.write() as session:
        enqueue(session, "plan", "pln_other", queue="heavy")
    claim(hub.store, "heavy", "another")
    monkeypatch.setattr(orders, "PATIENCE", 0.0)
    meanwhile(monkeypatch, lambda: serve(hub))
    said = run(*words).stderr
    assert "at other long work" in said
    assert "hub up" not in said


def test_control_c_leaves_the_import_to_the_worker(
    hub: Hub, run: Connect, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    meanwhile(monkeypatch, interrupt)
    said = run(*words)
    with hub.store.read() as session:
        row = session.exec(select(ImportRow)).one()
    assert (said.exit_code, row.state) == (130, "waiting")
    assert f"import {row.id} is kept and goes on by itself" in said.stderr
    serve(hub)
    with hub.store.read() as session:
        assert session.exec(select(OrderRow.ref)).all() == ["A-1"]


def test_an_import_that_was_given_up_is_not_waited_for(
    hub: Hub, run: Connect, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def give_up() -> None:
        (held,) = claim(hub.store, "heavy", "test")
        with hub.store.write() as session:
            bury(session, held, "the disk is full")

    meanwhile(monkeypatch, give_up)
    with pytest.raises(HubError, match="was given up: the disk is full"):
        run(*words)
