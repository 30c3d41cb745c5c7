"""Webhooks of other systems: verified, kept before the answer, refused in few words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text
from sqlmodel import select
from werkzeug.test import TestResponse

from hub import orders, workflow
from hub.errors import Rejected, Retry, Unauthorized
from hub.hub import Hub
from hub.nouns import Incoming
from hub.redaction import HIDDEN
from hub.store import ActivityRow, ConnectionRow, InboxRow, System, TokenRow, WorkRow
from hub.testing.fixtures import World
from hub.testing.receivers import SECRET, install, signature, signed
from hub.web import create_app
from hub.workflow import incoming
from tests.web.hanging import Hanging

ONE = {"order": {"ref": "1001", "recipient": {"name": "Rosa Beck"}}}


class Sender:
    """The other system."""

    def __init__(self, hub: Hub, merchant: str) -> None:
        orders.register(hub)
        workflow.register(hub)
        self.hub, self.connector = hub, install(hub)
        with hub.store.write(System()) as session:
            self.connection = hub.connections.save(session, "bell", {}, merchant=merchant).id
        self.path = self.address()
        self.client: FlaskClient = create_app(hub).test_client()

    def address(self) -> str:
        with self.hub.store.write(System()) as session:
            row = session.get_one(ConnectionRow, self.connection)
            return urlsplit(incoming.open_address(self.hub, session, row)).path

    def send(self, *items: Any, path: str = "", **headers: str) -> TestResponse:
        body, said = signed(*(items or (ONE,)), **headers)
        return self.raw(body, said, path)

    def raw(self, body: bytes, headers: dict[str, str], path: str = "") -> TestResponse:
        return self.client.post(path or self.path, data=body, headers=headers)

    def rows(self, table: type[Any]) -> list[Any]:
        with self.hub.store.read(System()) as session:
            return list(session.exec(select(table)))

    def outcomes(self) -> dict[str, int]:
        return {row.outcome: row.times for row in self.rows(ActivityRow)}


@pytest.fixture
def sender(hub: Hub, world: World) -> Sender:
    return Sender(hub, world.merchant)


def test_a_delivery_is_kept_and_its_work_due_before_it_is_answered(sender: Sender) -> None:
    answer = sender.send(topic="orders/updated")
    assert (answer.status_code, answer.data) == (200, b"")
    assert "Set-Cookie" not in answer.headers
    (kept,) = sender.rows(InboxRow)
    assert (kept.source, kept.kind, kept.status) == (sender.connection, "delivery", 0)
    (work,) = sender.rows(WorkRow)
    assert (work.kind, work.subject, work.queue) == ("deliveries", sender.connection, "outward")
    (entry,) = sender.rows(ActivityRow)
    assert (entry.about, entry.outcome, entry.text) == (kept.id, "waiting", "orders/updated")


def test_what_is_kept_can_be_read_with_the_hubs_keys_only(sender: Sender) -> None:
    sender.send(cookie="c-canary")
    (kept,) = sender.rows(InboxRow)
    for clear in (b"Rosa", b"c-canary", b"1001", b"x-signature"):
        assert clear not in kept.body
    found = incoming.unseal(sender.hub.keys, kept.body)
    assert found.body == signed(ONE)[0]
    assert found.headers["x-signature"] == signature(found.body)


def test_the_body_is_passed_on_byte_for_byte_with_headers_and_query(sender: Sender) -> None:
    seen: list[Incoming] = []
    sender.connector.before = staticmethod(seen.append)
    body = b"\xff\x00 {\r\n}"
    sender.raw(body, {"x-signature": signature(body), "X-Mixed-Case": "Yes"}, sender.path + "?a=1")
    assert seen[0].body == body
    assert seen[0].headers["x-mixed-case"] == "Yes"
    assert seen[0].query == {"a": "1"}


def test_the_same_id_is_taken_once_whatever_comes_with_it(sender: Sender) -> None:
    assert sender.send(id="7").status_code == 200
    assert sender.send({"order": {"ref": "1002"}}, id="7").status_code == 200
    assert sender.send(id="8").status_code == 200
    assert len(sender.rows(InboxRow)) == 2
    assert sender.outcomes() == {"waiting": 1, "repeat": 1}


def test_without_an_id_the_same_bytes_are_taken_once(sender: Sender) -> None:
    for ref in ("1001", "1001", "1002"):
        assert sender.send({"order": {"ref": ref}}).status_code == 200
    assert len(sender.rows(InboxRow)) == 2


def test_an_id_with_signs_that_no_database_takes_does_no_harm(sender: Sender) -> None:
    sender.connector.before = staticmethod(lambda _: incoming.Delivery(id="\x00", topic="\x00"))
    assert sender.send().status_code == 200
    assert len(sender.rows(InboxRow)) == 1


def test_every_wrong_address_is_answered_alike(sender: Sender) -> None:
    connection, secret = sender.path.split("/")[2:]
    other = "con_01aaaaaaaaaaaaaaaaaaaaaaaa"
    found = [
        sender.send(path=path)
        for path in (
            f"/hooks/{connection}/{secret[:-1]}x", f"/hooks/{other}/{secret}",
            f"/hooks/{other}/guess", f"/hooks/{connection}/%00",
        )
    ]  # fmt: skip
    assert {answer.status_code for answer in found} == {404}
    assert len({answer.data for answer in found}) == 1
    assert sender.rows(InboxRow) == []


def test_an_address_of_a_workflow_opens_no_connection(sender: Sender) -> None:
    from hub.access import tokens

    with sender.hub.store.write() as session:
        token = tokens.issue(session, "webhook", sender.connection)
    assert sender.send(path=f"/hooks/{sender.connection}/{token}").status_code == 404


def test_after_a_change_the_old_address_works_for_a_day_and_no_longer(sender: Sender) -> None:
    old, new = sender.path, sender.address()
    assert [sender.send(path=one, id=one[-5:]).status_code for one in (old, new)] == [200, 200]
    with sender.hub.store.write() as session:
        (first,) = session.exec(select(TokenRow).where(TokenRow.expires_at.is_not(None)))  # type: ignore[union-attr]
        left = first.expires_at - session.wall
        assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)
        first.expires_at = session.wall
    sender.client = create_app(sender.hub).test_client()
    assert [sender.send(path=one).status_code for one in (old, new)] == [404, 200]


def test_an_address_that_was_ended_takes_nothing(sender: Sender) -> None:
    with sender.hub.store.write() as session:
        incoming.close_address(session, session.get_one(ConnectionRow, sender.connection))
    assert sender.send().status_code == 404


def test_a_forged_request_is_refused_and_counted(sender: Sender) -> None:
    for number in range(3):
        answer = sender.raw(b"[]", {"x-signature": f"guess {number}"})
        assert answer.status_code == 401
    assert sender.rows(InboxRow) == []
    assert sender.outcomes() == {"forged": 3}


@pytest.mark.parametrize(("minutes", "status"), [(-6, 401), (-4, 200), (4, 200), (6, 401)])
def test_what_was_signed_more_than_five_minutes_away_is_refused(
    sender: Sender, minutes: int, status: int
) -> None:
    at = sender.hub.store.clock.wall() + timedelta(minutes=minutes)
    assert sender.send(signed_at=at.isoformat()).status_code == status
    assert sender.outcomes() == ({"waiting": 1} if status == 200 else {"replayed": 1})


def test_a_body_above_a_megabyte_is_refused_unread(sender: Sender) -> None:
    body = b"x" * 1_000_001
    assert sender.raw(body, {"x-signature": signature(body)}).status_code == 413
    assert sender.raw(body[:-1], {"x-signature": signature(body[:-1])}).status_code == 200
    assert sender.outcomes() == {"too_large": 1, "waiting": 1}


def test_what_makes_no_sense_is_told_so(sender: Sender) -> None:
    answer = sender.raw(b"nonsense", {"x-signature": signature(b"nonsense")})
    assert answer.status_code == 422
    assert "that is no list" in answer.text
    assert sender.outcomes() == {"unreadable": 1}


@pytest.mark.spills("a connector that tells its secret, which the answer and the log have to cover")
@pytest.mark.parametrize("refusal", [Rejected, Unauthorized])
def test_a_refusal_that_tells_the_secret_is_covered(
    sender: Sender, refusal: type[Exception]
) -> None:
    def refuse(_: Incoming) -> None:
        raise refusal(f"{SECRET} is wrong")

    sender.connector.before = staticmethod(refuse)
    assert SECRET not in sender.send().text
    (row,) = sender.rows(ActivityRow)
    assert row.text == f"{HIDDEN} is wrong"


@pytest.mark.parametrize(
    "failure", [ValueError(SECRET), SystemExit(SECRET), KeyboardInterrupt(SECRET)]
)
def test_a_connector_that_raises_hurts_nobody_else(
    sender: Sender, capfd: pytest.CaptureFixture[str], failure: BaseException
) -> None:
    def fail(_: Incoming) -> None:
        raise failure

    sender.connector.before = staticmethod(fail)
    answer = sender.send()
    assert answer.status_code == 500
    assert SECRET not in answer.text
    sender.connector.before = None
    assert sender.send().status_code == 200
    assert sender.outcomes() == {"broken": 1, "waiting": 1}
    said = capfd.readouterr().out + capfd.readouterr().err
    assert SECRET not in said
    assert sender.path.split("/")[3] not in said


def test_a_connector_that_answers_nonsense_is_named(
    sender: Sender, capfd: pytest.CaptureFixture[str]
) -> None:
    sender.connector.before = staticmethod(lambda _: "fine")
    assert sender.send().status_code == 500
    said = capfd.readouterr()
    assert "bell" in said.out + said.err
    assert sender.outcomes() == {"broken": 1}


def test_a_connector_that_hangs_is_left_alone(sender: Sender) -> None:
    hanging = Hanging()
    sender.connector.before = staticmethod(hanging.hang)
    try:
        with hanging.timed(0.05):
            assert [sender.send().status_code for _ in range(4)] == [500, 500, 500, 503]
    finally:
        hanging.end()
    assert sender.rows(InboxRow) == []


def test_a_connector_that_asks_for_later_is_sent_again_by_the_other_side(sender: Sender) -> None:
    def fail(_: Incoming) -> None:
        raise Retry("not now")

    sender.connector.before = staticmethod(fail)
    answer = sender.send()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_what_comes_while_a_connection_is_off_is_kept(sender: Sender) -> None:
    with sender.hub.store.write(System()) as session:
        sender.hub.connections.set_enabled(session, sender.connection, False)
    assert sender.send().status_code == 200
    assert len(sender.rows(InboxRow)) == 1


def test_a_connection_whose_plugin_is_gone_asks_for_later(sender: Sender) -> None:
    del sender.hub.plugins.plugins["bell"]
    answer = sender.send()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_an_address_opened_in_a_browser_says_what_it_is_for(sender: Sender) -> None:
    for path in (sender.path, "/hooks/con_1/guess"):
        answer = sender.client.get(path)
        assert answer.status_code == 405
        assert "POST" in answer.text


def test_while_the_database_is_locked_the_answer_is_later_and_nothing_is_kept(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not sender.hub.settings.database_url.startswith("sqlite"):
        return  # there nobody can lock the whole database
    monkeypatch.setattr("hub.web.hooks.PATIENCE", 0.2)
    with locked(sender.hub):
        answer = sender.send()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert sender.rows(InboxRow) == []
    assert sender.send().status_code == 200


@contextmanager
def locked(hub: Hub) -> Iterator[None]:
    """Hold the database's write lock."""
    engine = create_engine(hub.settings.database_url)
    with engine.connect() as connection:
        connection.connection.driver_connection.isolation_level = None  # type: ignore[union-attr]
        connection.execute(text("BEGIN IMMEDIATE"))
        yield
        connection.execute(text("ROLLBACK"))
    engine.dispose()


def test_a_request_to_no_address_leaves_no_trace_in_any_log(sender: Sender) -> None:
    sender.send(path="/hooks/con_1/guess")
    assert sender.rows(ActivityRow) == []
