"""Call the hub's own API as a program would, and never give up while it restarts."""

from __future__ import annotations

import time
from typing import Any

import requests

from hub.errors import HubError, Rejected

PATIENCE = 60.0


class Caller:
    """One client of the API; repeats a call until the hub answers it for good."""

    def __init__(self, root: str, token: str = "") -> None:
        self.root = root
        self.session = requests.Session()
        self.session.trust_env = False
        self.use(token)

    def use(self, token: str) -> None:
        """Send `token` from now on."""
        self.token = token
        if token:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **params: Any) -> Any:
        """GET JSON."""
        return self.call("GET", path, params=params)

    def post(self, path: str, body: Any = None, *, key: str = "", **more: Any) -> Any:
        """POST JSON (or `data` and `files`), with an Idempotency-Key where one is given."""
        headers = {"Idempotency-Key": key} if key else {}
        if body is not None:
            more["json"] = body
        return self.call("POST", path, headers=headers, **more)

    def call(self, method: str, path: str, **more: Any) -> Any:
        """Send until there is an answer that is neither 5xx nor 429; raise `Rejected` on 4xx."""
        deadline = time.monotonic() + PATIENCE
        while True:
            reply = self._send(method, path, more)
            if reply is not None and reply.status_code < 500 and reply.status_code != 429:
                break
            if time.monotonic() > deadline:
                what = "no answer" if reply is None else f"{reply.status_code} {reply.text[:300]}"
                raise HubError(f"{method} {path}: {what} for {PATIENCE:.0f} s")
            time.sleep(0.2)
        if reply.status_code >= 400:
            raise Rejected(f"{method} {path}: {reply.status_code} {reply.text[:500]}")
        return reply.json() if reply.content else None

    def _send(self, method: str, path: str, more: dict[str, Any]) -> requests.Response | None:
        try:
            return self.session.request(method, self.root + path, timeout=30, **more)
        except requests.RequestException:
            return None  # the hub is being started again; a phone would try again too
