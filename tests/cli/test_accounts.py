"""Users and keys from the terminal: added, listed, kept out."""

from __future__ import annotations

import json
from collections.abc import Callable

import pyotp
import pytest
from click.testing import Result

from hub.access import factors, invitations, tokens, users
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


def test_a_weak_password_is_refused(command: Command) -> None:
    with pytest.raises(Refused, match="at least 12"):
        command("user", "add", "mara@example.com", "--password", "short")


def test_somebody_is_invited_again_and_taken_back(hub: Hub, command: Command) -> None:
    first = command("user", "invite", "mara@example.com", "--role", "ops").stdout.strip()
    (row,) = json.loads(command("user", "list", "--json").stdout)
    assert (row["role"], row["signs_in_with"]) == ("ops", "invitation")
    second = command("user", "invite", "mara@example.com", "--again").stdout.strip()
    with hub.store.read() as session:
        with pytest.raises(Forbidden):
            invitations.invited(session, first.rsplit("/", 1)[1])
        assert invitations.invited(session, second.rsplit("/", 1)[1]).id == row["id"]
    assert "/welcome/" in second
    command("user", "withdraw", "mara@example.com")
    assert json.loads(command("user", "list", "--json").stdout) == []


def test_a_role_is_changed_and_a_lost_factor_reset(hub: Hub, command: Command) -> None:
    add(command, "mara@example.com")
    assert "is ops now" in command("user", "role", "mara@example.com", "ops").stdout
    with hub.store.write() as session:
        row = users.find_user(session, "mara@example.com")
        made = factors.begin(session, hub.keys, row, "Hub")
        factors.confirm(session, hub.keys, row, pyotp.TOTP(made.secret).now())
    assert json.loads(command("user", "list", "--json").stdout)[0]["second_factor"] is True
    command("user", "reset-factor", "mara@example.com")
    assert json.loads(command("user", "list", "--json").stdout)[0]["second_factor"] is False


def test_what_commands_do_is_in_the_audit_log(command: Command) -> None:
    assert "nobody has done anything" in command("audit").stderr
    add(command, "mara@example.com")
    command("user", "disable", "mara@example.com")
    said = command("audit").stdout.splitlines()
    assert "Somebody at the command line  kept mara@example.com out" in said[1]
    rows = json.loads(command("audit", "--action", "person.added", "--json").stdout)
    assert [(row["who"], row["via"]) for row in rows] == [("cli", "command")]


def test_a_key_may_end_by_itself(command: Command) -> None:
    command("key", "add", "shop", "--scope", "orders:read", "--days", "30")
    (row,) = json.loads(command("key", "list", "--json").stdout)
    assert (row["made_by"], row["expires_at"] > row["created_at"]) == ("cli", True)


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
