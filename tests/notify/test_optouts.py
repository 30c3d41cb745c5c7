"""Who wants no more, and reports in any order."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlmodel import select

from hub.hub import Hub
from hub.notify import optouts, reports
from hub.nouns import DeliveryReport
from hub.store import EventRow, MessageRow, System
from hub.testing.fixtures import MORNING, World


@pytest.fixture
def message(hub: Hub, world: World) -> str:
    """Return the id of a text that a channel took under the reference `r1`."""
    with hub.store.write(System()) as session:
        row = MessageRow(
            key="k", merchant=world.merchant, channel="con_1", to="+41791234567", text="Hello",
            state="sent", ref="r1", created_at=MORNING,
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row.id


def report(hub: Hub, state: str, ref: str = "r1", detail: str = "") -> bool:
    told = DeliveryReport.model_validate(
        {"ref": ref, "state": state, "detail": detail, "at": datetime(2026, 11, 23, 8, tzinfo=UTC)}
    )
    with hub.store.write(System()) as session:
        return reports.take(session, "con_1", told)


def types(hub: Hub) -> list[str]:
    with hub.store.read(System()) as session:
        return [row.type for row in session.exec(select(EventRow).order_by(EventRow.id))]


def state(hub: Hub, message: str) -> str:
    with hub.store.read(System()) as session:
        return session.get_one(MessageRow, message).state


def test_a_delivered_message_is_told_once(hub: Hub, message: str) -> None:
    assert report(hub, "delivered")
    assert not report(hub, "delivered")
    assert (state(hub, message), types(hub)) == ("delivered", ["message.delivered"])


def test_what_was_delivered_stays_so_whatever_comes_late(hub: Hub, message: str) -> None:
    report(hub, "delivered")
    assert not report(hub, "undelivered")
    assert state(hub, message) == "delivered"


def test_a_message_may_turn_out_to_be_delivered_after_all(hub: Hub, message: str) -> None:
    report(hub, "undelivered", detail="phone is off")
    assert report(hub, "delivered")
    assert types(hub) == ["message.undelivered", "message.delivered"]


def test_a_report_about_somebody_elses_message_is_no_error(hub: Hub, message: str) -> None:
    assert not report(hub, "delivered", ref="other")
    assert state(hub, message) == "sent"


def test_who_opted_out_at_the_provider_is_on_our_list_and_told_once(
    hub: Hub, world: World, message: str
) -> None:
    assert report(hub, "opted_out", detail="21610")
    assert not report(hub, "opted_out", detail="21610")
    with hub.store.read(System()) as session:
        found = optouts.found(session, world.merchant, "sms", "+41791234567")
    assert found is not None
    assert found.reason == "21610"
    assert (state(hub, message), types(hub)) == ("undelivered", ["recipient.opted_out"])


def test_events_name_no_recipient(hub: Hub, message: str) -> None:
    report(hub, "undelivered", detail="no such number")
    with hub.store.read(System()) as session:
        event = session.exec(select(EventRow)).one()
    assert "+41" not in str(event.data)


def test_an_address_is_the_same_however_it_is_written(hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        assert optouts.add(session, world.merchant, "email", "Rosa@Example.LI ", "link")
        assert not optouts.add(session, world.merchant, "email", "rosa@example.li", "link")
        assert optouts.found(session, world.merchant, "email", "ROSA@example.li") is not None
        optouts.remove(session, world.merchant, "email", "rosa@EXAMPLE.li")
        assert optouts.found(session, world.merchant, "email", "rosa@example.li") is None


def test_another_merchants_list_is_another_list(hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        optouts.add(session, world.merchant, "sms", "+41791234567", "STOP")
        assert optouts.found(session, "mer_other", "sms", "+41791234567") is None
        assert optouts.found(session, world.merchant, "email", "+41791234567") is None
