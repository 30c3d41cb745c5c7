"""Loads that no vehicle carries are refused when an order comes in, in words."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import select

from hub.access import tokens
from hub.hub import Hub
from hub.store import OrderRow, System
from hub.testing.fixtures import World
from hub.web import create_app

HUGE = 2**60


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({"lines": [{"name": "Anvil", "load": HUGE}]}, "lines.0.load"),
        ({"lines": [{"name": "Anvil", "quantity": HUGE}]}, "lines.0.quantity"),
        ({"lines": [{"name": "Anvil", "load": 1_000_000, "quantity": 2}]}, "lines.0"),
        ({"loads": {"load": float(HUGE)}}, "loads.load"),
    ],
)
def test_a_load_that_no_vehicle_carries_is_refused_with_its_field(
    hub: Hub, world: World, order: dict[str, Any], field: str
) -> None:
    with hub.store.write() as session:
        key = tokens.issue_key(session, "test", ["orders:write"], world.merchant)
    answer = (
        create_app(hub)
        .test_client()
        .post(
            "/api/v1/orders",
            json={"ref": "A1", **order},
            headers={"Authorization": f"Bearer {key}"},
        )
    )
    assert answer.status_code == 422
    (said,) = (answer.json or {})["errors"]
    assert said["field"] == field
    assert said["message"].endswith(("equal to 1000000", "at most 1,000,000"))
    with hub.store.read(System()) as session:
        assert session.exec(select(OrderRow)).all() == []
