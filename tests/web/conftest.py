"""Clients that are signed in, for the tests of pages."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hub.access import sessions, users
from hub.hub import Hub
from hub.web import create_app


class Browser:
    """A signed-in client that sends the CSRF token of the page it is on."""

    def __init__(self, client: FlaskClient, start: str) -> None:
        self.client, self.start = client, start

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, **more)

    def post(self, path: str, form: dict[str, Any] | None = None, **more: Any) -> TestResponse:
        page = self.client.get(self.start).text
        token = re.search(r'name="csrf-token" content="([^"]+)"', page)
        assert token, f"{self.start} carries no CSRF token"
        headers = {"X-CSRFToken": token[1], "Accept": "text/html"}
        return self.client.post(path, data=form, headers=headers, **more)


@pytest.fixture
def sign_in(hub: Hub) -> Callable[..., Browser]:
    """Return a function that signs somebody in: `sign_in("merchant", merchant_id)`."""

    def enter(role: str, merchant: str | None = None) -> Browser:
        with hub.store.write() as session:
            row = users.add_user(session, f"{role}@example.com", role, merchant=merchant)
            session.flush()
            token = sessions.begin(session, row, how="password", agent="", address="127.0.0.1")
        client = create_app(hub).test_client()
        with client.session_transaction() as cookie:
            cookie["_user_id"], cookie["_fresh"] = token, True
        start = {"merchant": "/m", "accountant": "/admin/messages"}.get(role, "/")
        return Browser(client, start)

    return enter
