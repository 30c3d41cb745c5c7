"""Unguessable tokens: made once, kept as a hash, checked in one place."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Literal

from sqlmodel import col, select, update

from hub.access import audit
from hub.access.keys import Keys
from hub.errors import Forbidden, Missing, Refused
from hub.store import ApiKeyRow, Session, TokenRow
from hub.store.once import insert_once

Purpose = Literal[
    "sign_in",
    "welcome",
    "driver_link",
    "driver_device",
    "tracking",
    "webhook",
    "incoming",
    "unsubscribe",
]
MERCHANT_SCOPES = frozenset(
    {"orders:read", "orders:write", "proofs:read", "events:read", "webhooks:write"}
)
SCOPES = MERCHANT_SCOPES | {"plans:write", "routes:write", "fleet:write"}
NOT_VALID = "this link is not valid; ask for a new one"
LIVES: dict[Purpose, timedelta | None] = {
    "sign_in": timedelta(hours=24),
    "welcome": timedelta(days=7),
    "driver_link": timedelta(hours=24),
    "driver_device": timedelta(days=30),
    "tracking": None,
    "webhook": None,
    "incoming": None,
    "unsubscribe": None,
}


def digest(token: str) -> str:
    """Return what is stored instead of the token."""
    return hashlib.sha256(token.encode()).hexdigest()


def issue(session: Session, purpose: Purpose, subject: str) -> str:
    """Make a token of 160 bits that opens `subject`, and return it; it cannot be read again."""
    token = secrets.token_urlsafe(20)
    life = LIVES[purpose]
    session.add(
        TokenRow(
            sha256=digest(token),
            kind=purpose,
            subject=subject,
            created_at=session.wall,
            expires_at=None if life is None else session.wall + life,
        )
    )
    return token


def check(session: Session, purpose: Purpose, token: str) -> str:
    """Return what `token` opens; raise `Forbidden`, in the same words whatever is wrong."""
    row = session.get(TokenRow, digest(token))
    if row is None or row.kind != purpose or row.revoked_at or row.used_at:
        raise Forbidden(NOT_VALID)
    if row.expires_at is not None and row.expires_at <= session.wall:
        raise Forbidden(NOT_VALID)
    return row.subject


def made_for(session: Session, purpose: Purpose, token: str) -> str | None:
    """Return what `token` was made to open, also when it opens nothing any more."""
    row = session.get(TokenRow, digest(token))
    return row.subject if row is not None and row.kind == purpose else None


def open_for(session: Session, purpose: Purpose, subject: str) -> bool:
    """Say whether any token of one purpose opens a subject now."""
    return bool(open_now(session, purpose, subject))


def spend(session: Session, purpose: Purpose, token: str) -> str:
    """Use up a one-time token and return what it opens."""
    subject = check(session, purpose, token)
    used = session.exec(
        update(TokenRow)
        .where(col(TokenRow.sha256) == digest(token), col(TokenRow.used_at).is_(None))
        .values(used_at=session.wall)
    )
    if used.rowcount != 1:
        raise Forbidden(NOT_VALID)
    return subject


def revoke(session: Session, purpose: Purpose, subject: str) -> None:
    """End every token of one purpose for one subject."""
    session.exec(
        update(TokenRow)
        .where(
            col(TokenRow.kind) == purpose,
            col(TokenRow.subject) == subject,
            col(TokenRow.revoked_at).is_(None),
        )
        .values(revoked_at=session.wall)
    )


def retire(session: Session, purpose: Purpose, subject: str, after: timedelta) -> None:
    """Let the tokens of one purpose for one subject open it for a little longer, then no more."""
    end = session.wall + after
    expires = col(TokenRow.expires_at)
    session.exec(
        update(TokenRow)
        .where(
            col(TokenRow.kind) == purpose,
            col(TokenRow.subject) == subject,
            col(TokenRow.revoked_at).is_(None),
            expires.is_(None) | (expires > end),
        )
        .values(expires_at=end)
    )


def open_now(session: Session, purpose: Purpose, subject: str) -> list[TokenRow]:
    """Return the tokens of one purpose that open a subject now, newest first."""
    found = select(TokenRow).where(
        TokenRow.kind == purpose,
        TokenRow.subject == subject,
        col(TokenRow.revoked_at).is_(None),
        col(TokenRow.used_at).is_(None),
        col(TokenRow.expires_at).is_(None) | (col(TokenRow.expires_at) > session.wall),
    )
    return list(session.exec(found.order_by(col(TokenRow.created_at).desc())))


def tracking_token(keys: Keys, stop: str) -> str:
    """Return the 128-bit token of a stop's tracking page: the same each time, for nobody else."""
    made = hmac.digest(keys.tracking.encode(), stop.encode(), "sha256")[:16]
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def open_tracking(session: Session, keys: Keys, stop: str) -> str:
    """Let the stop's tracking page be opened from now on, and return its token."""
    token = tracking_token(keys, stop)
    if session.get(TokenRow, digest(token)) is None:
        session.add(
            TokenRow(sha256=digest(token), kind="tracking", subject=stop, created_at=session.wall)
        )
    return token


def open_unsubscribe(session: Session, keys: Keys, about: str, subject: str) -> str:
    """Return the 128-bit token that ends mails `about` somebody: the same each time.

    What it opens is the `subject` that it was first made with.
    """
    made = hmac.digest(keys.tracking.encode(), f"unsubscribe:{about}".encode(), "sha256")[:16]
    token = base64.urlsafe_b64encode(made).rstrip(b"=").decode()
    row = TokenRow(
        sha256=digest(token), kind="unsubscribe", subject=subject, created_at=session.wall
    )
    insert_once(session, row)
    return token


def issue_key(
    session: Session,
    name: str,
    scopes: list[str],
    merchant: str | None,
    *,
    life: timedelta | None = None,
) -> str:
    """Make an API key and return it; it cannot be read again. Without `life` it never expires.

    Raise `Refused` for a scope that there is not, or that a merchant's key cannot have.
    """
    known = MERCHANT_SCOPES if merchant else SCOPES
    for scope in scopes:
        if scope not in known:
            raise Refused(
                f"there is no scope {scope!r}; one of {', '.join(sorted(known))}", "scope"
            )
    key = "hub_" + secrets.token_urlsafe(24)
    now = session.wall
    row = ApiKeyRow(
        name=name,
        sha256=digest(key),
        merchant=merchant,
        scopes=scopes,
        created_at=now,
        made_by=audit.acting(session).who,
        expires_at=None if life is None else now + life,
    )
    session.add(row)
    said = f"made the key {name} for {', '.join(scopes)}"
    audit.note(session, "key.made", row.id, said, merchant=merchant)
    return key


def check_key(session: Session, key: str) -> ApiKeyRow:
    """Return the row of an API key; raise `Forbidden` for one that is unknown or at its end."""
    row = session.exec(select(ApiKeyRow).where(ApiKeyRow.sha256 == digest(key))).one_or_none()
    if row is None:
        raise Forbidden("this API key is not known; make one with: hub key add")
    if row.revoked_at is not None:
        raise Forbidden("this API key was revoked; make a new one with: hub key add")
    if row.expires_at is not None and row.expires_at <= session.wall:
        raise Forbidden("this API key has expired; make a new one with: hub key add")
    return row


def revoke_key(session: Session, id: str) -> ApiKeyRow:
    """End an API key, from the next request on; raise `Missing` where there is none."""
    row = session.get(ApiKeyRow, id)
    if row is None:
        raise Missing(f"there is no API key {id[:60]}; find its id with: hub key list")
    if row.revoked_at is None:
        row.revoked_at = session.wall
        said = f"revoked the key {row.name}"
        audit.note(session, "key.revoked", row.id, said, merchant=row.merchant)
    return row
