"""Who did what: one row each, written in the transaction of the change itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col, delete, select

from hub.access.scope import get, scoped
from hub.store import ApiKeyRow, AuditRow, Driver, Merchant, Operator, Session, UserRow

KEEP = timedelta(days=365)
LONGEST = 300
TOGETHER = timedelta(hours=1)
"""Failed attempts from one address at one account within it are one row with a number."""
ADDRESS = "address"
"""Where a session's `info` says which network address the request came from."""


@dataclass(frozen=True)
class Actor:
    """Who does something where the session's principal does not say it."""

    who: str
    name: str
    via: str
    address: str = ""


def note(
    session: Session,
    action: str,
    subject: str,
    text: str,
    *,
    merchant: str | None = None,
    actor: Actor | None = None,
) -> AuditRow:
    """Write down that somebody did something; `text` goes on after the name: "made a key".

    `action` is `<kind>.<past verb>` and `subject` the id of what it was done to. Who it was is the
    session's principal, unless `actor` is given. Never put a secret or a recipient's data in.
    """
    by = actor or acting(session)
    row = AuditRow(
        at=session.wall,
        who=by.who,
        name=by.name[:100],
        via=by.via,
        action=action,
        subject=subject[:100],
        merchant=merchant,
        text=" ".join(text.split())[:LONGEST],
        address=by.address,
    )
    session.add(row)
    return row


def acting(session: Session) -> Actor:
    """Return who acts by the session's principal."""
    principal, address = session.principal, str(session.info.get(ADDRESS, ""))
    if isinstance(principal, Driver):
        return Actor(principal.id, "A driver", "session", address)
    if not isinstance(principal, Operator | Merchant):
        return Actor("", "The hub", "hub", address)
    who = principal.user
    if who == "cli":
        return Actor(who, "Somebody at the command line", "command")
    if who.startswith("key_"):
        known = session.get(ApiKeyRow, who)
        return Actor(who, f"The key {known.name}" if known else who, "key", address)
    user = session.get(UserRow, who) if who else None
    return Actor(who, title(user) if user else who or principal_word(principal), "session", address)


def principal_word(principal: Operator | Merchant) -> str:
    """Return what somebody is called who has no account, such as a test's."""
    return principal.role if isinstance(principal, Operator) else "a merchant"


def title(user: UserRow) -> str:
    """Return what a user is called in sentences."""
    return user.name or user.email


def user_actor(user: UserRow, address: str, via: str = "session") -> Actor:
    """Return a user who is only just coming in."""
    return Actor(user.id, title(user), via, address)


def failed(session: Session, user: UserRow | None, text: str, address: str) -> AuditRow:
    """Count a failed attempt to come in; those of one hour are one row.

    What was typed is not kept where it is nobody's address: it may be a password in the wrong
    field.
    """
    subject, name = (user.id, title(user)) if user else ("", "an unknown account")
    query = select(AuditRow).where(
        AuditRow.action == "session.failed",
        AuditRow.subject == subject,
        AuditRow.address == address,
        AuditRow.text == text,
        col(AuditRow.at) > session.wall - TOGETHER,
    )
    row = session.exec(query.order_by(col(AuditRow.at).desc()).limit(1)).first()
    if row is not None:
        row.times += 1
        row.at = session.wall
        return row
    actor = Actor("", f"Somebody, as {name},", "public", address)
    return note(session, "session.failed", subject, text, actor=actor)


@dataclass(frozen=True)
class Wanted:
    """Which part of the log is asked for; what is empty does not narrow it."""

    who: str = ""
    action: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


def conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    """Return what the rows have to fulfil."""
    found: list[ColumnElement[bool]] = []
    if wanted.who:
        found.append(col(AuditRow.who) == wanted.who)
    if wanted.action:
        found.append(col(AuditRow.action) == wanted.action)
    if wanted.subject:
        found.append(col(AuditRow.subject) == wanted.subject)
    if wanted.since:
        found.append(col(AuditRow.at) >= wanted.since)
    if wanted.until:
        found.append(col(AuditRow.at) < wanted.until)
    return found


def entries(
    session: Session, wanted: Wanted, *, before: str = "", limit: int = 50
) -> list[AuditRow]:
    """Return the rows that the session's principal may see, newest first, from `before` (id) on."""
    query = scoped(session, AuditRow).where(*conditions(wanted))
    mark = get(session, AuditRow, before) if before else None
    if mark is not None:
        at, id = col(AuditRow.at), col(AuditRow.id)
        query = query.where((at < mark.at) | ((at == mark.at) & (id < mark.id)))
    query = query.order_by(col(AuditRow.at).desc(), col(AuditRow.id).desc())
    return list(session.exec(query.limit(limit)))


def prune(session: Session, limit: int = 500) -> int:
    """Delete up to `limit` rows that are older than a year; return how many."""
    old = select(AuditRow.id).where(col(AuditRow.at) < session.wall - KEEP).limit(limit)
    found = session.exec(old).all()
    return session.exec(delete(AuditRow).where(col(AuditRow.id).in_(found))).rowcount
