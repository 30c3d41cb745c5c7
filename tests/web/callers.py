"""Everybody who may ask: one caller for each role and for each scope of keys."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hub.access import sessions, tokens, users
from hub.driving import links
from hub.hub import Hub
from hub.store import Session, UserRow
from hub.web.policy import ROLES, allowed
from tests.web.two_merchants import Side

STAFF = tuple(sorted(ROLES - {"driver"}))
CALLERS = (
    "public", "driver", *STAFF,
    *(f"key:{scope}" for scope in sorted(tokens.SCOPES)),
    *(f"own key:{scope}" for scope in sorted(tokens.MERCHANT_SCOPES)),
)  # fmt: skip
"""`own key` is a merchant's, `key` the operator's."""


@dataclass
class Caller:
    """Somebody who asks, signed in anew for every request that changes something."""

    app: Flask
    hub: Hub
    name: str
    own: Side

    def __post_init__(self) -> None:
        self.client: FlaskClient = self.app.test_client()
        self.headers: dict[str, str] = {}
        self.user = ""
        self.come_in()

    @property
    def of_merchant(self) -> bool:
        """Whether it speaks for a merchant."""
        return self.name == "merchant" or self.name.startswith("own key")

    def come_in(self) -> None:
        """Get what this caller comes in with."""
        with self.hub.store.write() as session:
            if self.name == "driver":
                url = links.driver_link(self.hub, session, self.own.ids["driver"])
                token = links.enrol(session, url.rsplit("/", 1)[1])[0]
                self.headers = {"Authorization": f"Bearer {token}"}
            elif "key:" in self.name:
                scope = self.name.split("key:")[1]
                merchant = self.own.merchant if self.of_merchant else None
                key = tokens.issue_key(session, "matrix", [scope], merchant)
                self.headers = {"Authorization": f"Bearer {key}"}
            elif self.name != "public":
                self.sign_in(session)
        if not self.headers.get("Authorization"):
            self.take_form_token()

    def sign_in(self, session: Session) -> None:
        """Begin a session; the account is made at the first time."""
        row = session.get(UserRow, self.user) if self.user else None
        if row is None:
            merchant = self.own.merchant if self.of_merchant else None
            email = f"matrix-{self.name}@example.com"
            row = users.add_user(session, email, self.name, merchant=merchant)
            session.flush()
            self.user = row.id
        token = sessions.begin(session, row, how="password", agent="", address="127.0.0.1")
        self.client = self.app.test_client()
        with self.client.session_transaction() as cookie:
            cookie["_user_id"], cookie["_fresh"] = token, True

    def take_form_token(self) -> None:
        """Keep the token that forms of the page carry."""
        page = self.client.get("/sign-in" if self.name == "public" else "/account").text
        found = re.search(r'(?:name="csrf_token" value|name="csrf-token" content)="([^"]+)"', page)
        assert found, f"the first page of {self.name} carries no CSRF token"
        self.headers = {"X-CSRFToken": found[1]}

    def may(self, endpoint: str) -> bool:
        """Say whether the policy lets this caller use a view."""
        roles = allowed(self.app, endpoint)
        return "public" in roles or self.name.removeprefix("own ") in roles

    def send(self, method: str, path: str, **more: Any) -> TestResponse:
        """Send a request as a browser or a program would."""
        headers = {"Accept": "text/html,application/json", **self.headers}
        return self.client.open(path, method=method, headers=headers, **more)
