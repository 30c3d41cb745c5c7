"""The policy: every route says which roles may use it; one that says nothing does not start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from flask import Flask, current_app, g, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from hub.access import tokens
from hub.errors import Forbidden
from hub.store import Merchant
from hub.web.auth import role

View = TypeVar("View", bound=Callable[..., Any])
MERCHANT_SCOPES: Final = tokens.MERCHANT_SCOPES
"""All that a merchant's key can ever do; routes and drivers are the operator's."""
OPEN_TO_ALL: Final = frozenset({"factor", "signin", "assets", "health"})
"""Blueprints that stay open to somebody who has yet to set a second factor up."""
ROLES: Final = frozenset({"owner", "dispatcher", "ops", "accountant", "merchant", "driver"})


def allow(*roles: str) -> Callable[[View], View]:
    """Let the given roles use a view: a role's name, `public`, or `key:<scope>` for API keys."""
    for name in roles:
        if name not in ROLES and name != "public" and not name.startswith("key:"):
            raise ValueError(f"{name} is no role")

    def mark(view: View) -> View:
        view.allowed = frozenset(roles)  # type: ignore[attr-defined]
        return view

    return mark


def install(app: Flask) -> None:
    """Check every request against its route's roles."""
    app.before_request(enforce)


def enforce() -> Response | None:
    """Let the request pass, send a browser to the sign-in page, or raise `Forbidden`."""
    if request.endpoint is None:
        return None
    wants_page = request.method == "GET" and not request.path.startswith("/api/")
    if permitted(allowed(current_app, request.endpoint)):
        return first_things_first(wants_page)
    if g.principal is None and wants_page and request.accept_mimetypes.accept_html:
        return redirect(url_for("signin.page", next=request.full_path.rstrip("?")))
    if g.principal is None:
        raise Forbidden(g.refused or "sign in first")
    raise Forbidden("your account may not do this; ask the owner of the hub")


def first_things_first(wants_page: bool) -> Response | None:
    """Send somebody whose role needs a second factor to set it up before anything else."""
    if g.via != "session" or not current_user.due or request.blueprint in OPEN_TO_ALL:
        return None
    if wants_page:
        return redirect(url_for("factor.page"))
    raise Forbidden("your role needs a second factor; set it up under your name first")


def permitted(roles: frozenset[str]) -> bool:
    """Say whether the request's principal has one of `roles`."""
    if "public" in roles:
        return True
    if g.via == "key":
        of_merchant = isinstance(g.principal, Merchant)
        scopes = g.scopes & MERCHANT_SCOPES if of_merchant else g.scopes
        return any(f"key:{scope}" in roles for scope in scopes)
    return g.principal is not None and role(g.principal) in roles


def allowed(app: Flask, endpoint: str) -> frozenset[str]:
    """Return the roles that a route's view declares; nobody where it declares none."""
    found: frozenset[str] = getattr(app.view_functions[endpoint], "allowed", frozenset())
    return found


def verify(app: Flask) -> None:
    """Refuse to start with a view that declares no roles."""
    bare = views_without_roles(app)
    if bare:
        raise RuntimeError(f"views without @allow: {', '.join(bare)}")


def views_without_roles(app: Flask) -> list[str]:
    """Return the views that do not say who may use them."""
    return sorted(name for name in app.view_functions if not allowed(app, name))
