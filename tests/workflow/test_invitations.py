"""An invitation goes out by mail when an owner asks for it, and never twice by itself."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel
from sqlmodel import select, update

from hub.access import invitations as access
from hub.connector import Connector
from hub.errors import Rejected, Retry, Unauthorized, Unknown
from hub.nouns import Message, Receipt
from hub.plugins import Plugin
from hub.store import AuditRow, Operator, System, UserRow, WorkRow
from hub.workflow import invitations

from .conftest import Toys


class Letters(Connector[BaseModel]):
    """Keeps what it is given."""

    name = "letters"
    title = "Letters"
    medium = "email"
    keyed = False
    sent: ClassVar[list[Message]] = []
    fails: ClassVar[list[BaseException]] = []

    def send(self, message: Message) -> Receipt:
        type(self).sent.append(message)
        if type(self).fails:
            raise type(self).fails.pop(0)
        return Receipt(ref=message.key)


@pytest.fixture
def letters(toys: Toys) -> type[Letters]:
    Letters.sent, Letters.fails = [], []
    plugin = Plugin(name="letters", distribution="", version="")
    plugin.connectors["letters"] = Letters
    plugin.kinds["letters"] = {"notification_channels"}
    toys.hub.plugins.plugins["letters"] = plugin
    return Letters


def connect(toys: Toys, merchant: str | None = None) -> str:
    with toys.hub.store.write(System()) as session:
        return toys.hub.connections.save(session, "letters", {}, merchant=merchant).id


def invite(toys: Toys, **more: Any) -> str:
    """Invite somebody and ask for the mail."""
    with toys.hub.store.write(Operator("owner")) as session:
        row, _ = access.invite(session, "mara@example.com", more.pop("role", "ops"), **more)
        invitations.request(session, row.id)
        return row.id


def history(toys: Toys) -> list[str]:
    with toys.hub.store.read(System()) as session:
        query = select(AuditRow.text).where(AuditRow.action == "person.mailed")
        return list(session.exec(query))


def test_the_mail_brings_a_link_that_opens_the_invitation(
    toys: Toys, letters: type[Letters]
) -> None:
    connect(toys)
    id = invite(toys)
    toys.work()
    (sent,) = letters.sent
    assert (sent.to, sent.subject) == ("mara@example.com", "You are invited to Lastmile Hub")
    found = re.search(r"/welcome/(\S+)", sent.text)
    assert found
    with toys.hub.store.read() as session:
        assert access.invited(session, found[1]).id == id
        kept = str([row.model_dump() for row in session.exec(select(WorkRow))])
        assert found[1] not in kept
    assert history(toys) == ["mailed the invitation of mara@example.com"]
    assert sent.unsubscribe_url == ""


def test_a_merchants_channel_does_not_carry_the_operators_mail(
    toys: Toys, letters: type[Letters]
) -> None:
    connect(toys, toys.merchant)
    invite(toys)
    toys.work()
    assert letters.sent == []
    assert "no connection for e-mail" in history(toys)[0]


@pytest.mark.parametrize("error", [
    Rejected("no such user", "to"), Unknown("it broke off"), Unauthorized("535"), KeyError("x"),
], ids=lambda error: type(error).__name__)  # fmt: skip
def test_what_does_not_go_out_is_told_and_not_tried_again(
    toys: Toys, letters: type[Letters], error: Exception
) -> None:
    connect(toys)
    letters.fails.append(error)
    invite(toys)
    toys.wait()
    toys.wait()
    assert len(letters.sent) == 1
    (said,) = history(toys)
    assert "mail the invitation of mara@example.com: " in said


def test_a_server_that_is_away_is_tried_again(toys: Toys, letters: type[Letters]) -> None:
    connect(toys)
    letters.fails.append(Retry("it is down"))
    invite(toys)
    toys.work()
    assert history(toys) == []
    toys.wait()
    assert len(letters.sent) == 2
    assert history(toys) == ["mailed the invitation of mara@example.com"]


def test_a_worker_that_dies_over_it_mails_nothing_again(toys: Toys, letters: type[Letters]) -> None:
    class Died(BaseException):
        """The worker is gone."""

    connect(toys)
    invite(toys)

    def die(*_: object) -> None:
        raise Died

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(invitations, "send", die)
        with pytest.raises(Died):
            toys.work()
    toys.wait()
    assert letters.sent == []
    assert "nobody can tell whether it went out" in history(toys)[0]


def test_an_invitation_that_was_taken_back_is_not_mailed(
    toys: Toys, letters: type[Letters]
) -> None:
    connect(toys)
    id = invite(toys)
    with toys.hub.store.write(System()) as session:
        session.exec(update(UserRow).where(UserRow.id == id).values(invited_at=None))
    toys.work()
    assert (letters.sent, history(toys)) == ([], [])
