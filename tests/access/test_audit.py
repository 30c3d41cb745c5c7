"""Who did what is written down with the change, and kept for a year."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

from hub.access import audit, tokens, users
from hub.access.audit import Wanted
from hub.errors import Missing
from hub.hub import Hub
from hub.queue.dispatcher import tidy
from hub.store import AuditRow, Operator, Session
from hub.testing.fixtures import World

OWNER = Operator("owner")


def log(hub: Hub, **wanted: str) -> list[AuditRow]:
    with hub.store.read(OWNER) as session:
        return audit.entries(session, Wanted(**wanted))


def test_the_log_names_the_user_the_key_and_the_command_that_acted(hub: Hub, world: World) -> None:
    with hub.store.write() as session:
        user = users.add_user(session, "mara@example.com", "owner", name="Mara")
        key = tokens.issue_key(session, "shop", ["orders:read"], None)
        session.flush()
        id = tokens.check_key(session, key).id
    for who in (user.id, id, "cli"):
        with hub.store.write(Operator("owner", user=who)) as session:
            audit.note(session, "setting.changed", "x", "changed x")
    found = [(row.name, row.via) for row in log(hub, action="setting.changed")]
    assert found == [
        ("Somebody at the command line", "command"),
        ("The key shop", "key"),
        ("Mara", "session"),
    ]


def test_a_change_that_is_not_committed_leaves_no_trace(hub: Hub) -> None:
    def fail(session: Session) -> None:
        users.add_user(session, "mara@example.com", "ops")
        raise Missing("and then it went wrong")

    with pytest.raises(Missing), hub.store.write(OWNER) as session:
        fail(session)
    assert log(hub) == []


def test_failed_attempts_of_an_hour_are_one_row_with_a_number(hub: Hub) -> None:
    with hub.store.write() as session:
        row = users.add_user(session, "mara@example.com", "ops", name="Mara")
    for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2"):
        with hub.store.write() as session:
            audit.failed(session, row, "gave a wrong password", address)
    found = log(hub, action="session.failed")
    assert sorted((one.address, one.times) for one in found) == [("192.0.2.1", 2), ("192.0.2.2", 1)]
    assert {one.name for one in found} == {"Somebody, as Mara,"}


def test_a_key_is_never_in_the_log(hub: Hub) -> None:
    with hub.store.write(OWNER) as session:
        key = tokens.issue_key(session, "shop", ["orders:read"], None)
    (row,) = log(hub)
    assert key not in str(row.model_dump())
    assert tokens.digest(key) not in str(row.model_dump())


def test_connections_plugins_and_workflows_tell_who_changed_them(hub: Hub, world: World) -> None:
    from hub.connections.book import set_plugin
    from hub.workflow import revisions
    from hub.workflow.parts import assemble, load_workflows

    assemble(hub)
    load_workflows(hub)
    with hub.store.write(Operator("owner", user="cli")) as session:
        kept = hub.connections.save(
            session, "folder", {"path": "/tmp/x"}, merchant=world.merchant, title="Proofs"
        )
        hub.connections.set_enabled(session, kept.id, False)
        set_plugin(session, hub.plugins, "csv", False)
        revisions.switch(session, "order-received", False)
    rows = [row for row in log(hub) if row.who == "cli"]
    assert [(row.action, row.text) for row in reversed(rows)] == [
        ("connection.added", "added the connection Proofs (folder)"),
        ("connection.switched", "switched the connection Proofs off"),
        ("plugin.switched", "switched the plugin csv off"),
        ("workflow.switched", "switched the workflow order-received off"),
    ]
    assert {row.merchant for row in rows if row.subject == kept.id} == {world.merchant}


def test_the_log_is_read_page_by_page_without_gaps_or_repeats(hub: Hub) -> None:
    with hub.store.write(OWNER) as session:
        for number in range(7):
            audit.note(session, "setting.changed", "x", f"changed {number}")
    with hub.store.read(OWNER) as session:
        first = audit.entries(session, Wanted(), limit=3)
        second = audit.entries(session, Wanted(), before=first[-1].id, limit=3)
        third = audit.entries(session, Wanted(), before=second[-1].id, limit=3)
    said = [row.text for row in [*first, *second, *third]]
    assert said == [f"changed {number}" for number in reversed(range(7))]


def test_the_dispatcher_deletes_what_is_older_than_a_year(hub: Hub) -> None:
    with hub.store.write(OWNER) as session:
        old = audit.note(session, "setting.changed", "x", "changed long ago")
        audit.note(session, "setting.changed", "x", "changed today")
        old.at = session.wall - audit.KEEP - timedelta(minutes=1)
    tidy(hub)
    with hub.store.read() as session:
        assert session.exec(select(AuditRow.text)).all() == ["changed today"]
