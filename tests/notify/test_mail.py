"""The action notify.email: to one recipient, in the merchant's name, unless no more is wanted."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, ValidationError
from sqlmodel import select

from hub.access import tokens
from hub.actions import Call
from hub.connector import Connector
from hub.errors import HubError, Rejected, Unauthorized, Unknown
from hub.hub import Hub
from hub.notify import bounces, optouts, register, unsubscribe
from hub.notify.mail import SEND_EMAIL, EmailInput
from hub.nouns import DeliveryReport, Message, Receipt
from hub.plugins import Plugin
from hub.store import (
    EventRow,
    MerchantRow,
    MessageRow,
    OptOutRow,
    OrderRow,
    StopRow,
    System,
)
from hub.testing.fixtures import MORNING, World


class Letters(Connector[BaseModel]):
    """Keeps what it is given."""

    name = "letters"
    title = "Letters"
    medium = "email"
    keyed = False
    sent: ClassVar[list[Message]] = []
    fails: ClassVar[list[HubError]] = []

    def send(self, message: Message) -> Receipt:
        """Take a mail, unless it was told to fail."""
        if type(self).fails:
            raise type(self).fails.pop()
        type(self).sent.append(message)
        return Receipt(ref=f"<{message.key}@fleet.example>", detail="taken")


@pytest.fixture
def letters(hub: Hub) -> type[Letters]:
    """Return a channel for mails; nothing goes over a network."""
    Letters.sent, Letters.fails = [], []
    plugin = Plugin(name="letters", distribution="", version="")
    plugin.connectors["letters"] = Letters
    plugin.kinds["letters"] = {"notification_channels"}
    hub.plugins.plugins["letters"] = plugin
    return Letters


def connect(hub: Hub, merchant: str | None = None) -> str:
    with hub.store.write(System()) as session:
        return hub.connections.save(session, "letters", {}, merchant=merchant).id


def wanted(stop: str, **values: Any) -> EmailInput:
    told = {
        "to": "Beck@kunde.example", "subject": "It comes", "text": "Today", "stop": stop,
        "kind": "dispatched",
    }  # fmt: skip
    return EmailInput.model_validate({**told, **values})


def run(hub: Hub, merchant: str, given: EmailInput, key: str = "run:ste:con") -> Any:
    """Do what the workflow engine does with an outward action; return its output."""
    with hub.store.write(System(merchant)) as session:
        (connection,) = SEND_EMAIL.items(hub, session, given)
    call = Call(key, connection, merchant)
    noun = SEND_EMAIL.prepare(hub, given, call)
    with hub.store.read(System()) as session:
        connector = hub.connections.usable(session, connection)
    try:
        receipt = SEND_EMAIL.call(connector, noun)
    except HubError as error:
        with hub.store.write(System(merchant)) as session:
            SEND_EMAIL.failed(session, given, call, error)
        raise
    with hub.store.write(System(merchant)) as session:
        SEND_EMAIL.done(session, given, call, receipt)
    return SEND_EMAIL.output([receipt.model_dump()])


def row(hub: Hub) -> MessageRow:
    with hub.store.read(System()) as session:
        return session.exec(select(MessageRow)).one()


def outs(hub: Hub) -> list[tuple[str, str]]:
    with hub.store.read(System()) as session:
        return [(one.address, one.reason) for one in session.exec(select(OptOutRow))]


def test_register_adds_the_action(hub: Hub) -> None:
    register(hub)
    assert hub.actions["notify.email"] is SEND_EMAIL


def test_a_mail_goes_out_in_the_merchant_s_name_and_is_kept(
    hub: Hub, world: World, stop: str, letters: type[Letters]
) -> None:
    connect(hub)
    output = run(hub, world.merchant, wanted(stop))
    (sent,) = letters.sent
    assert (sent.to, sent.subject, sent.sender) == ("Beck@kunde.example", "It comes", "Alpenkraut")
    assert sent.text.startswith("Today\n\nOrder: 1\nWhen: Monday 23 November\n")
    assert "<!doctype html>" in sent.html
    assert sent.unsubscribe_url in sent.text
    assert sent.files == ()
    kept = row(hub)
    assert (kept.medium, kept.state, kept.subject, kept.text) == (
        "email", "sent", "It comes", "Today",
    )  # fmt: skip
    assert (kept.to, kept.stop, kept.sent_at) == ("beck@kunde.example", stop, MORNING)
    assert output.model_dump() == {"ref": kept.ref, "state": "sent"}


def test_the_order_the_window_and_the_place_stand_in_it(
    hub: Hub, world: World, stop: str, letters: type[Letters]
) -> None:
    connect(hub)
    with hub.store.write(System()) as session:
        found = session.get_one(StopRow, stop)
        found.promised_start, found.promised_end = MORNING, MORNING.replace(hour=9, minute=30)
        order = session.get_one(OrderRow, found.order)
        order.number, order.address = "#1001", {"line1": "Städtle 49", "city": "Vaduz"}
    run(hub, world.merchant, wanted(stop))
    text = letters.sent[0].text
    assert "Order: #1001\n" in text
    assert "When: Monday 23 November, 08:00–10:30\n" in text
    assert "Where: Städtle 49, Vaduz\n" in text
    assert "Follow your delivery" not in text, "the live page opens with the dispatch"


def test_the_live_page_is_a_button_once_it_opens(
    hub: Hub, world: World, stop: str, letters: type[Letters]
) -> None:
    connect(hub)
    with hub.store.write(System()) as session:
        token = tokens.open_tracking(session, hub.keys, stop)
    run(hub, world.merchant, wanted(stop))
    assert f"Follow your delivery:\n{hub.settings.public_url}/t/{token}" in letters.sent[0].text
    assert f"/t/{token}" in letters.sent[0].html


def test_the_merchants_own_channel_goes_before_the_operators(
    hub: Hub, world: World, stop: str, letters: type[Letters]
) -> None:
    operators, own = connect(hub), connect(hub, world.merchant)
    with hub.store.write(System(world.merchant)) as session:
        assert SEND_EMAIL.items(hub, session, wanted(stop)) == [own]
        hub.connections.set_enabled(session, own, False)
        session.flush()
        assert SEND_EMAIL.items(hub, session, wanted(stop)) == [operators]
        hub.connections.set_enabled(session, operators, False)
        session.flush()
        assert SEND_EMAIL.items(hub, session, wanted(stop)) == [own], "it waits there"


def test_a_channel_for_texts_carries_no_mail(
    hub: Hub, world: World, stop: str, letters: type[Letters], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(hub)
    monkeypatch.setattr(Letters, "medium", "sms")
    with (
        pytest.raises(Rejected, match=r"Alpenkraut has no channel .* set up a connection"),
        hub.store.write(System(world.merchant)) as session,
    ):
        SEND_EMAIL.items(hub, session, wanted(stop))


def test_a_channel_for_mails_carries_no_text(
    hub: Hub, world: World, stop: str, letters: type[Letters]
) -> None:
    from hub.notify.messages import SEND_SMS, SmsInput

    connect(hub)
    given = SmsInput(to="+41792000001", text="Ten minutes", stop=stop)
    with (
        pytest.raises(Rejected, match=r"no channel"),
        hub.store.write(System(world.merchant)) as session,
    ):
        SEND_SMS.items(hub, session, given)


def test_nobody_to_write_to_and_another_merchants_stop_are_rejected(
    hub: Hub, world: World, stop: str, letters: type[Letters]
) -> None:
    connect(hub)
    with hub.store.write(System()) as session:
        other = MerchantRow(name="Other", slug="other")
        session.add(other)
        session.flush()
    with hub.store.write(System(world.merchant)) as session:
        with pytest.raises(Rejected) as caught:
            SEND_EMAIL.items(hub, session, wanted(stop, to=" "))
        assert caught.value.field == "to"
    with (
        pytest.raises(Rejected, match="its own merchant") as caught,
        hub.store.write(System(other.id)) as session,
    ):
        SEND_EMAIL.items(hub, session, wanted(stop))
    assert caught.value.field == "stop"


def test_who_wants_no_more_gets_nothing_and_that_is_no_failure(
    hub: Hub, world: World, stop: str, letters: type[Letters]
) -> None:
    connect(hub)
    with hub.store.write(System(world.merchant)) as session:
        optouts.add(session, world.merchant, "email", "beck@KUNDE.example", "the link in a mail")
    output = run(hub, world.merchant, wanted(stop))
    assert output.model_dump() == {"ref": "", "state": "opted_out"}
    assert letters.sent == []
    assert (row(hub).state, row(hub).sent_at) == ("withheld", None)
    assert "the link in a mail" in row(hub).error


def test_an_opt_out_of_one_merchant_s_texts_or_of_another_merchant_is_none_of_this(
    hub: Hub, world: World, stop: str, letters: type[Letters]
) -> None:
    connect(hub)
    with hub.store.write(System()) as session:
        other = MerchantRow(name="Other", slug="other")
        session.add(other)
        session.flush()
        optouts.add(session, other.id, "email", "beck@kunde.example", "the link in a mail")
        optouts.add(session, world.merchant, "sms", "beck@kunde.example", "STOP")
    assert run(hub, world.merchant, wanted(stop)).state == "sent"


def test_an_address_that_does_not_exist_is_written_to_once(
    hub: Hub, world: World, stop: str, letters: type[Letters]
) -> None:
    connect(hub)
    letters.fails.append(Rejected("mx:25 answered 550: 5.1.1 no such user", "to"))
    with pytest.raises(Rejected):
        run(hub, world.merchant, wanted(stop))
    assert row(hub).state == "rejected"
    assert outs(hub) == [("beck@kunde.example", "bounced: mx:25 answered 550: 5.1.1 no such user")]
    with hub.store.write(System(world.merchant)) as session:
        session.delete(session.exec(select(MessageRow)).one())
    assert run(hub, world.merchant, wanted(stop)).state == "opted_out"


@pytest.mark.parametrize("error", [
    Rejected("550 5.7.1 we think it is spam", "to"), Rejected("552 5.2.2 mailbox full", "to"),
    Rejected("550 5.1.1 in the words of DATA"), Rejected("550 no reason", "to"),
    Rejected("550 5.1.8 bad sender", "to"), Rejected("550 5.1.17", "to"),
], ids=str)  # fmt: skip
def test_other_refusals_end_nothing(
    hub: Hub, world: World, stop: str, letters: type[Letters], error: Rejected
) -> None:
    connect(hub)
    letters.fails.append(error)
    with pytest.raises(Rejected):
        run(hub, world.merchant, wanted(stop))
    assert (row(hub).state, outs(hub)) == ("rejected", [])


@pytest.mark.parametrize(("error", "state"), [
    (Unknown("it broke off"), "unknown"), (Unauthorized("who are you"), "rejected"),
])  # fmt: skip
def test_a_failure_is_kept_as_what_it_is(
    hub: Hub, world: World, stop: str, letters: type[Letters], error: HubError, state: str
) -> None:
    connect(hub)
    letters.fails.append(error)
    with pytest.raises(type(error)):
        run(hub, world.merchant, wanted(stop))
    assert row(hub).state == state


def test_a_second_try_keeps_one_row(
    hub: Hub, world: World, stop: str, letters: type[Letters]
) -> None:
    connect(hub)
    letters.fails.append(Unauthorized("who are you"))
    with pytest.raises(Unauthorized):
        run(hub, world.merchant, wanted(stop))
    run(hub, world.merchant, wanted(stop))
    assert (row(hub).state, row(hub).error) == ("sent", "")


def test_a_bounce_hours_later_is_an_event_and_the_end_of_the_mails(
    hub: Hub, world: World, stop: str, letters: type[Letters]
) -> None:
    connection = connect(hub)
    ref = run(hub, world.merchant, wanted(stop)).ref
    told = DeliveryReport(ref=ref, state="undelivered", detail="5.1.1 no such user")
    for news in (True, False):
        with hub.store.write(System(world.merchant)) as session:
            assert bounces.take(session, connection, told) is news
    assert (row(hub).state, row(hub).error) == ("undelivered", "5.1.1 no such user")
    assert outs(hub) == [("beck@kunde.example", "bounced: 5.1.1 no such user")]
    with hub.store.read(System()) as session:
        events = session.exec(select(EventRow.type).where(EventRow.type == "message.undelivered"))
        assert len(list(events)) == 1


def test_a_mailbox_that_is_full_is_written_to_again(
    hub: Hub, world: World, stop: str, letters: type[Letters]
) -> None:
    connection = connect(hub)
    ref = run(hub, world.merchant, wanted(stop)).ref
    told = DeliveryReport(ref=ref, state="undelivered", detail="5.2.2 mailbox full")
    with hub.store.write(System(world.merchant)) as session:
        assert bounces.take(session, connection, told)
    assert (row(hub).state, outs(hub)) == ("undelivered", [])


def test_without_a_proof_nothing_is_attached(
    hub: Hub, world: World, stop: str, letters: type[Letters]
) -> None:
    connect(hub)
    run(hub, world.merchant, wanted(stop, attach_proof=True))
    assert letters.sent[0].files == ()
    assert "too large" not in letters.sent[0].text


@pytest.mark.parametrize("changed", [
    {"text": ""}, {"subject": ""}, {"text": "x" * 6001}, {"subject": "x" * 301}, {"kind": "A b"},
    {"html": "<b>"}, {"to": "x" * 321},
], ids=lambda changed: next(iter(changed)))  # fmt: skip
def test_what_no_mail_can_be_is_refused_at_once(changed: dict[str, Any]) -> None:
    wanted("stp_1")
    with pytest.raises(ValidationError):
        wanted("stp_1", **changed)


def test_the_link_that_ends_the_mails_is_one_for_each_address_and_names_none(
    hub: Hub, world: World
) -> None:
    with hub.store.write(System()) as session:
        other = MerchantRow(name="Other", slug="other")
        session.add(other)
        session.flush()
        one = unsubscribe.link(hub, session, world.merchant, "Beck@kunde.example")
        assert unsubscribe.link(hub, session, world.merchant, " beck@KUNDE.example") == one
        more = {
            unsubscribe.link(hub, session, world.merchant, "lea@kunde.example"),
            unsubscribe.link(hub, session, other.id, "beck@kunde.example"),
        }
        assert len({one, *more}) == 3
        token = one.rpartition("/")[2]
        found = unsubscribe.opened(hub, session, token)
        assert (found.merchant, found.address) == (world.merchant, "beck@kunde.example")
    assert len(token) == 22
    with hub.store.read() as session:
        from hub.store import TokenRow

        kept = session.exec(select(TokenRow).where(TokenRow.kind == "unsubscribe")).all()
        assert not [one for one in kept if "kunde" in one.subject]
