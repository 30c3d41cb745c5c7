"""Users who sign in with a password or a one-time link."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlmodel import col, select

from hub.access import tokens
from hub.errors import Missing, Refused
from hub.store import Merchant, Operator, Principal, Session, UserRow

ROLES = ("owner", "dispatcher", "ops", "accountant", "merchant")
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
    email = email.strip().lower()
    if "@" not in email:
        raise Refused(f"{email!r} is no e-mail address", "email")
    if role not in ROLES:
        raise Refused(f"there is no role {role!r}; one of {', '.join(ROLES)}", "role")
    if (role == "merchant") != (merchant is not None):
        raise Refused("a merchant's user, and only that, belongs to a merchant", "merchant")
    if session.exec(select(UserRow).where(UserRow.email == email)).one_or_none():
        raise Refused(f"{email} already has an account", "email")
    row = UserRow(
        email=email,
        name=name or email.split("@")[0],
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


def disable(session: Session, email: str) -> UserRow:
    """Keep somebody out from the next request on, with every sign-in link that is still open.

    Raise `Refused` for the last owner: nobody could let anybody in again.
    """
    row = find_user(session, email)
    if row.disabled_at is not None:
        return row
    if row.role == "owner" and len(owners(session)) == 1:
        raise Refused(
            f"{row.email} is the last owner, and a hub without one cannot be run; "
            "add another first with: hub user add EMAIL --role owner",
            "email",
        )
    row.disabled_at = session.wall
    tokens.revoke(session, "sign_in", row.id)
    return row


def owners(session: Session) -> list[UserRow]:
    """Return the owners who may sign in, held until this transaction ends.

    Two of them who disable each other at the same moment are taken one after the other.
    """
    query = select(UserRow).where(UserRow.role == "owner", col(UserRow.disabled_at).is_(None))
    return list(session.exec(query.order_by(UserRow.id).with_for_update()))


def enable(session: Session, email: str) -> UserRow:
    """Let somebody in again who was disabled."""
    row = find_user(session, email)
    row.disabled_at = None
    return row


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
