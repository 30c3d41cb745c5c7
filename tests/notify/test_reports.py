"""What channels say later, also where it comes before their own answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from hub.actions import Call
from hub.errors import Unknown
from hub.hub import Hub
from hub.notify import reports
from hub.notify.messages import SEND_SMS, done
from hub.nouns import DeliveryReport, Receipt
from hub.store import EarlyReportRow, EventRow, OptOutRow, System
from hub.testing.fixtures import MORNING, World
from hub.testing.peers.sms import SmsPeer

from .conftest import connect, rows, run, wanted


def say(hub: Hub, channel: str, state: str, ref: str = "p1", **more: Any) -> bool:
    report = DeliveryReport.model_validate({"ref": ref, "state": state, **more})
    with hub.store.write(System()) as session:
        return reports.take(session, channel, report)


def early(hub: Hub) -> list[EarlyReportRow]:
    with hub.store.read(System()) as session:
        return list(session.exec(select(EarlyReportRow)))


def types(hub: Hub) -> list[str]:
    with hub.store.read(System()) as session:
        return [row.type for row in session.exec(select(EventRow).order_by(EventRow.id))]


def test_a_report_says_what_became_of_a_message(
    hub: Hub, world: World, stop: str, gateway: SmsPeer
) -> None:
    channel = connect(hub, gateway, None)
    ref = run(hub, world.merchant, wanted(stop)).ref
    assert say(hub, channel, "delivered", ref)
    assert not say(hub, channel, "undelivered", ref, detail="late")
    (row,) = rows(hub)
    assert (row.state, row.reported_at) == ("delivered", MORNING)
    assert types(hub) == ["message.delivered"]


def test_a_report_of_nothing_that_is_known_is_no_error_and_is_not_kept(
    hub: Hub, world: World, stop: str, gateway: SmsPeer
) -> None:
    channel = connect(hub, gateway, None)
    run(hub, world.merchant, wanted(stop))
    assert not say(hub, channel, "delivered", "of-somebody-else")
    assert early(hub) == []


def test_a_report_that_is_quicker_than_the_answer_waits_for_it(
    hub: Hub, world: World, stop: str, gateway: SmsPeer
) -> None:
    channel, given = connect(hub, gateway, None), wanted(stop)
    call = Call("run:ste:-", channel, world.merchant)
    SEND_SMS.prepare(hub, given, call)
    assert not say(hub, channel, "delivered", "p1")
    assert not say(hub, channel, "delivered", "p1")
    assert len(early(hub)) == 1
    with hub.store.write(System(world.merchant)) as session:
        done(session, given, call, Receipt(ref="p1"))
    (row,) = rows(hub)
    assert (row.state, row.ref) == ("delivered", "p1")
    assert early(hub) == []
    assert types(hub) == ["message.delivered"]


def test_a_report_with_the_messages_key_needs_no_answer_at_all(
    hub: Hub, world: World, stop: str, gateway: SmsPeer
) -> None:
    channel = connect(hub, gateway, None)
    gateway.mutes = 1
    with pytest.raises(Unknown):
        run(hub, world.merchant, wanted(stop))
    assert [row.state for row in rows(hub)] == ["unknown"]
    assert say(hub, channel, "delivered", "p9", key="run:ste:-")
    (row,) = rows(hub)
    assert (row.state, row.ref) == ("delivered", "p9")


def test_a_key_is_believed_of_its_own_channel_only(
    hub: Hub, world: World, stop: str, gateway: SmsPeer
) -> None:
    connect(hub, gateway, None)
    other = connect(hub, gateway, world.merchant)
    with hub.store.write(System()) as session:
        hub.connections.set_enabled(session, other, False)
    run(hub, world.merchant, wanted(stop))
    assert not say(hub, other, "undelivered", "x", key="run:ste:-")
    assert [row.state for row in rows(hub)] == ["sent"]


def test_early_reports_that_nothing_came_for_are_forgotten(
    hub: Hub, world: World, stop: str, gateway: SmsPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = connect(hub, gateway, None)
    SEND_SMS.prepare(hub, wanted(stop), Call("run:ste:-", channel, world.merchant))
    say(hub, channel, "delivered", "old")
    monkeypatch.setattr(reports, "KEPT", timedelta(seconds=-1))
    say(hub, channel, "delivered", "new")
    assert [row.ref for row in early(hub)] == ["new"]


def test_what_the_channel_knows_of_an_opt_out_goes_on_the_list(
    hub: Hub, world: World, stop: str, gateway: SmsPeer
) -> None:
    channel, given = connect(hub, gateway, None), wanted(stop)
    call = Call("run:ste:-", channel, world.merchant)
    SEND_SMS.prepare(hub, given, call)
    with hub.store.write(System(world.merchant)) as session:
        done(session, given, call, Receipt(detail="error 21610", withheld=True))
    with hub.store.read(System()) as session:
        (entry,) = session.exec(select(OptOutRow)).all()
    assert (entry.address, entry.reason) == ("+4237920001", "error 21610")
    assert [row.state for row in rows(hub)] == ["withheld"]
    assert types(hub) == ["recipient.opted_out"]


def test_an_opt_out_in_a_report_goes_on_the_list_too(
    hub: Hub, world: World, stop: str, gateway: SmsPeer
) -> None:
    channel = connect(hub, gateway, None)
    ref = run(hub, world.merchant, wanted(stop)).ref
    say(hub, channel, "opted_out", ref, detail="err-code 9")
    assert run(hub, world.merchant, wanted(stop), key="run:2:-").state == "opted_out"
