"""The action notify.sms, over real HTTP to the recording gateway."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from hub.errors import Rejected, Unauthorized, Unknown
from hub.hub import Hub
from hub.notify import register
from hub.notify.messages import SEND_SMS
from hub.store import MerchantRow, System
from hub.testing.fixtures import MORNING, World
from hub.testing.peers import duplicates
from hub.testing.peers.sms import SmsPeer

from .conftest import connect, rows, run, wanted


def test_register_adds_the_action(hub: Hub) -> None:
    register(hub)
    assert hub.actions["notify.sms"] is SEND_SMS


def test_a_text_goes_out_with_its_stop_and_is_kept_as_sent(
    hub: Hub, world: World, stop: str, gateway: SmsPeer
) -> None:
    connect(hub, gateway, None)
    ref = run(hub, world.merchant, wanted(stop)).ref
    (row,) = rows(hub)
    assert (row.state, row.ref, row.stop, row.merchant) == ("sent", ref, stop, world.merchant)
    assert row.sent_at == MORNING
    (entry,) = gateway.sent
    assert (entry.stop, entry.kind, entry.key) == (stop, "near", "run:ste:-")


def test_the_merchants_own_channel_goes_before_the_operators(
    hub: Hub, world: World, stop: str, gateway: SmsPeer
) -> None:
    connect(hub, gateway, None)
    own = connect(hub, gateway, world.merchant)
    with hub.store.write(System(world.merchant)) as session:
        assert SEND_SMS.items(hub, session, wanted(stop)) == [own]


def test_a_channel_that_is_switched_off_is_passed_over(
    hub: Hub, world: World, stop: str, gateway: SmsPeer
) -> None:
    operators = connect(hub, gateway, None)
    own = connect(hub, gateway, world.merchant)
    with hub.store.write(System()) as session:
        hub.connections.set_enabled(session, own, False)
    with hub.store.write(System(world.merchant)) as session:
        assert SEND_SMS.items(hub, session, wanted(stop)) == [operators]


def test_the_only_channel_is_taken_although_it_is_off_so_that_the_message_waits(
    hub: Hub, world: World, stop: str, gateway: SmsPeer
) -> None:
    only = connect(hub, gateway, None)
    with hub.store.write(System()) as session:
        hub.connections.set_enabled(session, only, False)
    with hub.store.write(System(world.merchant)) as session:
        assert SEND_SMS.items(hub, session, wanted(stop)) == [only]


def test_another_merchants_channel_is_never_used(
    hub: Hub, world: World, stop: str, gateway: SmsPeer
) -> None:
    with hub.store.write(System()) as session:
        other = MerchantRow(name="Other", slug="other")
        session.add(other)
        session.flush()
    connect(hub, gateway, other.id)
    with (
        pytest.raises(Rejected, match=r"Alpenkraut has no channel .* set up a connection"),
        hub.store.write(System(world.merchant)) as session,
    ):
        SEND_SMS.items(hub, session, wanted(stop))


def test_another_merchants_stop_is_rejected(
    hub: Hub, world: World, stop: str, gateway: SmsPeer
) -> None:
    connect(hub, gateway, None)
    with hub.store.write(System()) as session:
        other = MerchantRow(name="Other", slug="other")
        session.add(other)
        session.flush()
    with pytest.raises(Rejected) as caught, hub.store.write(System(other.id)) as session:
        SEND_SMS.items(hub, session, wanted(stop))
    assert caught.value.field == "stop"


def test_a_recipient_without_a_phone_is_rejected_before_anything_is_sent(
    hub: Hub, world: World, stop: str, gateway: SmsPeer
) -> None:
    connect(hub, gateway, None)
    with pytest.raises(Rejected, match="no phone") as caught:
        run(hub, world.merchant, wanted(stop, to=" "))
    assert caught.value.field == "to"
    assert gateway.sent == []


def test_a_lost_reply_is_unknown_and_the_resend_is_the_same_message(
    hub: Hub, world: World, stop: str, gateway: SmsPeer
) -> None:
    connect(hub, gateway, None)
    gateway.mutes = 1
    with pytest.raises(Unknown):
        run(hub, world.merchant, wanted(stop))
    assert [row.state for row in rows(hub)] == ["unknown"]
    run(hub, world.merchant, wanted(stop))
    assert [row.state for row in rows(hub)] == ["sent"]
    assert len(gateway.sent) == 1
    assert duplicates(gateway.log.path) == 0


def test_a_refused_number_is_kept_with_the_gateways_words(
    hub: Hub, world: World, stop: str, gateway: SmsPeer
) -> None:
    connect(hub, gateway, None)
    with pytest.raises(Rejected):
        run(hub, world.merchant, wanted(stop, to="+41790000000"))
    (row,) = rows(hub)
    assert row.state == "rejected"
    assert "does not exist" in row.error


def test_an_expired_connection_keeps_its_messages_waiting(
    hub: Hub, world: World, stop: str, gateway: SmsPeer
) -> None:
    own = connect(hub, gateway, world.merchant, token="old")
    with pytest.raises(Unauthorized):
        run(hub, world.merchant, wanted(stop))
    with hub.store.write(System()) as session:
        hub.connections.expire(session, own, "the token has expired")
    with hub.store.write(System(world.merchant)) as session:
        assert SEND_SMS.items(hub, session, wanted(stop)) == [own]


def test_the_merchants_sender_signs(hub: Hub, world: World, stop: str, gateway: SmsPeer) -> None:
    connect(hub, gateway, None)
    with hub.store.write(System()) as session:
        session.get_one(MerchantRow, world.merchant).sender = "Alpenkraut"
    run(hub, world.merchant, wanted(stop))
    assert gateway.sent[0].sent["from"] == "Alpenkraut"


@pytest.mark.parametrize(
    "values", [{"text": "ü" * 1025}, {"text": ""}, {"kind": "Near!"}, {"when": "now"}]
)
def test_an_input_that_makes_no_sense_is_refused(values: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        wanted("", **values)
