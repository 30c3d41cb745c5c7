"""The factory of the web application."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from hub.hub import Hub
from hub.web import auth, extensions, policy, problems, security

BLUEPRINTS = (
    "hub.web.health",
    "hub.web.assets",
    "hub.web.maps",
    "hub.web.frame",
    "hub.web.schema",
    "hub.web.signin",
    "hub.web.welcome",
    "hub.web.account",
    "hub.web.factor",
    "hub.web.board",
    "hub.web.admin.connections",
    "hub.web.admin.wizard",
    "hub.web.admin.mapping",
    "hub.web.admin.fields",
    "hub.web.admin.usage",
    "hub.web.admin.advanced",
    "hub.web.admin.endpoints",
    "hub.web.admin.outgoing",
    "hub.web.admin.consent",
    "hub.web.admin.activity",
    "hub.web.admin.rejects",
    "hub.web.admin.incoming",
    "hub.web.admin.plugins",
    "hub.web.admin.imports",
    "hub.web.admin.workflows",
    "hub.web.admin.editor",
    "hub.web.admin.replays",
    "hub.web.admin.runs",
    "hub.web.admin.letters",
    "hub.web.admin.messages",
    "hub.web.admin.merchant",
    "hub.web.admin.fleet",
    "hub.web.admin.fleet_forms",
    "hub.web.admin.settings",
    "hub.web.admin.merchants",
    "hub.web.admin.people",
    "hub.web.admin.keys",
    "hub.web.admin.audit",
    "hub.web.admin.privacy",
    "hub.web.track.pages",
    "hub.web.track.unsubscribe",
    "hub.web.hooks",
    "hub.web.driver",
    "hub.web.api.driver",
    "hub.web.api.proofs",
    "hub.web.api.orders",
    "hub.web.api.imports",
    "hub.web.api.messages",
    "hub.web.api.events",
    "hub.web.api.webhooks",
    "hub.web.api.fleet",
    "hub.web.api.plans",
    "hub.web.api.reoptimisations",
    "hub.web.api.routes",
)
"""Modules with a `blueprint`, in the order in which they are mounted."""

LARGEST_BODY = 1_000_000
"""Bytes; a view that takes files raises `request.max_content_length` for itself."""


def create_app(hub: Hub) -> Flask:
    """Return the web application of an open hub."""
    app = Flask("hub.web", root_path=str(Path(__file__).parent), static_folder=None)
    app.extensions["hub"] = hub
    secure = hub.settings.public_url.startswith("https://")
    app.config.update(
        SECRET_KEY=hub.keys.cookie,
        SESSION_COOKIE_NAME="hub_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure,
        PERMANENT_SESSION_LIFETIME=14 * 86_400,
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.jinja_options = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
    proxies = hub.settings.proxies
    if proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies
        )
    auth.install(app)
    policy.install(app)
    security.install(app)
    problems.install(app)
    for name in BLUEPRINTS:
        app.register_blueprint(import_module(name).blueprint)
    policy.verify(app)
    extensions.mount(app, hub)
    return app
