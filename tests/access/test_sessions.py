"""Sessions are rows: one that is over lets nobody in, whatever the cookie says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

from hub.access import factors, sessions, users
from hub.errors import Missing
from hub.hub import Hub
from hub.queue.dispatcher import tidy
from hub.store import SessionRow, UserRow

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def mara(hub: Hub) -> UserRow:
    """Somebody with an account."""
    with hub.store.write() as session:
        return users.add_user(session, "mara@example.com", "ops")


def begin(hub: Hub, user: UserRow) -> str:
    with hub.store.write() as session:
        row = session.get_one(UserRow, user.id)
        return sessions.begin(session, row, how="password", agent=FIREFOX, address="192.0.2.1")


def is_live(hub: Hub, token: str) -> bool:
    with hub.store.read() as session:
        return sessions.find(session, token) is not None


def test_the_token_is_kept_as_a_hash(hub: Hub, mara: UserRow) -> None:
    token = begin(hub, mara)
    with hub.store.read() as session:
        row = session.exec(select(SessionRow)).one()
    assert token not in str(row.model_dump())
    assert (row.browser, row.address) == ("Firefox on Windows", "192.0.2.1")


@pytest.mark.parametrize("column", ["last_seen_at", "created_at"])
def test_a_session_ends_by_itself_when_it_is_not_used_and_at_last_anyway(
    hub: Hub, mara: UserRow, column: str
) -> None:
    token = begin(hub, mara)
    life = sessions.IDLE if column == "last_seen_at" else sessions.LIFE
    with hub.store.write() as session:
        row = session.exec(select(SessionRow)).one()
        setattr(row, column, session.wall - life + timedelta(minutes=1))
    assert is_live(hub, token)
    with hub.store.write() as session:
        row = session.exec(select(SessionRow)).one()
        setattr(row, column, session.wall - life)
    assert not is_live(hub, token)


@pytest.mark.parametrize("change", ["disable", "role", "factor", "password"])
def test_what_changes_who_somebody_is_ends_every_session(
    hub: Hub, mara: UserRow, change: str
) -> None:
    tokens = [begin(hub, mara), begin(hub, mara)]
    with hub.store.write() as session:
        if change == "disable":
            users.disable(session, mara.email)
            users.enable(session, mara.email)
        elif change == "role":
            users.set_role(session, mara.email, "dispatcher")
        elif change == "factor":
            factors.begin(session, hub.keys, mara, "Hub")
            users.reset_factor(session, mara.email)
        else:
            users.set_password(session, session.get_one(UserRow, mara.id), "hash")
    assert [is_live(hub, token) for token in tokens] == [False, False]


def test_nobody_ends_somebody_elses_session(hub: Hub, mara: UserRow) -> None:
    token = begin(hub, mara)
    with hub.store.write() as session:
        id = session.exec(select(SessionRow.id)).one()
        with pytest.raises(Missing):
            sessions.end(session, "usr_other", id)
    assert is_live(hub, token)


def test_the_dispatcher_deletes_sessions_that_have_long_been_over(hub: Hub, mara: UserRow) -> None:
    begin(hub, mara)
    live = begin(hub, mara)
    with hub.store.write() as session:
        old = session.exec(select(SessionRow).order_by(SessionRow.id)).first()
        assert old is not None
        old.ended_at = session.wall - sessions.KEEP - timedelta(minutes=1)
    tidy(hub)
    with hub.store.read() as session:
        assert len(session.exec(select(SessionRow)).all()) == 1
    assert is_live(hub, live)


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        (
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Linux"),
        ("curl/8.9", "An unknown browser"),
        ("", "A program"),
    ],
)
def test_a_browser_is_told_in_words(agent: str, words: str) -> None:
    assert sessions.browser(agent) == words
