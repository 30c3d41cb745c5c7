"""The browsers in which people are signed in: begun, seen, ended."""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlmodel import col, delete, select, update

from hub.access.tokens import digest
from hub.errors import Missing
from hub.store import Session, SessionRow, UserRow

IDLE = timedelta(days=14)
"""How long a session lasts without being used."""
LIFE = timedelta(days=90)
"""How long it lasts at all."""
SEEN_EVERY = timedelta(minutes=3)
KEEP = timedelta(days=30)
"""How long a session that is over stays in the table."""
BROWSERS = (
    ("Edg", "Edge"), ("OPR", "Opera"), ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)  # fmt: skip
"""What a User-Agent has in it and what that is; the first that is found counts."""
SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
    ("Mac OS X", "Mac"), ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


def begin(session: Session, user: UserRow, *, how: str, agent: str, address: str) -> str:
    """Begin a session and return its token of 256 bits; it cannot be read again."""
    token = secrets.token_urlsafe(32)
    now = session.wall
    user.seen_at = now
    session.add(
        SessionRow(
            sha256=digest(token),
            user=user.id,
            how=how,
            browser=browser(agent),
            address=address,
            created_at=now,
            last_seen_at=now,
        )
    )
    return token


def find(session: Session, token: str) -> tuple[SessionRow, UserRow] | None:
    """Return the live session that a token is for, with its user; one question."""
    now = session.wall
    query = (
        select(SessionRow, UserRow)
        .join(UserRow, col(UserRow.id) == SessionRow.user)
        .where(
            SessionRow.sha256 == digest(token),
            col(SessionRow.ended_at).is_(None),
            col(SessionRow.last_seen_at) > now - IDLE,
            col(SessionRow.created_at) > now - LIFE,
            col(UserRow.disabled_at).is_(None),
        )
    )
    return session.exec(query).first()


def seen(session: Session, row: SessionRow) -> None:
    """Note that a session is in use."""
    now = session.wall
    session.exec(update(SessionRow).where(col(SessionRow.id) == row.id).values(last_seen_at=now))
    session.exec(update(UserRow).where(col(UserRow.id) == row.user).values(seen_at=now))


def of_user(session: Session, user: str) -> list[SessionRow]:
    """Return the live sessions of a user, the one used last first."""
    now = session.wall
    query = select(SessionRow).where(
        SessionRow.user == user,
        col(SessionRow.ended_at).is_(None),
        col(SessionRow.last_seen_at) > now - IDLE,
        col(SessionRow.created_at) > now - LIFE,
    )
    return list(session.exec(query.order_by(col(SessionRow.last_seen_at).desc())))


def end(session: Session, user: str, id: str) -> SessionRow:
    """End one session of a user; raise `Missing` where the user has none such."""
    row = session.get(SessionRow, id)
    if row is None or row.user != user:
        raise Missing(f"there is no session {id[:60]}")
    row.ended_at = row.ended_at or session.wall
    return row


def end_all(session: Session, user: str, *, but: str = "") -> int:
    """End every session of a user, except the one with the id `but`; return how many."""
    ended = update(SessionRow).where(
        col(SessionRow.user) == user,
        col(SessionRow.ended_at).is_(None),
        col(SessionRow.id) != but,
    )
    return session.exec(ended.values(ended_at=session.wall)).rowcount


def prune(session: Session, limit: int = 500) -> int:
    """Delete up to `limit` sessions that have been over for a month; return how many."""
    before = session.wall - KEEP
    over = (col(SessionRow.ended_at) < before) | (col(SessionRow.last_seen_at) < before - IDLE)
    found = session.exec(select(SessionRow.id).where(over).limit(limit)).all()
    return session.exec(delete(SessionRow).where(col(SessionRow.id).in_(found))).rowcount


def browser(agent: str) -> str:
    """Return in words what a `User-Agent` header says it is; nothing of it is believed."""
    kind = next((word for sign, word in BROWSERS if f"{sign}/" in agent), "")
    system = next((word for sign, word in SYSTEMS if sign in agent), "")
    if not kind and not system:
        return "An unknown browser" if agent else "A program"
    return f"{kind or 'A browser'} on {system}" if system else kind
