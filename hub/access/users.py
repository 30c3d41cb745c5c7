"""Users who sign in with a password or a one-time link."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlmodel import select

from hub.errors import Refused
from hub.store import Merchant, Operator, Principal, Session, UserRow

ROLES = ("owner", "dispatcher", "ops", "accountant", "merchant")
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$bm9ib2R5bm9ib2R5$" + "A" * 43


def add_user(
    session: Session,
    email: str,
    role: str,
    *,
    name: str = "",
    password: str = "",
    merchant: str | None = None,
) -> UserRow:
    """Add somebody; raise `Refused` for an address that is taken or a role that is unknown."""
    email = email.strip().lower()
    if "@" not in email:
        raise Refused(f"{email!r} is no e-mail address", "email")
    if role not in ROLES:
        raise Refused(f"there is no role {role!r}; one of {', '.join(ROLES)}", "role")
    if (role == "merchant") != (merchant is not None):
        raise Refused("a merchant's user, and only that, belongs to a merchant", "merchant")
    if session.exec(select(UserRow).where(UserRow.email == email)).one_or_none():
        raise Refused(f"{email} already has an account", "email")
    hashed = PasswordHasher().hash(password) if password else ""
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
