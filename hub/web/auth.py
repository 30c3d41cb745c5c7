"""Who is asking: a signed-in user, an API key, or a driver's phone."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, current_app, g, request, session
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFProtect

from hub.access import audit, factors, sessions, tokens, users
from hub.driving import links
from hub.errors import Forbidden
from hub.store import (
    ApiKeyRow,
    Driver,
    Merchant,
    Operator,
    Principal,
    Session,
    SessionRow,
    Store,
    UserRow,
)
from hub.store.database import Busy
from hub.web.context import hub

Change = Callable[[Session], None]
DEVICE_COOKIE = "hub_device"
HASTE = 0.1
"""Seconds that a note may wait for the database."""
HOW = {
    "password": "with a password",
    "link": "with a one-time link",
    "invitation": "with an invitation",
}
_csrf = CSRFProtect()


class SignedIn(UserMixin):  # type: ignore[misc]
    """A user of the session cookie, which carries the token of a row in the table of sessions."""

    def __init__(self, row: UserRow, session: SessionRow, token: str, due: bool) -> None:
        self.id = token
        self.row = row
        self.session = session
        self.due = due
        """Whether the role has to set a second factor up before anything else."""


class Cookies(SecureCookieSessionInterface):
    """Renews the cookie when its row in the table is, and not with every answer.

    An answer that was on its way while somebody signed out would bring the old cookie back, and the
    form to sign in again, whose token is in the new one, would be refused.
    """

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        """Say whether this answer carries the cookie."""
        return session.modified or (session.permanent and bool(g.get("renewed")))


def install(app: Flask) -> None:
    """Let `app` know who asks, before every request."""
    app.session_interface = Cookies()
    manager = LoginManager()
    manager.init_app(app)
    manager.user_loader(load_user)
    _csrf.init_app(app)
    app.before_request(identify)


def load_user(token: str) -> SignedIn | None:
    """Return the user of a live session, and note from time to time that it is used."""
    with hub().store.read() as opened:
        found = sessions.find(opened, token)
        if found is None:
            return None
        row, user = found
        due = user.role in factors.required(opened) and not factors.is_on(opened, user.id)
        stale = row.last_seen_at < opened.wall - sessions.SEEN_EVERY
    if stale:
        g.renewed = True
        remember(lambda session: sessions.seen(session, row))
    return SignedIn(user, row, token, due)


def remember(change: Change) -> bool:
    """Write a note that matters less than the request; say whether the database was free."""
    store = Store(hub().store.url, HASTE)
    try:
        with store.write() as opened:
            change(opened)
    except Busy:
        return False
    finally:
        store.close()
    return True


def begin(opened: Session, row: UserRow, how: str) -> str:
    """Begin a session for a user in the table, and return the token for `let_in`."""
    agent = request.user_agent.string[:300]
    token = sessions.begin(opened, row, how=how, agent=agent, address=address())
    actor = audit.user_actor(row, address())
    audit.note(opened, "session.began", row.id, f"signed in {HOW[how]}", actor=actor)
    return token


def let_in(token: str) -> None:
    """Give this browser the session with that token, and nothing left of an earlier one."""
    session.clear()
    session.permanent = True
    user = load_user(token)
    if user is None:
        raise Forbidden("this account is no longer in use; ask the owner of the hub")
    login_user(user)


def sign_out() -> None:
    """End the session, here and in the table."""
    if current_user.is_authenticated:
        user: SignedIn = current_user._get_current_object()
        actor = audit.user_actor(user.row, address())
        with hub().store.write() as opened:
            sessions.end(opened, user.row.id, user.session.id)
            audit.note(opened, "session.ended", user.row.id, "signed out", actor=actor)
    logout_user()
    session.clear()


def address() -> str:
    """Return the network address that is asking; only HUB_PROXIES may say another one for it."""
    return (request.remote_addr or "")[:60]


def identify() -> None:
    """Find out on whose behalf this request acts, and refuse forged ones."""
    g.principal, g.scopes, g.via, g.refused = None, frozenset(), "nobody", ""
    if request.endpoint is None:
        return
    bearer = request.authorization
    if bearer is not None and bearer.type == "bearer" and bearer.token:
        by_bearer(bearer.token)
    elif on_phone() and request.cookies.get(DEVICE_COOKIE):
        by_device(request.cookies[DEVICE_COOKIE], "phone")
    elif current_user.is_authenticated:
        g.principal, g.via = users.principal(current_user.row), "session"
    if request.method not in ("GET", "HEAD", "OPTIONS") and forgeable():
        _csrf.protect()


def on_phone() -> bool:
    """Say whether this path belongs to the driver's app, where the phone's cookie counts."""
    return request.path.startswith(("/driver", "/api/v1/driver/"))


def forgeable() -> bool:
    """Say whether a browser could be made to send this request by another site.

    Bearer tokens are never sent by themselves, the phone's cookie is SameSite=Strict, and the
    JSON API takes no request without credentials that changes anything but the driver's link. The
    address of a hook has its own secret, and so has the page that ends mails.
    """
    if g.via in ("key", "device", "phone") or request.path.startswith(("/hooks/", "/u/")):
        return False
    return g.via == "session" or not request.path.startswith("/api/")


def by_bearer(token: str) -> None:
    """Identify an API key (`hub_...`) or a driver's device token."""
    if not token.startswith("hub_"):
        by_device(token, "device")
        return
    with hub().store.read() as opened:
        row = tokens.check_key(opened, token)
        note_use(opened, row.id)
    g.scopes, g.via = frozenset(row.scopes), "key"
    g.principal = Merchant(row.merchant, row.id) if row.merchant else Operator("ops", row.id)


def note_use(opened: Session, key: str) -> None:
    """Remember that a key was used, at most once a minute per process."""
    used: dict[str, float] = current_app.extensions.setdefault("keys_used", {})
    now = opened.wall.timestamp()
    if now - used.get(key, 0) < 60:
        return
    used[key] = now

    def write(session: Session) -> None:
        session.get_one(ApiKeyRow, key).last_used_at = session.wall

    if not remember(write):
        used.pop(key, None)


def by_device(token: str, via: str) -> None:
    """Identify a driver's phone.

    A cookie that opens nothing any more is kept in mind only: the phone has to be able to load the
    page of its next link.
    """
    with hub().store.read() as opened:
        try:
            driver = links.phone_of(opened, token)
        except Forbidden as error:
            if via == "device":
                raise
            g.refused = str(error)
            return
    g.principal, g.via = Driver(driver), via


def role(principal: Principal | None) -> str:
    """Return the role under which the policy knows a principal."""
    if isinstance(principal, Operator):
        return principal.role
    if isinstance(principal, Merchant):
        return "merchant"
    return "driver" if isinstance(principal, Driver) else "public"
