"""Tokens open one thing, for as long as they should, and are kept as hashes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

from hub.access import tokens
from hub.access.keys import Keys, WrongKeys, check_keys
from hub.errors import Forbidden, Missing, Refused
from hub.hub import Hub
from hub.store import TokenRow
from hub.testing.fixtures import World


def test_a_one_time_link_opens_once(hub: Hub) -> None:
    with hub.store.write() as session:
        token = tokens.issue(session, "driver_link", "drv_1")
    with hub.store.write() as session:
        assert tokens.spend(session, "driver_link", token) == "drv_1"
    with hub.store.write() as session, pytest.raises(Forbidden):
        tokens.spend(session, "driver_link", token)


def test_a_token_of_another_purpose_opens_nothing(hub: Hub) -> None:
    with hub.store.write() as session:
        token = tokens.issue(session, "driver_link", "drv_1")
        with pytest.raises(Forbidden):
            tokens.check(session, "driver_device", token)


def test_an_expired_or_revoked_token_says_the_same_as_an_unknown_one(hub: Hub) -> None:
    said = set()
    with hub.store.write() as session:
        old = tokens.issue(session, "sign_in", "usr_1")
        session.flush()
        row = session.get_one(TokenRow, tokens.digest(old))
        row.expires_at = session.wall - timedelta(seconds=1)
        gone = tokens.issue(session, "sign_in", "usr_2")
        session.flush()
        tokens.revoke(session, "sign_in", "usr_2")
        for token in (old, gone, "never-made"):
            with pytest.raises(Forbidden) as caught:
                tokens.check(session, "sign_in", token)
            said.add(str(caught.value))
    assert len(said) == 1


def test_a_tracking_token_has_128_bits_and_is_the_same_each_time(hub: Hub) -> None:
    with hub.store.write() as session:
        first = tokens.open_tracking(session, hub.keys, "stp_1")
        session.flush()
        assert tokens.open_tracking(session, hub.keys, "stp_1") == first
        assert tokens.check(session, "tracking", first) == "stp_1"
    assert len(first) == 22
    assert tokens.tracking_token(hub.keys, "stp_2") != first
    with hub.store.read() as session:
        rows = session.exec(select(TokenRow)).all()
    assert first not in {row.sha256 for row in rows}


def test_a_host_with_other_keys_is_refused(hub: Hub) -> None:
    from cryptography.fernet import Fernet

    with pytest.raises(WrongKeys, match="other keys"):
        check_keys(hub.store, Keys([Fernet.generate_key().decode()]))


def test_rotated_keys_still_read_what_the_old_one_wrote() -> None:
    from cryptography.fernet import Fernet

    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    sealed = Keys([old]).seal("secret")
    assert Keys([new, old]).unseal(sealed) == "secret"
    assert Keys([new, old]).tracking == Keys([old]).tracking


def test_a_merchants_key_cannot_have_an_operators_scope(hub: Hub, world: World) -> None:
    with hub.store.write() as session:
        tokens.issue_key(session, "desk", ["routes:write"], None)
        for scope in ("routes:write", "fleet:write", "plans:write", "everything"):
            with pytest.raises(Refused, match="no scope"):
                tokens.issue_key(session, "shop", [scope], world.merchant)


def test_a_revoked_key_opens_nothing_and_keeps_the_time_of_its_end(hub: Hub) -> None:
    with hub.store.write() as session:
        key = tokens.issue_key(session, "shop", ["orders:read"], None)
        session.flush()
        id = tokens.check_key(session, key).id
        ended = tokens.revoke_key(session, id).revoked_at
    with hub.store.write() as session:
        assert tokens.revoke_key(session, id).revoked_at == ended
        with pytest.raises(Forbidden, match="was revoked; make a new one"):
            tokens.check_key(session, key)


def test_revoking_a_key_that_there_is_not_says_where_to_look(hub: Hub) -> None:
    with hub.store.write() as session, pytest.raises(Missing, match=r"key_no; .*hub key list"):
        tokens.revoke_key(session, "key_no")
