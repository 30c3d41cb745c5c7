"""Who is asking: a signed-in user, an API key, or a driver's phone."""

from __future__ import annotations

from flask import Flask, current_app, g, request, session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFProtect

from hub.access import tokens, users
from hub.driving import links
from hub.errors import Forbidden
from hub.store import Driver, Merchant, Operator, Principal, Session, UserRow
from hub.web.context import hub

DEVICE_COOKIE = "hub_device"
_csrf = CSRFProtect()


class SignedIn(UserMixin):  # type: ignore[misc]
    """A user of the session cookie."""

    def __init__(self, row: UserRow) -> None:
        self.id = row.id
        self.row = row


def install(app: Flask) -> None:
    """Let `app` know who asks, before every request."""
    manager = LoginManager()
    manager.init_app(app)
    manager.user_loader(load_user)
    _csrf.init_app(app)
    app.before_request(identify)


def load_user(id: str) -> SignedIn | None:
    """Return the user of a session, unless disabled since."""
    with hub().store.read() as session:
        row = session.get(UserRow, id)
    return SignedIn(row) if row is not None and row.disabled_at is None else None


def sign_in(row: UserRow) -> None:
    """Start a session for a user, with nothing left of an earlier one."""
    session.clear()
    session.permanent = True
    login_user(SignedIn(row))


def sign_out() -> None:
    """End the session."""
    logout_user()
    session.clear()


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
    address of a hook has its own secret.
    """
    if g.via in ("key", "device", "phone") or request.path.startswith("/hooks/"):
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
    from hub.store import ApiKeyRow
    from hub.store.database import Busy

    try:
        with hub().store.write() as session:
            session.get_one(ApiKeyRow, key).last_used_at = session.wall
    except Busy:
        used.pop(key)  # the request itself matters more than the note


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
