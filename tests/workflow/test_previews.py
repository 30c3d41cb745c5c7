"""A connection is tried in a worker before it is used: one sample, a dry run, nothing taken in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import update

from hub import orders
from hub.connections import removal
from hub.errors import Rejected, Unauthorized
from hub.nouns import Order, RefusedRow
from hub.plugins import Plugin
from hub.queue.work import claim
from hub.store import ConnectionRow, EffectRow, OrderRow, PreviewRow, RunRow, System
from hub.workflow import checks, previews, pulls
from tests.workflow.test_pulls import Shop, order

from .conftest import Toys


@pytest.fixture
def shop(toys: Toys) -> type[Shop]:
    Shop.pages, Shop.asked = [], []
    plugin = Plugin(name="shop", distribution="", version="")
    plugin.connectors["shop"] = Shop
    plugin.kinds["shop"] = {"order_sources"}
    toys.hub.plugins.plugins["shop"] = plugin
    orders.register(toys.hub)
    return Shop


def draft(toys: Toys, connector: str = "shop") -> str:
    with toys.hub.store.write(System()) as session:
        saved = toys.hub.connections.save(
            session, connector, {}, merchant=toys.merchant, draft=True
        )
        return saved.id


def look(toys: Toys, id: str, stage: previews.Stage) -> tuple[PreviewRow, dict[str, Any]]:
    """Ask for a preview, let a worker make it and return it with what it found."""
    with toys.hub.store.write(System()) as session:
        previews.request(session, id, stage)
    toys.tick()
    with toys.hub.store.read() as session:
        row = previews.find(session, id, stage)
    assert row is not None
    return row, previews.found(toys.hub, row)


def test_a_test_shows_the_first_order_as_the_source_says_it(toys: Toys, shop: type[Shop]) -> None:
    bad = RefusedRow(line=1, reason="order 1 has no address")
    shop.pages = [[bad], [order("2"), order("3")]]
    row, found = look(toys, draft(toys), "test")
    assert (row.state, row.error) == ("done", "")
    assert found["order"] == {"ref": "2"}
    assert found["refused"] == "order 1 has no address"
    assert toys.rows(OrderRow) == []


def test_what_is_kept_is_encrypted(toys: Toys, shop: type[Shop]) -> None:
    shop.pages = [[Order.model_validate({"ref": "2", "recipient": {"name": "Anna Beck"}})]]
    row, found = look(toys, draft(toys), "test")
    assert found["order"]["recipient"]["name"] == "Anna Beck"
    assert "Anna" not in row.sealed


def test_a_shop_without_orders_is_fine(toys: Toys, shop: type[Shop]) -> None:
    row, found = look(toys, draft(toys), "test")
    assert (row.state, found["order"]) == ("done", None)


def test_a_channel_is_only_checked(toys: Toys) -> None:
    row, found = look(toys, draft(toys, "toy"), "test")
    assert (row.state, set(found)) == ("done", {"milliseconds"})


@pytest.mark.parametrize(
    ("error", "kind", "field"),
    [
        (Unauthorized("the key was refused"), "unauthorized", ""),
        (Rejected("there is no such shop", "url"), "rejected", "url"),
        (KeyError("node"), "error", ""),
    ],
)
def test_what_went_wrong_is_kept_with_its_kind_and_field(
    toys: Toys, shop: type[Shop], error: Exception, kind: str, field: str
) -> None:
    shop.pages = [[error]]
    id = draft(toys)
    row, found = look(toys, id, "test")
    assert (row.state, row.kind, row.field, found) == ("failed", kind, field, {})
    assert toys.rows(ConnectionRow, id=id)[0].state == "not_set_up"


def test_a_call_that_hangs_until_its_worker_is_ended_is_told(toys: Toys, shop: type[Shop]) -> None:
    id = draft(toys)
    with toys.hub.store.write(System()) as session:
        previews.request(session, id, "test")
    (held,) = claim(toys.hub.store, "outward", "test")
    previews.work(toys.hub, replace(held, losses=checks.SILENT))
    (row,) = toys.rows(PreviewRow)
    assert (row.state, row.kind, row.error) == ("failed", "retry", checks.NO_ANSWER)
    assert shop.asked == []


def test_a_dry_run_counts_what_would_come_in_with_the_rules(toys: Toys, shop: type[Shop]) -> None:
    bad = RefusedRow(line=1, reason="order 9 has no address")
    shop.pages = [[order("1"), order("2"), bad], [order("2"), order("3")]]
    id = draft(toys)
    row, found = look(toys, id, "dry_run")
    assert row.state == "done"
    counts = [found[name] for name in ("read", "new", "changed", "unchanged", "refused")]
    assert counts == [5, 3, 0, 0, 1]
    assert found["reasons"] == [["order 9 has no address", 1]]
    with toys.hub.store.write(System()) as session:
        session.get_one(ConnectionRow, id).mapping = {"depot": "Nowhere"}
    _, found = look(toys, id, "dry_run")
    assert (found["new"], found["refused"]) == (0, 4)
    assert toys.rows(OrderRow) == []


def test_a_dry_run_looks_at_a_hundred_records(toys: Toys, shop: type[Shop]) -> None:
    shop.pages = [[order(str(n)) for n in range(60)], [order(str(n)) for n in range(60, 130)]]
    _, found = look(toys, draft(toys), "dry_run")
    assert (found["read"], found["new"], found["more"]) == (previews.MOST, previews.MOST, True)


def test_after_enabling_orders_come_in_with_the_rules(toys: Toys, shop: type[Shop]) -> None:
    shop.pages = [[order("1")]]
    id = draft(toys)
    toys.tick()
    assert shop.asked == [], "nothing is read before"
    with toys.hub.store.write(System()) as session:
        toys.hub.connections.enable(session, id)
        session.get_one(ConnectionRow, id).mapping = {"service_time": 900, "prefix": "Fresh."}
        pulls.request(session, id)
    toys.tick()
    (taken,) = toys.rows(OrderRow)
    assert (taken.service_time, taken.notes) == (900, "Fresh.")


def test_what_is_not_set_up_is_not_checked_by_itself_or_by_hand(
    toys: Toys, shop: type[Shop]
) -> None:
    id = draft(toys)
    with toys.hub.store.write(System()) as session:
        session.exec(update(ConnectionRow).values(check_at=None, pull_at=None))
        checks.request(session, id)
    toys.tick()
    row = toys.rows(ConnectionRow, id=id)[0]
    assert (row.state, row.checked_at, shop.asked) == ("not_set_up", None, [])


def test_samples_are_forgotten_after_a_day(toys: Toys, shop: type[Shop]) -> None:
    shop.pages = [[order("1")]]
    id = draft(toys)
    look(toys, id, "test")
    with toys.hub.store.write(System()) as session:
        session.exec(update(PreviewRow).values(ended_at=session.wall - timedelta(hours=25)))
    previews.go_round(toys.hub)
    (row,) = toys.rows(PreviewRow)
    assert (row.state, row.sealed) == ("done", "")


def test_work_of_a_connection_that_is_gone_for_good_becomes_a_dead_letter(toys: Toys) -> None:
    id = toys.connect()
    toys.save(
        "workflow: w\non: [{event: order.received}]\n"
        "steps: [{id: send, use: toy.send, with: {to: x, text: y}}]\n"
    )
    with toys.hub.store.write(System()) as session:
        toys.hub.connections.expire(session, id, "refused")
    toys.order_comes()
    toys.tick()
    assert [one.state for one in toys.rows(EffectRow)] == ["parked"]
    with toys.hub.store.write(System()) as session:
        row = session.get_one(ConnectionRow, id)
        removal.remove(session, row)
        row.removed_at = session.wall - timedelta(hours=25)
    previews.go_round(toys.hub)
    toys.tick()
    assert [one.state for one in toys.rows(EffectRow)] == ["failed"]
    (run,) = toys.rows(RunRow)
    assert (run.state, "was removed" in run.error["message"]) == ("failed", True)
    assert toys.connector.keys == []
