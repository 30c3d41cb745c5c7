"""Invitations: a link for seven days by which somebody chooses a password and comes in."""

from __future__ import annotations

from sqlmodel import delete

from hub.access import audit, tokens, users
from hub.errors import Forbidden, Refused
from hub.store import Session, UserRow


def invite(
    session: Session, email: str, role: str, *, merchant: str | None = None
) -> tuple[UserRow, str]:
    """Invite somebody; return the account that waits and the link's token, which is shown once.

    Raise `Refused` for an address that has an account or an invitation already.
    """
    row = users.new_user(session, email, role, merchant=merchant)
    row.invited_at = session.wall
    session.flush()
    said = f"invited {row.email} as {role}"
    audit.note(session, "person.invited", row.id, said, merchant=merchant)
    return row, tokens.issue(session, "welcome", row.id)


def renew(session: Session, email: str) -> tuple[UserRow, str]:
    """Make a new link for somebody who is invited; the old one ends."""
    row = waiting(session, email)
    tokens.revoke(session, "welcome", row.id)
    row.invited_at = session.wall
    said = f"invited {row.email} again"
    audit.note(session, "person.invited", row.id, said, merchant=row.merchant)
    return row, tokens.issue(session, "welcome", row.id)


def withdraw(session: Session, email: str) -> UserRow:
    """Take an invitation back: its link ends, and the address is free again."""
    row = waiting(session, email)
    tokens.revoke(session, "welcome", row.id)
    said = f"took the invitation of {row.email} back"
    audit.note(session, "person.withdrawn", row.id, said, merchant=row.merchant)
    session.flush()
    session.exec(delete(UserRow).where(UserRow.id == row.id))  # type: ignore[arg-type]
    return row


def waiting(session: Session, email: str) -> UserRow:
    """Return somebody who is invited; raise `Refused` for whoever has come in."""
    row = users.find_user(session, email)
    if row.invited_at is None:
        raise Refused(f"{row.email} has come in already; there is no invitation", "email")
    return row


def invited(session: Session, token: str) -> UserRow:
    """Return whom a link invites, without using it up; raise `Forbidden` if nobody."""
    row = session.get(UserRow, tokens.check(session, "welcome", token))
    if row is None or row.disabled_at is not None or row.invited_at is None:
        raise Forbidden(tokens.NOT_VALID)
    return row


def accept(session: Session, token: str, name: str, hashed: str, address: str = "") -> UserRow:
    """Use up an invitation: the account gets a name and a password, and is one like any other.

    `hashed` is what `hub.access.users.hash_password` returned.
    """
    row = invited(session, token)
    tokens.spend(session, "welcome", token)
    row.name = " ".join(name.split())[: users.LONGEST] or row.name
    row.password, row.invited_at = hashed, None
    actor = audit.user_actor(row, address)
    said = f"accepted the invitation as {row.role}"
    audit.note(session, "person.accepted", row.id, said, merchant=row.merchant, actor=actor)
    return row
