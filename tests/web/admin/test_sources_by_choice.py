"""A connector that hands over orders only if it is asked to: what its pages say either way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import select

from hub.hub import Hub
from hub.store import ConnectionRow
from hub.testing.fixtures import World
from hub.workflow.parts import assemble
from tests import needs

pytestmark = needs.plugins("xero")


@pytest.fixture
def owner(sign_in: Callable[..., Any], hub: Hub) -> Any:
    assemble(hub)
    return sign_in("owner")


def connected(hub: Hub, merchant: str, **settings: str) -> str:
    told = {"token": "t0ken-canary", "tenant": "t", **settings}
    with hub.store.write() as session:
        row = hub.connections.save(session, "xero", told, merchant=merchant, title="Our books")
        return f"/admin/connections/{row.id}"


def test_without_orders_it_stands_under_what_it_does_and_offers_nothing_to_read(
    owner: Any, hub: Hub, world: World
) -> None:
    place = connected(hub, world.merchant)
    page = owner.get(place).text
    assert "Read orders" not in page
    assert "Mapping" not in page
    assert "Proofs out" in owner.get("/admin/connections").text
    assert "every 15 minutes" not in owner.get(f"{place}/usage").text
    refused = owner.post(f"{place}/pull")
    assert refused.status_code == 422
    assert "has no orders to read" in refused.text


def test_with_orders_it_can_be_read_and_mapped(owner: Any, hub: Hub, world: World) -> None:
    place = connected(hub, world.merchant, orders="invoices")
    page = owner.get(place).text
    assert "Read orders" in page
    assert "Mapping" in page
    assert "every 15 minutes" in owner.get(f"{place}/usage").text
    assert owner.get(f"{place}/mapping").status_code == 200


@pytest.mark.parametrize(("orders", "status"), [("none", 302), ("", 302), ("invoices", 422)])
def test_only_orders_have_to_belong_to_somebody(
    owner: Any, hub: Hub, world: World, orders: str, status: int
) -> None:
    form = {"title": "Books", "merchant": "", "config.orders": orders, "config.token": "t"}
    answer = owner.post("/admin/connections/new/xero", form)
    assert answer.status_code == status
    assert ("Choose whose orders these are" in answer.text) == (status == 422)
    with hub.store.read() as session:
        assert len(session.exec(select(ConnectionRow)).all()) == (1 if status == 302 else 0)
