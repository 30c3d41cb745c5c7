"""Users and keys from the terminal: added, listed, kept out."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import Result

from hub.access import tokens, users
from hub.errors import Forbidden, Missing, Refused
from hub.hub import Hub
from hub.store import Store
from hub.testing.fixtures import World

Command = Callable[..., Result]


def add(command: Command, email: str, role: str = "dispatcher") -> None:
    command("user", "add", email, "--role", role, "--password", "correct horse")


def test_a_user_is_added_listed_disabled_and_enabled(hub: Hub, command: Command) -> None:
    add(command, "mara@example.com")
    assert "mara@example.com  mara  dispatcher" in command("user", "list").stdout
    said = command("user", "disable", "Mara@example.com").stdout
    assert "hub user enable mara@example.com" in said
    (row,) = json.loads(command("user", "list", "--json").stdout)
    assert row["disabled_at"] is not None
    command("user", "enable", "mara@example.com")
    with hub.store.read() as session:
        assert users.verify(session, "mara@example.com", "correct horse") is not None


def test_a_list_of_users_shows_no_password(command: Command) -> None:
    add(command, "mara@example.com")
    for words in (("user", "list"), ("user", "list", "--json")):
        assert "argon2" not in command(*words).stdout


def test_a_disabled_user_gets_no_link(command: Command) -> None:
    add(command, "mara@example.com")
    command("user", "disable", "mara@example.com")
    with pytest.raises(Refused, match=r"hub user enable mara@example\.com"):
        command("user", "link", "mara@example.com")


def test_the_last_owner_stays(command: Command) -> None:
    add(command, "olivia@example.com", "owner")
    with pytest.raises(Refused, match="last owner"):
        command("user", "disable", "olivia@example.com")


def test_a_password_is_hashed_while_others_can_write(
    hub: Hub, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = Store(hub.settings.database_url, 0.05)
    hashed: list[str] = []

    def hash_beside(password: str) -> str:
        with beside.write():  # Busy on SQLite, where one write transaction keeps out all others
            hashed.append(password)
        return "hash of it"

    monkeypatch.setattr(users, "hash_password", hash_beside)
    add(command, "mara@example.com")
    beside.close()
    assert hashed == ["correct horse"]
    with hub.store.read() as session:
        assert users.find_user(session, "mara@example.com").password == "hash of it"


def test_a_key_is_listed_without_itself_and_revoked_by_its_id(
    hub: Hub, world: World, command: Command
) -> None:
    scope = ("--scope", "orders:read")
    key = command("key", "add", "shop", "--merchant", "alpenkraut", *scope).stdout.strip()
    (row,) = json.loads(command("key", "list", "--json").stdout)
    assert (row["name"], row["merchant"], row["revoked_at"]) == ("shop", "alpenkraut", None)
    listed = command("key", "list").stdout
    assert row["id"] in listed
    assert key not in listed
    assert tokens.digest(key) not in listed
    assert "is revoked" in command("key", "revoke", row["id"]).stdout
    with hub.store.read() as session, pytest.raises(Forbidden, match="was revoked"):
        tokens.check_key(session, key)


def test_a_key_that_there_is_not_cannot_be_revoked(command: Command) -> None:
    with pytest.raises(Missing, match="hub key list"):
        command("key", "revoke", "key_no")


def test_empty_lists_say_what_to_do_and_are_empty_to_programs(command: Command) -> None:
    for name in ("user", "key", "merchant", "depot", "vehicle", "driver"):
        told = command(name, "list")
        assert told.stdout == ""
        assert f"hub {name} add" in told.stderr
        assert json.loads(command(name, "list", "--json").stdout) == []
