"""What comes back to a mailbox is taken in once, also by a worker that dies over it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel
from sqlmodel import select, update

from hub.builtin.mail import Mail
from hub.connector import Connector
from hub.errors import Retry, Unauthorized
from hub.nouns import Cursor, DeliveryReport, InboundText, Message, Receipt
from hub.plugins import Plugin
from hub.store import ConnectionRow, MerchantRow, MessageRow, OptOutRow, System, WorkRow
from hub.testing.fixtures import MORNING
from hub.testing.peers.mailbox import PASSWORD, USER, MailboxPeer
from hub.workflow import reports

from .conftest import Toys

Record = DeliveryReport | InboundText | Cursor | Exception


class PostConfig(BaseModel):
    """Where bounces come back to."""

    mailbox: str = "here"


class Post(Connector[PostConfig]):
    """Hands over what it is told, behind the cursor: each is a pair of a place and records."""

    name = "post"
    title = "Post"
    Config = PostConfig
    medium = "email"
    needs = {"reports": "mailbox"}  # noqa: RUF012
    parts: ClassVar[list[list[Record]]] = []
    asked: ClassVar[list[str]] = []

    def send(self, message: Message) -> Receipt:
        return Receipt(ref=message.key)

    def reports(self, cursor: Cursor) -> Iterator[DeliveryReport | InboundText | Cursor]:
        type(self).asked.append(cursor.value)
        for number, part in enumerate(type(self).parts, 1):
            if number <= int(cursor.value or 0):
                continue
            for record in part:
                if isinstance(record, Exception):
                    raise record
                yield record
            yield Cursor(value=str(number))


@pytest.fixture
def post(toys: Toys) -> type[Post]:
    Post.parts, Post.asked = [], []
    plugin = Plugin(name="post", distribution="", version="")
    plugin.connectors["post"] = Post
    plugin.kinds["post"] = {"notification_channels"}
    toys.hub.plugins.plugins["post"] = plugin
    return Post


def connect(toys: Toys, merchant: str | None = None, **settings: Any) -> str:
    with toys.hub.store.write(System()) as session:
        return toys.hub.connections.save(session, "post", settings, merchant=merchant).id


def sent(toys: Toys, channel: str, ref: str, to: str = "beck@kunde.example") -> None:
    """Keep a mail that the channel took."""
    with toys.hub.store.write(System()) as session:
        session.add(
            MessageRow(
                key=ref, merchant=toys.merchant, channel=channel, medium="email", to=to,
                text="Soon", state="sent", ref=ref, created_at=MORNING,
            )
        )  # fmt: skip


def again(toys: Toys) -> None:
    """Let five minutes pass."""
    with toys.hub.store.write(System()) as session:
        session.exec(update(ConnectionRow).values(report_at=session.wall, rests_until=None))
    toys.tick()


def row(toys: Toys, id: str) -> ConnectionRow:
    (found,) = toys.rows(ConnectionRow, id=id)
    return found


def state(toys: Toys, ref: str) -> str:
    return toys.rows(MessageRow, ref=ref)[0].state


def bounced(ref: str, detail: str = "5.1.1 no such user") -> DeliveryReport:
    return DeliveryReport(ref=ref, state="undelivered", detail=detail)


def test_what_came_back_is_noted_and_the_cursor_kept(toys: Toys, post: type[Post]) -> None:
    id = connect(toys)
    sent(toys, id, "m1")
    post.parts = [[bounced("m1"), bounced("a stranger's")], []]
    toys.tick()
    assert state(toys, "m1") == "undelivered"
    (out,) = toys.rows(OptOutRow)
    assert (out.merchant, out.medium, out.address) == (
        toys.merchant, "email", "beck@kunde.example",
    )  # fmt: skip
    (event,) = toys.events("message.undelivered")
    assert event.merchant == toys.merchant
    assert "kunde" not in str(event.data)
    found = row(toys, id)
    assert (found.report_cursor, found.cursor, found.position_cursor) == ("2", "", "")
    assert (found.reported_at, found.state) == (toys.clock, "healthy")
    again(toys)
    assert post.asked == ["", "2"]


def test_it_is_read_every_five_minutes(toys: Toys, post: type[Post]) -> None:
    id = connect(toys)
    toys.tick()
    toys.tick()
    assert post.asked == [""]
    due = row(toys, id).report_at - toys.hub.store.clock.wall()
    assert 0 < due.total_seconds() <= reports.EVERY.total_seconds()


def test_a_connection_without_a_mailbox_is_not_read(toys: Toys, post: type[Post]) -> None:
    connect(toys, mailbox="")
    toys.tick()
    assert post.asked == []
    assert toys.rows(WorkRow, kind=reports.KIND) == []


def test_a_worker_that_dies_before_the_commit_loses_nothing_and_tells_nothing_twice(
    toys: Toys, post: type[Post], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Died(BaseException):
        """The worker is gone."""

    id = connect(toys)
    for ref in ("m1", "m2", "m3"):
        sent(toys, id, ref, to=f"{ref}@kunde.example")
    post.parts = [[bounced("m1")], [bounced("m2"), bounced("m3")]]
    passes: list[str] = []

    def die(point: str) -> None:
        passes.append(point)
        if len(passes) == 2:
            raise Died

    with monkeypatch.context() as patch:
        patch.setattr(reports, "reach", die)
        with pytest.raises(Died):
            toys.tick()
    assert row(toys, id).report_cursor == "1"
    assert [state(toys, ref) for ref in ("m1", "m2", "m3")] == ["undelivered", "sent", "sent"]
    toys.wait()
    assert post.asked == ["", "1"], "it goes on behind what was committed"
    assert [state(toys, ref) for ref in ("m1", "m2", "m3")] == ["undelivered"] * 3
    assert len(toys.events("message.undelivered")) == 3
    assert row(toys, id).report_cursor == "2"


def test_a_report_that_is_read_again_is_no_news(toys: Toys, post: type[Post]) -> None:
    id = connect(toys)
    sent(toys, id, "m1")
    post.parts = [[bounced("m1")]]
    toys.tick()
    with toys.hub.store.write(System()) as session:
        session.get_one(ConnectionRow, id).report_cursor = ""
    again(toys)
    assert post.asked == ["", ""]
    assert len(toys.events("message.undelivered")) == 1


def test_another_channel_s_reference_is_another_message(toys: Toys, post: type[Post]) -> None:
    mine, other = connect(toys), connect(toys, mailbox="")
    sent(toys, other, "m1")
    post.parts = [[bounced("m1")]]
    toys.tick()
    assert row(toys, mine).report_cursor == "1"
    assert state(toys, "m1") == "sent"


def test_a_wish_by_mail_ends_the_mails_of_all_that_wrote_by_this_channel(
    toys: Toys, post: type[Post]
) -> None:
    id = connect(toys)
    sent(toys, id, "m1")
    with toys.hub.store.write(System()) as session:
        other = MerchantRow(name="Other", slug="other")
        never = MerchantRow(name="Never", slug="never")
        session.add_all((other, never))
        session.flush()
        session.add(
            MessageRow(
                key="m2", merchant=other.id, channel=id, medium="email", to="beck@kunde.example",
                text="Soon", state="sent", ref="m2", created_at=MORNING,
            )
        )  # fmt: skip
        wanted = {toys.merchant, other.id}
    text = InboundText(sender="BECK@kunde.example", text="unsubscribe")
    stranger = InboundText(sender="stranger@kunde.example", text="unsubscribe")
    post.parts = [[text, text, stranger]]
    toys.tick()
    assert {out.merchant for out in toys.rows(OptOutRow)} == wanted
    assert len(toys.events("recipient.opted_out")) == 2


def test_a_report_can_be_an_opt_out(toys: Toys, post: type[Post]) -> None:
    id = connect(toys)
    sent(toys, id, "m1")
    post.parts = [[DeliveryReport(ref="m1", state="opted_out", detail="marked as unwanted")]]
    toys.tick()
    (out,) = toys.rows(OptOutRow)
    assert out.reason == "marked as unwanted"
    assert len(toys.events("recipient.opted_out")) == 1


def test_a_wrong_password_ends_the_reading_until_someone_reconnects(
    toys: Toys, post: type[Post]
) -> None:
    post.parts = [[Unauthorized("revoked")]]
    id = connect(toys)
    toys.tick()
    assert (row(toys, id).state, len(toys.events("connection.expired"))) == ("action_needed", 1)
    again(toys)
    assert len(post.asked) == 1


def test_what_breaks_off_is_read_again_from_the_last_cursor(toys: Toys, post: type[Post]) -> None:
    id = connect(toys)
    sent(toys, id, "m1")
    post.parts = [[bounced("m1")], [KeyError("id")]]
    toys.tick()
    found = row(toys, id)
    assert (found.report_cursor, found.state) == ("1", "degraded")
    assert "Its reports could not be read" in found.reason
    post.parts[1] = [Retry("it is down")]
    again(toys)
    assert post.asked == ["", "1"]
    post.parts[1] = []
    again(toys)
    assert (row(toys, id).state, row(toys, id).report_cursor) == ("healthy", "2")


def test_a_long_reading_lets_others_have_their_turn(
    toys: Toys, post: type[Post], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "TURN", -1.0)
    id = connect(toys)
    post.parts = [[], [], []]
    toys.tick()
    assert post.asked == ["", "1", "2", "3"]
    assert row(toys, id).report_cursor == "3"


def test_more_connections_than_fit_into_one_round_are_all_read(
    toys: Toys, post: type[Post]
) -> None:
    for _ in range(60):
        connect(toys, mailbox="")
    connect(toys)
    toys.tick()
    toys.tick()
    assert post.asked == [""]


def test_a_bounce_in_a_real_mailbox_ends_the_mails(
    toys: Toys, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = MailboxPeer()
    peer.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{peer.port}")
    try:
        plugin = Plugin(name="email", distribution="", version="")
        plugin.connectors["email"] = Mail
        plugin.kinds["email"] = {"notification_channels", "pod_sinks"}
        toys.hub.plugins.plugins["email"] = plugin
        told = {
            "host": "mail.fleet.example", "sender": "deliveries@fleet.example",
            "mailbox_host": "127.0.0.1", "mailbox_port": peer.port, "mailbox_security": "none",
            "mailbox_user": USER, "mailbox_password": PASSWORD,
        }  # fmt: skip
        with toys.hub.store.write(System()) as session:
            id = toys.hub.connections.save(session, "email", told).id
        ref = f"<{'0' * 32}@fleet.example>"
        sent(toys, id, ref)
        head = "From: mailer-daemon@mx.kunde.example\nContent-Type: text/plain\n\n"
        peer.add(f"{head}550 5.1.1 no such user\n\nMessage-ID: {ref}\n".encode())
        toys.tick()
        again(toys)
        assert state(toys, ref) == "undelivered"
        assert len(toys.events("message.undelivered")) == 1
        assert row(toys, id).report_cursor == "7:1"
        with toys.hub.store.read(System()) as session:
            assert session.exec(select(OptOutRow.address)).all() == ["beck@kunde.example"]
    finally:
        peer.stop()
