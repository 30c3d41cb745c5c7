"""Users come in with a password or a link, and can be kept out again."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest

from hub.access import tokens, users
from hub.errors import Forbidden, Missing, Refused
from hub.hub import Hub
from hub.store import UserRow


def add(hub: Hub, email: str, role: str = "dispatcher") -> UserRow:
    hashed = users.hash_password("correct horse")
    with hub.store.write() as session:
        return users.add_user(session, email, role, hashed=hashed)


def test_a_disabled_user_has_no_password_until_enabled_again(hub: Hub) -> None:
    add(hub, "mara@example.com")
    with hub.store.write() as session:
        users.disable(session, "Mara@example.com ")
    with hub.store.write() as session:
        assert users.verify(session, "mara@example.com", "correct horse") is None
        users.enable(session, "mara@example.com")
    with hub.store.read() as session:
        assert users.verify(session, "mara@example.com", "correct horse") is not None


def test_disabling_ends_the_links_that_are_still_open(hub: Hub) -> None:
    row = add(hub, "mara@example.com")
    with hub.store.write() as session:
        link = tokens.issue(session, "sign_in", row.id)
    with hub.store.write() as session:
        users.disable(session, "mara@example.com")
    with hub.store.write() as session:
        users.enable(session, "mara@example.com")
        with pytest.raises(Forbidden, match="not valid"):
            tokens.check(session, "sign_in", link)


def test_the_last_owner_who_may_sign_in_cannot_be_disabled(hub: Hub) -> None:
    add(hub, "olivia@example.com", "owner")
    add(hub, "oskar@example.com", "owner")
    with hub.store.write() as session:
        users.disable(session, "oskar@example.com")
    with hub.store.write() as session, pytest.raises(Refused, match=r"last owner.*hub user add"):
        users.disable(session, "olivia@example.com")
    with hub.store.read() as session:
        assert users.find_user(session, "olivia@example.com").disabled_at is None


def test_of_two_owners_who_disable_each_other_at_once_one_stays(hub: Hub) -> None:
    emails = ("olivia@example.com", "oskar@example.com")
    for email in emails:
        add(hub, email, "owner")

    def disable(email: str) -> None:
        gate.wait()
        try:
            with hub.store.write() as session:
                users.disable(session, email)
        except Refused:
            refused.append(email)

    for _ in range(5):
        gate, refused = Barrier(2), list[str]()
        threads = [Thread(target=disable, args=(email,)) for email in emails]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(refused) == 1
        with hub.store.write() as session:
            for email in emails:
                users.enable(session, email)


def test_disabling_twice_keeps_the_first_time(hub: Hub) -> None:
    add(hub, "mara@example.com")
    with hub.store.write() as session:
        first = users.disable(session, "mara@example.com").disabled_at
    with hub.store.write() as session:
        assert users.disable(session, "mara@example.com").disabled_at == first


def test_an_address_that_nobody_has_is_named_with_what_to_do(hub: Hub) -> None:
    for change in (users.disable, users.enable):
        with hub.store.write() as session, pytest.raises(Missing, match=r"nils@x\.li; add them"):
            change(session, "nils@x.li")
