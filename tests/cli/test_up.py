"""What `hub up` tells whoever starts a hub for the first time."""

from __future__ import annotations

import pytest

from hub.access import tokens, users
from hub.cli.up import welcome
from hub.hub import Hub


def test_the_link_of_the_greeting_is_for_an_owner_who_may_sign_in(
    hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    with hub.store.write() as session:
        users.add_user(session, "first@example.com", "owner")
        session.flush()
        second = users.add_user(session, "second@example.com", "owner")
        session.flush()
        users.disable(session, "first@example.com")
    welcome(hub.settings)
    link = capsys.readouterr().out.split("/sign-in/")[1].strip()
    with hub.store.read() as session:
        assert tokens.check(session, "sign_in", link) == second.id
