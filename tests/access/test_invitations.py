"""Somebody is invited, comes in once, or not at all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.access import invitations, tokens, users
from hub.errors import Forbidden, Missing, Refused
from hub.hub import Hub
from hub.store import TokenRow
from hub.testing.fixtures import World


def invite(hub: Hub, role: str = "ops", merchant: str | None = None) -> str:
    with hub.store.write() as session:
        return invitations.invite(session, "mara@example.com", role, merchant=merchant)[1]


def accept(hub: Hub, token: str) -> None:
    hashed = users.hash_password("seven green bicycles")
    with hub.store.write() as session:
        invitations.accept(session, token, "  Mara  Vogt ", hashed)


def test_an_invitation_is_accepted_once_and_makes_an_account(hub: Hub, world: World) -> None:
    token = invite(hub, "merchant", world.merchant)
    accept(hub, token)
    with hub.store.read() as session:
        row = users.verify(session, "mara@example.com", "seven green bicycles")
        assert row is not None
        assert (row.name, row.role, row.merchant) == ("Mara Vogt", "merchant", world.merchant)
    with pytest.raises(Forbidden, match="not valid"):
        accept(hub, token)


def test_used_withdrawn_renewed_and_old_invitations_say_the_same(hub: Hub) -> None:
    said = set()
    renewed = invite(hub)
    with hub.store.write() as session:
        old = invitations.renew(session, "mara@example.com")[1]
    with hub.store.write() as session:
        row = session.get_one(TokenRow, tokens.digest(old))
        assert abs(row.expires_at - row.created_at - timedelta(days=7)) < timedelta(seconds=1)
        row.expires_at = session.wall
    with hub.store.write() as session:
        withdrawn = invitations.renew(session, "mara@example.com")[1]
        invitations.withdraw(session, "mara@example.com")
    for token in (renewed, old, withdrawn, "never-made"):
        with pytest.raises(Forbidden) as caught:
            accept(hub, token)
        said.add(str(caught.value))
    assert len(said) == 1


def test_a_withdrawn_invitation_frees_the_address(hub: Hub) -> None:
    invite(hub)
    with hub.store.write() as session:
        invitations.withdraw(session, "mara@example.com")
    with hub.store.write() as session, pytest.raises(Missing):
        users.find_user(session, "mara@example.com")
    accept(hub, invite(hub))


def test_whoever_has_come_in_has_no_invitation_to_take_back(hub: Hub) -> None:
    accept(hub, invite(hub))
    for change in (invitations.withdraw, invitations.renew):
        with hub.store.write() as session, pytest.raises(Refused, match="come in already"):
            change(session, "mara@example.com")


def test_an_invited_person_gets_no_sign_in_link_and_counts_as_no_owner(hub: Hub) -> None:
    with hub.store.write() as session:
        users.add_user(session, "olivia@example.com", "owner")
    invite(hub, "owner")
    with hub.store.write() as session, pytest.raises(Refused, match="not accepted"):
        users.sign_in_link(session, "mara@example.com")
    with hub.store.write() as session, pytest.raises(Refused, match="last owner"):
        users.disable(session, "olivia@example.com")
    with hub.store.write() as session, pytest.raises(Refused, match="last owner"):
        users.set_role(session, "olivia@example.com", "ops")
