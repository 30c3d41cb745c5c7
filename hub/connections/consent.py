"""The way to a consent page and back: begun once, bound to a person and a browser, used once."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlmodel import col, delete, select, update

from hub.access.keys import Keys
from hub.errors import Refused
from hub.nouns import Grant
from hub.store import ConnectionRow, ConsentRow, Session

LIFE = timedelta(minutes=10)
"""From the button to the way back."""
ASKED_FOR = timedelta(hours=24)
"""How long a grant of another account waits for somebody to say what to do with it."""
KEPT_FOR = timedelta(days=7)
CALLBACK = "/admin/connections/callback"
"""The one address to which every service sends people back."""
LARGEST_ANSWER = 8_000
ENDED = ("done", "failed", "dropped")
AGAIN = "Open the connection and press Connect again."
NOT_OURS = f"This way back was not begun here, by you and in this browser. {AGAIN}"
USED = f"This way back was used already; it works once. {AGAIN}"
TOO_LATE = f"This took longer than ten minutes, so the way back is closed. {AGAIN}"
DENIED = {"access_denied": "access was not granted"}


def begin(
    session: Session, keys: Keys, row: ConnectionRow, *, user: str, browser: str
) -> ConsentRow:
    """Begin a consent for a connection; a worker then makes the address of its page.

    `browser` is a secret of the browser's own session.
    """
    old = select(ConsentRow.id).where(col(ConsentRow.expires_at) < session.wall - KEPT_FOR)
    session.exec(delete(ConsentRow).where(col(ConsentRow.id).in_(old.limit(100))))
    state = secrets.token_urlsafe(32)
    made = ConsentRow(
        connection=row.id, merchant=row.merchant, user=user, browser=digest(browser),
        digest=digest(state), created_at=session.wall, expires_at=session.wall + LIFE,
    )  # fmt: skip
    seal(keys, made, {"state": state, "verifier": secrets.token_urlsafe(48)})
    session.add(made)
    session.flush()
    return made


def redeem(
    session: Session, keys: Keys, query: Mapping[str, str], *, user: str, browser: str
) -> ConsentRow:
    """Take somebody back from a consent page; raise `Refused` for whoever did not go there."""
    state = query.get("state", "")
    found = session.exec(select(ConsentRow).where(ConsentRow.digest == digest(state)))
    row = found.one_or_none() if state else None
    if row is None or row.user != user or not hmac.compare_digest(row.browser, digest(browser)):
        raise Refused(NOT_OURS)
    if row.state != "open":
        raise Refused(USED if row.state != "asked" else NOT_OURS)
    if row.expires_at <= session.wall:
        raise Refused(TOO_LATE)
    if sum(len(name) + len(value) for name, value in query.items()) > LARGEST_ANSWER:
        raise Refused(f"The other side sent more than fits into an address. {AGAIN}")
    # Of two requests with the same state at once, one finds it open.
    taken = session.exec(
        update(ConsentRow)
        .where(col(ConsentRow.id) == row.id, col(ConsentRow.state) == "open")
        .values(state="returned")
    )
    if taken.rowcount != 1:
        raise Refused(USED)
    session.refresh(row)
    if not query.get("code"):
        fail(session, row, denial(query))
        return row
    seal(keys, row, {**opened(keys, row), "query": dict(query)})
    return row


def denial(query: Mapping[str, str]) -> str:
    """Return in words why somebody came back without a code (RFC 6749, 4.1.2.1)."""
    error = query.get("error", "")[:60]
    if not error:
        return "it sent you back without a word about access"
    said = query.get("error_description", "")[:200]
    return f"{DENIED.get(error, 'it did not give access')} ({error}{': ' + said if said else ''})"


def challenge(verifier: str) -> str:
    """Return the S256 challenge of a PKCE verifier (RFC 7636, 4.2)."""
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    return str(create_s256_code_challenge(verifier))


def fail(session: Session, row: ConsentRow, reason: str) -> None:
    """End a consent that led nowhere."""
    end(session, row, "failed")
    row.reason = reason[:500]


def end(session: Session, row: ConsentRow, state: str) -> None:
    """End a consent; nothing of what it carried is kept."""
    row.state, row.sealed, row.ended_at = state, "", session.wall


def hold(session: Session, keys: Keys, row: ConsentRow, grant: Grant) -> None:
    """Keep what was granted until somebody says whether the other account is meant."""
    seal(keys, row, {"grant": grant.model_dump(mode="json")})
    row.state, row.account = "question", grant.account
    row.expires_at = session.wall + ASKED_FOR


def held(keys: Keys, row: ConsentRow) -> Grant:
    """Return what `hold` kept."""
    return Grant.model_validate(opened(keys, row)["grant"])


def opened(keys: Keys, row: ConsentRow) -> dict[str, Any]:
    """Return what a consent carries, in clear."""
    found: dict[str, Any] = json.loads(keys.unseal(row.sealed))
    return found


def seal(keys: Keys, row: ConsentRow, carried: dict[str, Any]) -> None:
    """Let a consent carry something."""
    row.sealed = keys.seal(json.dumps(carried))


def latest(session: Session, connection: str, user: str) -> ConsentRow | None:
    """Return the consent that somebody began last for a connection."""
    query = select(ConsentRow).where(
        ConsentRow.connection == connection, ConsentRow.user == user
    )  # fmt: skip
    return session.exec(query.order_by(col(ConsentRow.id).desc()).limit(1)).first()


def digest(text: str) -> str:
    """Return what is stored instead of a state or a browser's mark."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
