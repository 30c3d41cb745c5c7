"""From a published route and a handover to mails on a real mail server, once each."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from uuid import uuid4

import pytest
from sqlmodel import select

from hub.driving.words import Report
from hub.hub import Hub
from hub.notify import optouts
from hub.proofs import handover
from hub.store import (
    ConnectionRow,
    EffectRow,
    MessageRow,
    OrderRow,
    RunRow,
    StepAttemptRow,
    StepRow,
    StopRow,
    System,
)
from hub.testing.road import Road, road
from hub.testing.town import Town, town
from tests.builtin.mail_server import Mailbox, Server, server
from tests.workflow.test_optional import put_in_force, settle

__all__ = ["road", "town"]


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Mailbox, Server]]:
    """Return a mail server, and what it took."""
    mailbox = Mailbox()
    made = server(mailbox)
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield mailbox, made
    made.end()


def connect(hub: Hub, peer: Server) -> str:
    told = {
        "host": "127.0.0.1", "port": peer.port, "security": "none",
        "sender": "deliveries@fleet.example",
    }  # fmt: skip
    with hub.store.write(System()) as session:
        return hub.connections.save(session, "email", told).id


def write_to(hub: Hub, stop: str, email: str) -> None:
    """Give the customer of a stop an e-mail address."""
    with hub.store.write(System()) as session:
        order = session.get_one(OrderRow, session.get_one(StopRow, stop).order)
        order.email, order.name = email, "Maria Beck"


def complete(hub: Hub, road: Road) -> None:
    said = Report(id=uuid4(), kind="complete", stop=road.stops[0])
    with hub.store.write() as session:
        handover.report(hub, session, road.driver, said)


def body(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body((kind,))
    assert found
    return str(found.get_content())


@pytest.mark.whole
def test_a_published_route_is_announced_to_who_has_an_address(
    hub: Hub, town: Town, post: tuple[Mailbox, Server]
) -> None:
    mailbox, peer = post
    put_in_force(hub, "delivery-mails")
    connect(hub, peer)
    first, _ = town.stops(2)
    write_to(hub, first, "beck@kunde.example")
    town.published()
    settle(hub)
    (mail,) = mailbox.mails
    assert mail["To"] == "beck@kunde.example"
    assert mail["Subject"] == "Your delivery from Alpenkraut is planned"
    text = body(mail, "plain")
    assert "Hello Maria Beck" in text
    assert "When: Monday 23 November" in text
    assert "Follow your delivery:" in text
    assert f"{hub.settings.public_url}/t/" in body(mail, "html")
    with hub.store.read(System()) as session:
        (row,) = session.exec(select(MessageRow))
        assert (row.state, row.medium, row.ref) == ("sent", "email", mail["Message-ID"])
        assert {run.state for run in session.exec(select(RunRow))} == {"succeeded"}


@pytest.mark.whole
def test_a_handover_is_told_with_its_proof_and_nobody_s_name_stays_in_the_run(
    hub: Hub, road: Road, post: tuple[Mailbox, Server]
) -> None:
    mailbox, peer = post
    put_in_force(hub, "delivery-mails")
    connect(hub, peer)
    write_to(hub, road.stops[0], "beck@kunde.example")
    complete(hub, road)
    settle(hub)
    (mail,) = mailbox.mails
    assert mail["Subject"] == "Your delivery from Alpenkraut has come"
    (proof,) = mail.iter_attachments()
    assert proof.get_filename() == "proof-of-delivery.pdf"
    assert proof.get_content().startswith(b"%PDF-")
    assert "Delivered: " in body(mail, "plain")
    with hub.store.read(System()) as session:
        for table in (StepRow, EffectRow, StepAttemptRow, RunRow):
            kept = str([row.model_dump() for row in session.exec(select(table))])
            assert "kunde.example" not in kept
            assert "Maria" not in kept


@pytest.mark.whole
def test_who_wants_no_more_gets_none_and_the_run_succeeds(
    hub: Hub, road: Road, post: tuple[Mailbox, Server]
) -> None:
    mailbox, peer = post
    put_in_force(hub, "delivery-mails")
    connect(hub, peer)
    write_to(hub, road.stops[0], "beck@kunde.example")
    with hub.store.write(System()) as session:
        merchant = session.get_one(StopRow, road.stops[0]).merchant
        optouts.add(session, merchant, "email", "beck@kunde.example", "the link in a mail")
    complete(hub, road)
    settle(hub)
    assert mailbox.mails == []
    with hub.store.read(System()) as session:
        (run,) = session.exec(select(RunRow))
        assert run.state == "succeeded"
        steps = {step.path: step.output for step in session.exec(select(StepRow))}
        assert steps["delivered"] == {"ref": "", "state": "opted_out"}


@pytest.mark.whole
def test_a_mail_that_may_have_gone_out_is_never_sent_again_by_itself(
    hub: Hub, road: Road, post: tuple[Mailbox, Server]
) -> None:
    mailbox, peer = post
    put_in_force(hub, "delivery-mails")
    connect(hub, peer)
    write_to(hub, road.stops[0], "beck@kunde.example")
    mailbox.mute = True
    complete(hub, road)
    settle(hub)
    settle(hub)
    assert len(mailbox.mails) == 1
    with hub.store.read(System()) as session:
        assert [effect.state for effect in session.exec(select(EffectRow))] == ["unknown"]
        assert session.exec(select(MessageRow.state)).all() == ["unknown"]


@pytest.mark.whole
def test_without_addresses_for_proofs_the_connection_keeps_none(
    hub: Hub, road: Road, post: tuple[Mailbox, Server]
) -> None:
    _mailbox, peer = post
    id = connect(hub, peer)
    with hub.store.write(System()) as session:
        find = hub.connections.find
        assert [row.id for row in find(session, "notification_channels", None)] == [id]
        assert find(session, "pod_sinks", None) == []
        row = session.get_one(ConnectionRow, id)
        told = {**hub.connections.settings(row), "to": ["office@kunde.example"]}
        hub.connections.save(session, "email", told, id=id)
        session.flush()
        assert [row.id for row in find(session, "pod_sinks", None)] == [id]
