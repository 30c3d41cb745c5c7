"""What recipients write back: the list follows STOP and START, the rest becomes an event."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from hub.hub import Hub
from hub.notify import optouts, replies
from hub.nouns import InboundText
from hub.store import (
    ConnectionRow,
    EventRow,
    MerchantRow,
    OptOutRow,
    PersonRow,
    ReplyRow,
    System,
)
from hub.testing.fixtures import World
from hub.testing.peers.sms import SmsPeer

from .conftest import connect, run, wanted

PHONE = "+4237920001"


def write(hub: Hub, channel: str, text: str, ref: str = "r1", sender: str = PHONE) -> int:
    with hub.store.write(System()) as session:
        row = session.get_one(ConnectionRow, channel)
        return replies.take(session, row, InboundText(sender=sender, text=text, ref=ref))


def all_of(hub: Hub, table: type[Any]) -> list[Any]:
    with hub.store.read(System()) as session:
        return list(session.exec(select(table)))


def events(hub: Hub, type: str) -> list[EventRow]:
    return [row for row in all_of(hub, EventRow) if row.type == type]


def another(hub: Hub) -> str:
    with hub.store.write(System()) as session:
        row = MerchantRow(name="Other", slug="other")
        session.add(row)
        session.flush()
        return row.id


@pytest.mark.parametrize("text", ["STOP", " stop. ", "Stopp", "Unsubscribe!", "opt-out", "ARRÊT"])
def test_a_word_such_as_stop_opts_out_of_the_merchant_that_wrote(
    hub: Hub, world: World, stop: str, gateway: SmsPeer, text: str
) -> None:
    channel = connect(hub, gateway, None)
    run(hub, world.merchant, wanted(stop))
    another(hub)
    assert write(hub, channel, text) == 1
    (entry,) = all_of(hub, OptOutRow)
    assert (entry.merchant, entry.address, entry.medium) == (world.merchant, PHONE, "sms")
    (told,) = events(hub, "recipient.opted_out")
    assert told.subject == stop
    assert PHONE not in str(told.data)
    assert run(hub, world.merchant, wanted(stop), key="run:2:-").state == "opted_out"


@pytest.mark.parametrize("text", ["please stop at the gate", "stop it", "cancel my order please"])
def test_a_sentence_with_such_a_word_is_no_opt_out(
    hub: Hub, world: World, stop: str, gateway: SmsPeer, text: str
) -> None:
    channel = connect(hub, gateway, None)
    run(hub, world.merchant, wanted(stop))
    write(hub, channel, text)
    assert all_of(hub, OptOutRow) == []
    assert len(events(hub, "message.received")) == 1


def test_stop_opts_out_of_every_merchant_that_wrote_through_the_shared_channel(
    hub: Hub, world: World, stop: str, gateway: SmsPeer
) -> None:
    channel = connect(hub, gateway, None)
    other = another(hub)
    run(hub, world.merchant, wanted(stop))
    run(hub, other, wanted(""), key="other:-")
    assert write(hub, channel, "STOP") == 2
    assert {row.merchant for row in all_of(hub, OptOutRow)} == {world.merchant, other}


def test_stop_of_somebody_nobody_wrote_to_counts_for_all_that_the_channel_serves(
    hub: Hub, world: World, gateway: SmsPeer
) -> None:
    shared, own = connect(hub, gateway, None), connect(hub, gateway, world.merchant)
    other = another(hub)
    write(hub, own, "STOP", sender="+41791112233")
    assert [row.merchant for row in all_of(hub, OptOutRow)] == [world.merchant]
    write(hub, shared, "STOP", sender="+41791112244")
    late = [row.merchant for row in all_of(hub, OptOutRow) if row.address.endswith("44")]
    assert set(late) == {world.merchant, other}
    assert events(hub, "recipient.opted_out") == []


def test_start_takes_it_back(hub: Hub, world: World, stop: str, gateway: SmsPeer) -> None:
    channel = connect(hub, gateway, None)
    run(hub, world.merchant, wanted(stop))
    write(hub, channel, "STOP", "r1")
    write(hub, channel, "start", "r2")
    assert all_of(hub, OptOutRow) == []
    assert run(hub, world.merchant, wanted(stop), key="run:2:-").state == "sent"


def test_anything_else_is_an_event_of_the_stop_with_the_text_beside_it(
    hub: Hub, world: World, stop: str, gateway: SmsPeer
) -> None:
    channel = connect(hub, gateway, None)
    run(hub, world.merchant, wanted(stop))
    write(hub, channel, "Leave it with Frau Marxer")
    (event,) = events(hub, "message.received")
    assert (event.subject, event.merchant) == (stop, world.merchant)
    assert event.data["message"]["stop"] == stop
    assert "Marxer" not in str(event.data)
    (person,) = all_of(hub, PersonRow)
    assert person.data["customer"]["wrote"] == "Leave it with Frau Marxer"
    assert person.data["customer"]["phone"] == PHONE
    (row,) = all_of(hub, ReplyRow)
    assert (row.stop, row.meaning, row.text) == (stop, "", "Leave it with Frau Marxer")


def test_the_same_text_twice_is_once(hub: Hub, world: World, stop: str, gateway: SmsPeer) -> None:
    channel = connect(hub, gateway, None)
    run(hub, world.merchant, wanted(stop))
    assert write(hub, channel, "hello") == 1
    assert write(hub, channel, "hello") == 0
    assert write(hub, channel, "no ref", ref="") == 1
    assert write(hub, channel, "no ref", ref="") == 0
    assert len(events(hub, "message.received")) == 2


def test_a_late_answer_to_a_shared_channel_is_nobodys(
    hub: Hub, world: World, stop: str, gateway: SmsPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = connect(hub, gateway, None)
    run(hub, world.merchant, wanted(stop))
    monkeypatch.setattr(replies, "RECENT", timedelta(seconds=-1))
    assert write(hub, channel, "hello") == 0
    assert all_of(hub, ReplyRow) == []


def test_a_stop_is_kept_although_the_sender_was_on_the_list(
    hub: Hub, world: World, stop: str, gateway: SmsPeer
) -> None:
    channel = connect(hub, gateway, None)
    run(hub, world.merchant, wanted(stop))
    with hub.store.write(System()) as session:
        optouts.add(session, world.merchant, "sms", PHONE, "asked by phone")
    write(hub, channel, "STOP")
    (entry,) = all_of(hub, OptOutRow)
    assert entry.reason == "asked by phone"
    assert events(hub, "recipient.opted_out") == []
