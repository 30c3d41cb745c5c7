"""Events: appended with the change they tell of, numbered without gaps, persons erasable."""

from __future__ import annotations

import pytest
from sqlmodel import select

from hub.events import append, erase, number, persons
from hub.events.catalogue import OrderReceived, catalogue
from hub.events.facts import CustomerFacts, MerchantFacts, OrderFacts
from hub.events.log import LostLead, after
from hub.hub import Hub
from hub.queue.leader import lead
from hub.store import EventRow, System
from hub.testing.fixtures import MORNING, World


def received(world: World, subject: str) -> OrderReceived:
    """Return an event of the world's merchant."""
    return OrderReceived(
        subject=subject,
        merchant_id=world.merchant,
        order=OrderFacts(id=subject),
        merchant=MerchantFacts(id=world.merchant, name="Alpenkraut"),
        customer=CustomerFacts(name="Rosa Beck", phone="+41790000000"),
    )


def add(hub: Hub, world: World, *subjects: str) -> None:
    """Append one event per subject, each in a transaction of its own."""
    for subject in subjects:
        with hub.store.write(System()) as session:
            append(session, received(world, subject))


def test_an_event_is_numbered_by_the_leader_only(hub: Hub, world: World) -> None:
    add(hub, world, "a")
    token = lead(hub.store, "dispatcher", "me")
    assert token is not None
    with hub.store.write(System()) as session, pytest.raises(LostLead):
        number(session, token + 1)
    with hub.store.read(System()) as session:
        assert after(session, 0) == []
    with hub.store.write(System()) as session:
        assert [row.seq for row in number(session, token)] == [1]


def test_numbers_have_no_gaps_in_all_and_per_merchant(hub: Hub, world: World) -> None:
    token = lead(hub.store, "dispatcher", "me")
    assert token is not None
    for subjects in (("a", "b"), ("c",)):
        add(hub, world, *subjects)
        with hub.store.write(System()) as session:
            number(session, token)
    with hub.store.read(System()) as session:
        rows = after(session, 0)
    assert [(row.subject, row.seq, row.merchant_seq) for row in rows] == [
        ("a", 1, 1), ("b", 2, 2), ("c", 3, 3),
    ]  # fmt: skip


def test_nothing_personal_is_in_the_event_and_erasing_leaves_the_event(
    hub: Hub, world: World
) -> None:
    add(hub, world, "a")
    with hub.store.read(System()) as session:
        row = session.exec(select(EventRow)).one()
        assert "Rosa" not in str(row.data)
        assert persons(session, [row.id])[row.id]["customer"]["name"] == "Rosa Beck"
    with hub.store.write(System()) as session:
        assert erase(session, [row.id]) == 1
    with hub.store.read(System()) as session:
        assert persons(session, [row.id]) == {}
        assert session.get(EventRow, row.id) is not None


def test_an_event_of_a_failed_transaction_never_happened(hub: Hub, world: World) -> None:
    def fail() -> None:
        with hub.store.write(System()) as session:
            append(session, received(world, "a"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with hub.store.read(System()) as session:
        assert session.exec(select(EventRow)).all() == []


def test_events_carry_business_time(hub: Hub, world: World) -> None:
    add(hub, world, "a")
    with hub.store.read(System()) as session:
        assert session.exec(select(EventRow)).one().recorded_at == MORNING


def test_every_type_is_a_resource_and_what_happened_to_it() -> None:
    assert len(catalogue()) > 20
    for name in catalogue():
        resource, _, verb = name.partition(".")
        assert resource.isidentifier()
        assert verb.isidentifier()
