"""How a connection stands, and what not being set up, paused or removed means for its work."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlmodel import select

from hub.access import scoped
from hub.access.scope import get
from hub.connections import removal, undo
from hub.connections.book import Parked
from hub.connections.states import standing
from hub.errors import Missing, Refused
from hub.hub import Hub
from hub.store import ConnectionRow, Merchant, Operator, PluginRow, Session
from hub.testing.fixtures import World

OWNER = Operator("owner")
TRACCAR = {"url": "https://tracking.example.com", "token": "canary-token"}


def add(hub: Hub, *, draft: bool = False, merchant: str | None = None) -> str:
    with hub.store.write() as session:
        return hub.connections.save(session, "traccar", TRACCAR, merchant=merchant, draft=draft).id


def shown(hub: Hub, id: str) -> tuple[str, str]:
    with hub.store.read() as session:
        found = standing(hub.connections, session, session.get_one(ConnectionRow, id))
    return found.state, found.why


def change(hub: Hub, id: str, **values: object) -> None:
    with hub.store.write() as session:
        row = session.get_one(ConnectionRow, id)
        for name, value in values.items():
            setattr(row, name, value)


def test_what_is_stored_and_its_plugin_make_one_of_five_states(hub: Hub) -> None:
    id = add(hub)
    assert shown(hub, id) == ("healthy", "")
    change(hub, id, state="degraded", reason="no answer")
    assert shown(hub, id) == ("degraded", "no answer")
    change(hub, id, state="action_needed", reason="expired")
    assert shown(hub, id) == ("action_needed", "expired")
    with hub.store.write() as session:
        session.add(PluginRow(name="traccar", enabled=False))
    assert shown(hub, id) == ("paused", "the plugin traccar is switched off")
    with hub.store.write() as session:
        hub.connections.set_enabled(session, id, False, "Ida Keller")
    assert shown(hub, id) == ("paused", "by Ida Keller")
    change(hub, id, state="not_set_up")
    assert shown(hub, id)[0] == "not_set_up"
    change(hub, id, connector="gone", state="healthy")
    assert shown(hub, id)[0] == "action_needed"
    assert "install its package" in shown(hub, id)[1]


def test_nothing_runs_through_what_is_not_set_up(hub: Hub) -> None:
    id = add(hub, draft=True)
    with hub.store.write() as session:
        assert hub.connections.find(session, "position_sources", None) == []
        with pytest.raises(Parked, match="not set up"):
            hub.connections.usable(session, id)
        with pytest.raises(Refused, match="not set up"):
            hub.connections.set_enabled(session, id, True)
        hub.connections.save(session, "traccar", TRACCAR, id=id)
        assert session.get_one(ConnectionRow, id).state == "not_set_up"
        hub.connections.expire(session, id, "refused")
        assert session.get_one(ConnectionRow, id).state == "not_set_up"
        hub.connections.enable(session, id)
        assert hub.connections.find(session, "position_sources", None) != []
        hub.connections.usable(session, id)


def seen(session: Session) -> list[str]:
    return [row.id for row in session.exec(scoped(session, ConnectionRow))]


def test_a_removed_connection_is_seen_and_used_by_nobody_until_it_is_brought_back(hub: Hub) -> None:
    id = add(hub)
    with hub.store.write(OWNER) as session:
        removal.remove(session, session.get_one(ConnectionRow, id), "Ida Keller")
    with hub.store.write(OWNER) as session:
        assert seen(session) == []
        with pytest.raises(Missing):
            get(session, ConnectionRow, id)
        assert hub.connections.find(session, "position_sources", None, usable=False) == []
        with pytest.raises(Parked, match="removed"):
            hub.connections.usable(session, id)
        assert [row.removed_by for row in removal.removed(session)] == ["Ida Keller"]
        removal.restore(session, id)
        assert seen(session) == [id]
        hub.connections.usable(session, id)


def test_what_was_paused_is_still_paused_when_it_is_brought_back(hub: Hub) -> None:
    id = add(hub)
    with hub.store.write(OWNER) as session:
        row = hub.connections.set_enabled(session, id, False)
        removal.remove(session, row)
        assert removal.restore(session, id).enabled is False


def test_after_a_day_only_the_name_of_a_removed_connection_is_left(hub: Hub) -> None:
    id = add(hub)
    with hub.store.write(OWNER) as session:
        row = session.get_one(ConnectionRow, id)
        undo.remember(hub.keys, session, row)
        removal.remove(session, row)
        row.removed_at = session.wall - timedelta(hours=25)
        assert removal.removed(session) == []
        with pytest.raises(Missing):
            removal.restore(session, id)
        assert [one.id for one in removal.overdue(session)] == [id]
        removal.purge(session, row)
        assert removal.overdue(session) == []
        left = session.get_one(ConnectionRow, id)
        assert (left.title, left.config, left.secrets, left.previous) == (
            "Traccar",
            {},
            "",
            "",
        )
        with pytest.raises(Missing, match="Traccar was removed"):
            hub.connections.usable(session, id)


def test_a_merchant_brings_back_only_what_was_its_own(hub: Hub, world: World) -> None:
    mine, theirs = add(hub, merchant=world.merchant), add(hub)
    with hub.store.write(OWNER) as session:
        for id in (mine, theirs):
            removal.remove(session, session.get_one(ConnectionRow, id))
    with hub.store.write(Merchant(world.merchant)) as session:
        assert [row.id for row in removal.removed(session)] == [mine]
        with pytest.raises(Missing):
            removal.restore(session, theirs)


def test_the_last_change_of_settings_is_taken_back_with_its_secrets(hub: Hub) -> None:
    id = add(hub)
    with hub.store.write(OWNER) as session:
        row = session.get_one(ConnectionRow, id)
        undo.remember(hub.keys, session, row)
        assert "canary-token" not in row.previous
        other = {"url": "https://other.example.com", "token": "another-token"}
        hub.connections.save(session, "traccar", other, title="Other", id=id)
        undo.undo(hub.keys, session, row)
        known = hub.connections.settings(row)
        assert (row.title, known["token"]) == ("Traccar", "canary-token")
        assert known["url"].startswith("https://tracking.example.com")
        with pytest.raises(Refused):
            undo.undo(hub.keys, session, row)


def test_a_change_cannot_be_taken_back_after_a_day(hub: Hub) -> None:
    id = add(hub)
    with hub.store.write(OWNER) as session:
        row = session.get_one(ConnectionRow, id)
        undo.remember(hub.keys, session, row)
        row.previous_at = session.wall - timedelta(hours=25)
        session.flush()
        assert [one.id for one in undo.overdue(session)] == [id]
        with pytest.raises(Refused):
            undo.undo(hub.keys, session, row)


def test_secrets_are_covered_wherever_they_stand(hub: Hub) -> None:
    id = add(hub)
    with hub.store.read() as session:
        row = session.exec(select(ConnectionRow).where(ConnectionRow.id == id)).one()
    told = {"error": "Bearer canary-token was refused", "list": ["canary-token"], "n": 1}
    covered = hub.connections.cover(row, told)
    assert "canary-token" not in json.dumps(covered)
    assert covered["n"] == 1
