"""A connection names the workflows that go through it, or that its orders start."""

from __future__ import annotations

import pytest

from hub.hub import Hub
from hub.store import ConnectionRow, System
from hub.testing.fixtures import World
from hub.workflow.library import save
from hub.workflow.parts import assemble
from hub.workflow.usage import Use, rival, uses

TELL = """
workflow: tell
on: [{event: stop.approaching}]
steps:
  - id: choose
    choose:
      - if: event.stop.eta_minutes < 20
        steps:
          - {id: sms, use: notify.sms, with: {to: "+423", text: Hello, stop: "{{ event.stop.id }}"}}
"""
STORE = """
workflow: store
on: [{event: stop.completed}]
steps: [{id: hand_over, use: proofs.deliver, with: {stop: "{{ event.stop.id }}"}}]
on_error: [{use: notify.sms, with: {to: "+423", text: It failed}}]
"""
ARRIVE = """
workflow: arrive
on: [{event: order.received}]
steps: [{id: stop, use: orders.create_stop, with: {order: "{{ event.order.id }}"}}]
"""


@pytest.fixture
def ready(hub: Hub, world: World) -> World:
    assemble(hub)
    with hub.store.write(System()) as session:
        for text in (TELL, STORE, ARRIVE):
            save(hub, session, text)
    return world


def add(hub: Hub, connector: str, merchant: str | None = None, title: str = "") -> str:
    given = {
        "sms": {"url": "https://sms.example.com", "token": "token"},
        "folder": {"path": "/tmp/proofs"},
        "woocommerce": {"url": "https://1.1.1.1", "key": "key", "secret": "secret"},
    }
    with hub.store.write() as session:
        return hub.connections.save(
            session, connector, given[connector], merchant=merchant, title=title
        ).id


def found(hub: Hub, id: str) -> list[Use]:
    with hub.store.read(System()) as session:
        return uses(hub, session, session.get_one(ConnectionRow, id))


def test_steps_of_every_kind_of_block_count(hub: Hub, ready: World) -> None:
    assert found(hub, add(hub, "sms")) == [
        Use("store", steps=("on_error[0]",)), Use("tell", steps=("choose.sms",)),
    ]  # fmt: skip
    assert found(hub, add(hub, "folder")) == [Use("store", steps=("hand_over",))]


def test_a_source_names_what_its_orders_start(hub: Hub, ready: World) -> None:
    (use,) = found(hub, add(hub, "woocommerce", ready.merchant))
    assert use == Use("arrive", starts=("order.received",))


def test_the_channel_that_comes_first_is_named(hub: Hub, ready: World) -> None:
    first = add(hub, "sms", title="First")
    second = add(hub, "sms", title="Second")
    with hub.store.read(System()) as session:
        rows = [session.get_one(ConnectionRow, id) for id in (first, second)]
        assert [rival(hub, session, row) for row in rows] == [None, "First"]
