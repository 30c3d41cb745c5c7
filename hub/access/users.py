"""Users who sign in with a password or a one-time link."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlmodel import col, select

from hub.access import audit, factors, sessions, tokens
from hub.errors import Missing, Refused
from hub.store import Merchant, Operator, Principal, Session, UserRow

ROLES = ("owner", "dispatcher", "ops", "accountant", "merchant")
LONGEST = 200
"""Characters of a name or an address."""
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$bm9ib2R5bm9ib2R5$" + "A" * 43


def hash_password(password: str) -> str:
    """Return what is kept instead of a password (Argon2id).

    It takes tens of milliseconds on purpose, so call it before a write transaction is opened.
    """
    return PasswordHasher().hash(password)


def add_user(
    session: Session,
    email: str,
    role: str,
    *,
    name: str = "",
    hashed: str = "",
    merchant: str | None = None,
) -> UserRow:
    """Add somebody; raise `Refused` for an address that is taken or a role that is unknown.

    `hashed` is what `hash_password` returned; without it only one-time links sign the user in.
    """
    row = new_user(session, email, role, name=name, hashed=hashed, merchant=merchant)
    said = f"added {row.email} as {role}"
    audit.note(session, "person.added", row.id, said, merchant=merchant)
    return row


def new_user(
    session: Session,
    email: str,
    role: str,
    *,
    name: str = "",
    hashed: str = "",
    merchant: str | None = None,
) -> UserRow:
    """Add somebody as `add_user` does; the caller writes down how that came about."""
    email = email.strip().lower()
    name_part, at, domain = email.partition("@")
    if not (name_part and at and domain) or not email.isprintable() or len(email) > LONGEST:
        raise Refused(f"{email[:LONGEST]!r} is no e-mail address", "email")
    check_role(role, merchant)
    if session.exec(select(UserRow).where(UserRow.email == email)).one_or_none():
        raise Refused(f"{email} already has an account", "email")
    row = UserRow(
        email=email,
        name=name or name_part,
        role=role,
        merchant=merchant,
        password=hashed,
        created_at=session.wall,
    )
    session.add(row)
    return row


def find_user(session: Session, email: str) -> UserRow:
    """Return the user with an address; raise `Missing` where there is none."""
    email = email.strip().lower()
    row = session.exec(select(UserRow).where(UserRow.email == email)).one_or_none()
    if row is None:
        raise Missing(f"nobody has the address {email}; add them with: hub user add {email}")
    return row


def check_role(role: str, merchant: str | None) -> None:
    """Raise `Refused` for a role that there is not, or one that does not go with `merchant`."""
    if role not in ROLES:
        raise Refused(f"there is no role {role!r}; one of {', '.join(ROLES)}", "role")
    if (role == "merchant") != (merchant is not None):
        raise Refused("a merchant's user, and only that, belongs to a merchant", "merchant")


def disable(session: Session, email: str) -> UserRow:
    """Keep somebody out from the next request on, with every sign-in link that is still open.

    Raise `Refused` for the last owner: nobody could let anybody in again.
    """
    row = find_user(session, email)
    if row.disabled_at is not None:
        return row
    keep_an_owner(session, row)
    row.disabled_at = session.wall
    tokens.revoke(session, "sign_in", row.id)
    sessions.end_all(session, row.id)
    audit.note(session, "person.disabled", row.id, f"kept {row.email} out", merchant=row.merchant)
    return row


def keep_an_owner(session: Session, row: UserRow) -> None:
    """Raise `Refused` where `row` is the only owner who may sign in."""
    if row.role == "owner" and [one.id for one in owners(session)] == [row.id]:
        raise Refused(
            f"{row.email} is the last owner, and a hub without one cannot be run; "
            "add another first with: hub user add EMAIL --role owner",
            "email",
        )


def owners(session: Session) -> list[UserRow]:
    """Return the owners who may sign in, held until this transaction ends.

    Two of them who disable each other at the same moment are taken one after the other.
    """
    query = select(UserRow).where(
        UserRow.role == "owner",
        col(UserRow.disabled_at).is_(None),
        col(UserRow.invited_at).is_(None),
    )
    return list(session.exec(query.order_by(UserRow.id).with_for_update()))


def enable(session: Session, email: str) -> UserRow:
    """Let somebody in again who was disabled."""
    row = find_user(session, email)
    if row.disabled_at is not None:
        row.disabled_at = None
        said = f"let {row.email} in again"
        audit.note(session, "person.enabled", row.id, said, merchant=row.merchant)
    return row


def set_role(session: Session, email: str, role: str, merchant: str | None = None) -> UserRow:
    """Give somebody another role; open sessions end, so that none goes on with the old one.

    Raise `Refused` for the last owner and for a role that does not go with `merchant`.
    """
    row = find_user(session, email)
    check_role(role, merchant)
    if (row.role, row.merchant) == (role, merchant):
        return row
    if role != "owner":
        keep_an_owner(session, row)
    said = f"changed the role of {row.email} from {row.role} to {role}"
    row.role, row.merchant = role, merchant
    sessions.end_all(session, row.id)
    audit.note(session, "person.role_changed", row.id, said, merchant=merchant)
    return row


def reset_factor(session: Session, email: str) -> UserRow:
    """Turn off the second factor of somebody who has lost it; open sessions end."""
    row = find_user(session, email)
    factors.turn_off(session, row.id)
    sessions.end_all(session, row.id)
    said = f"reset the second factor of {row.email}"
    audit.note(session, "person.factor_reset", row.id, said, merchant=row.merchant)
    return row


def sign_in_link(session: Session, email: str) -> str:
    """Return the token of a link that signs somebody in once, within a day.

    Raise `Refused` for somebody who is disabled or has not accepted the invitation.
    """
    row = find_user(session, email)
    if row.disabled_at is not None:
        raise Refused(
            f"{row.email} is disabled; let them in again with: hub user enable {row.email}"
        )
    if row.invited_at is not None:
        raise Refused(f"{row.email} has not accepted the invitation yet; send a new one instead")
    said = f"made a one-time sign-in link for {row.email}"
    audit.note(session, "person.link_made", row.id, said, merchant=row.merchant)
    return tokens.issue(session, "sign_in", row.id)


def set_password(session: Session, row: UserRow, hashed: str, *, keep: str = "") -> None:
    """Give somebody another password; every session ends but the one with the id `keep`."""
    row.password = hashed
    tokens.revoke(session, "sign_in", row.id)
    sessions.end_all(session, row.id, but=keep)
    audit.note(session, "password.changed", row.id, "changed their password")


def verify(session: Session, email: str, password: str) -> UserRow | None:
    """Return the user whose password this is; takes as long for an unknown address."""
    row = session.exec(select(UserRow).where(UserRow.email == email.strip().lower())).one_or_none()
    known = row is not None and row.password and row.disabled_at is None
    try:
        PasswordHasher().verify(row.password if row and known else _NOBODY, password)
    except (VerifyMismatchError, InvalidHashError):
        return None
    return row if known else None


def principal(row: UserRow) -> Principal:
    """Return on whose behalf a user acts."""
    if row.merchant is not None:
        return Merchant(row.merchant, user=row.id)
    return Operator(row.role, user=row.id)  # type: ignore[arg-type]
