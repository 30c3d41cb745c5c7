"""The card of a connection that knows devices says when it was read, and whose are missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.hub import Hub
from hub.nouns import DevicePosition, Fix
from hub.store import ConnectionRow
from hub.testing.fixtures import MORNING, World
from hub.tracking.devices import hand_in
from hub.workflow.parts import assemble
from tests.web.conftest import sign_in

__all__ = ["sign_in"]


@pytest.fixture
def owner(sign_in: Callable[..., Any], hub: Hub) -> Any:
    assemble(hub)
    return sign_in("owner")


def connect(hub: Hub, merchant: str | None = None) -> str:
    with hub.store.write() as session:
        given = {"url": "https://tracking.example.com", "token": "t"}
        return hub.connections.save(session, "traccar", given, merchant=merchant).id


def test_positions_stand_under_their_own_heading(owner: Any, hub: Hub) -> None:
    connect(hub)
    page = owner.get("/admin/connections").text
    assert "Positions in" in page
    assert "Positions are read every 30 seconds while somebody is on duty; not yet." in page


def test_devices_without_a_driver_are_named_with_what_to_do(owner: Any, hub: Hub) -> None:
    id = connect(hub)
    fix = Fix(lat=47.1, lon=9.5, at=MORNING)
    names = [f"<b>{number}</b>" for number in range(10)]
    hand_in(hub, id, [DevicePosition(device=name, fix=fix) for name in names])
    with hub.store.write() as session:
        session.get_one(ConnectionRow, id).located_at = MORNING
    card = owner.get(f"/admin/connections/{id}/card").text
    assert "10 devices belong to no driver" in card
    assert "&lt;b&gt;0&lt;/b&gt;" in card
    assert "and 2 more" in card
    assert "hub driver tracker DRIVER DEVICE" in card
    assert "Positions read" in card


def test_a_merchant_s_connection_says_that_nothing_is_read(
    owner: Any, hub: Hub, world: World
) -> None:
    id = connect(hub, world.merchant)
    assert "drivers are the operator&#39;s" in owner.get(
        f"/admin/connections/{id}/card"
    ).text.replace("'", "&#39;")
