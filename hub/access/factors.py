"""The second factor: codes of an authenticator app (TOTP, RFC 6238) and codes to recover with."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import pyotp
from sqlmodel import col, delete, func, select, update

from hub.access import audit
from hub.access.keys import Keys
from hub.access.tokens import digest
from hub.errors import Refused
from hub.store import FactorRow, RecoveryRow, Session, SettingRow, UserRow
from hub.store.once import insert_once

SETTING = "second_factor"
STEP = 30
"""Seconds that a code is for."""
WINDOW = 1
"""Steps before and after now whose codes are taken too, for clocks that differ."""
RECOVERY = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
WRONG = "that code is not right; take the newest one that the app shows"


@dataclass(frozen=True)
class SetUp:
    """What an authenticator app needs."""

    secret: str
    uri: str


def begin(session: Session, keys: Keys, user: UserRow, issuer: str) -> SetUp:
    """Begin to set a second factor up, or go on where that was begun; raise `Refused` if it is on.

    Nothing is asked for at sign-in before `confirm`.
    """
    row = session.get(FactorRow, user.id)
    if row is not None and row.on_at is not None:
        raise Refused("the second factor is on already; turn it off first to set up another one")
    if row is None:
        insert_once(session, FactorRow(user=user.id, secret=keys.seal(pyotp.random_base32())))
        row = session.get_one(FactorRow, user.id)
    return set_up(keys, row, user, issuer)


def set_up(keys: Keys, row: FactorRow, user: UserRow, issuer: str) -> SetUp:
    """Return the secret and its address for QR codes."""
    secret = keys.unseal(row.secret)
    uri = pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=issuer.replace(":", " "))
    return SetUp(secret, uri)


def confirm(session: Session, keys: Keys, user: UserRow, code: str) -> list[str]:
    """Turn the second factor on with a first code; return the recovery codes, shown only now."""
    row = session.get(FactorRow, user.id)
    if row is None or row.on_at is not None:
        raise Refused("there is no second factor to confirm; begin to set one up")
    if not take(session, keys, user.id, code):
        raise Refused(WRONG, "code")
    session.exec(update(FactorRow).where(col(FactorRow.user) == user.id).values(on_at=session.wall))
    audit.note(session, "factor.set_up", user.id, "turned their second factor on")
    return renew_recovery(session, user.id)


def renew_recovery(session: Session, user: str) -> list[str]:
    """Make ten new codes to recover with, in place of the old ones, and return them."""
    session.exec(delete(RecoveryRow).where(col(RecoveryRow.user) == user))
    made = [recovery_code() for _ in range(RECOVERY)]
    session.add_all(RecoveryRow(sha256=digest(plain(code)), user=user) for code in made)
    return made


def recovery_code() -> str:
    """Return sixteen letters in four groups: 79 bits, far too many to try."""
    letters = [secrets.choice(_LETTERS) for _ in range(16)]
    return "-".join("".join(letters[at : at + 4]) for at in range(0, 16, 4))


def recovery_left(session: Session, user: str) -> int:
    """Return how many recovery codes a user still has."""
    query = select(func.count()).where(RecoveryRow.user == user, col(RecoveryRow.used_at).is_(None))
    return session.exec(query).one()


def turn_off(session: Session, user: str) -> bool:
    """Forget the second factor and its recovery codes; return whether it was on."""
    row = session.get(FactorRow, user)
    was_on = row is not None and row.on_at is not None
    session.exec(delete(RecoveryRow).where(col(RecoveryRow.user) == user))
    session.exec(delete(FactorRow).where(col(FactorRow.user) == user))
    return was_on


def is_on(session: Session, user: str) -> bool:
    """Say whether a user is asked for a code."""
    query = select(FactorRow.on_at).where(FactorRow.user == user)
    return session.exec(query).first() is not None


def users_with(session: Session) -> set[str]:
    """Return the ids of all users whose second factor is on."""
    return set(session.exec(select(FactorRow.user).where(col(FactorRow.on_at).is_not(None))))


def verify(session: Session, keys: Keys, user: str, code: str) -> str:
    """Use up a code; return what it was: `app`, `recovery`, or nothing for a wrong one."""
    if take(session, keys, user, code):
        return "app"
    used = session.exec(
        update(RecoveryRow)
        .where(
            col(RecoveryRow.sha256) == digest(plain(code)),
            col(RecoveryRow.user) == user,
            col(RecoveryRow.used_at).is_(None),
        )
        .values(used_at=session.wall)
    )
    return "recovery" if used.rowcount == 1 else ""


def take(session: Session, keys: Keys, user: str, code: str) -> bool:
    """Use up a code of the app: right now or a step beside, and none as old as the last taken."""
    row = session.get(FactorRow, user)
    digits = "".join(code.split())
    if row is None or not digits.isascii() or not digits.isdigit():
        return False
    totp, now = pyotp.TOTP(keys.unseal(row.secret), interval=STEP), int(session.wall.timestamp())
    steps = [now // STEP + by for by in range(-WINDOW, WINDOW + 1)]
    # All are compared, so that the time taken tells nothing.
    fits = [step for step in steps if pyotp.utils.strings_equal(digits, totp.generate_otp(step))]
    if not fits:
        return False
    # Of two requests with one code at the same moment, one moves the step.
    moved = session.exec(
        update(FactorRow)
        .where(col(FactorRow.user) == user, col(FactorRow.last_step) < fits[-1])
        .values(last_step=fits[-1])
    )
    return moved.rowcount == 1


def plain(code: str) -> str:
    """Return a recovery code without what people put between its letters."""
    return "".join(letter for letter in code.lower() if letter.isalnum())


def required(session: Session) -> frozenset[str]:
    """Return the roles that have to have a second factor."""
    value = session.exec(select(SettingRow.value).where(SettingRow.name == SETTING)).first()
    return frozenset(value.get("roles", ())) if value else frozenset()


def require(session: Session, roles: frozenset[str]) -> None:
    """Set which roles have to have a second factor."""
    if roles == required(session):
        return
    row = session.get(SettingRow, SETTING)
    if row is None:
        insert_once(session, SettingRow(name=SETTING, value={}))
        row = session.get_one(SettingRow, SETTING)
    row.value = {"roles": sorted(roles)}
    said = ", ".join(sorted(roles)) if roles else "nobody"
    audit.note(session, "setting.changed", SETTING, f"asks a second factor of: {said}")
