"""Calls to ShipStation: JSON both ways, and the allowance that its answers tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from hub import Http, Rejected, Retry, Unknown

WINDOW = 60.0
"""Seconds after which the allowance of version 1 is whole again, at the latest."""


class Api:
    """One account's API; `auth` is its pair of keys, where it has one."""

    def __init__(self, root: str, auth: tuple[str, str] | None = None, **headers: str) -> None:
        self.http = Http(root, budget=None, **headers)
        self.auth = auth
        self.left: int | None = None
        """Requests that may still be made now; `None` where the service does not tell."""
        self.reset = WINDOW
        """Seconds until there are more."""

    def get(self, path: str, **asked: str) -> Any:
        """Return what lies at a path or a whole address."""
        with self._minding():
            reply = self.http.get(path, params=asked, auth=self.auth, hooks=self._hooks)
        try:
            return reply.json()
        except ValueError as error:
            raise Rejected("ShipStation's answer is no JSON; check the address", "url") from error

    def post(self, path: str, told: Mapping[str, Any]) -> dict[str, Any]:
        """Change something; an answer that cannot be read is `Unknown`, for it may be done."""
        with self._minding():
            reply = self.http.post(path, json=told, auth=self.auth, hooks=self._hooks)
        try:
            found = reply.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Unknown("ShipStation's answer is not as expected, so it may be done or not")
        return found

    def delete(self, path: str) -> None:
        """Take something away."""
        with self._minding():
            self.http.request("DELETE", path, auth=self.auth, hooks=self._hooks)

    def rest(self) -> None:
        """Raise `Retry` where nothing more may be asked just now; call it between two pages."""
        if self.left == 0:
            raise Retry(
                "ShipStation's allowance is used up; the rest is read when it is whole again",
                after=self.reset,
            )

    @contextmanager
    def _minding(self) -> Iterator[None]:
        """Say when to come back after a 429 whose answer names it in its own way only."""
        self.left = None
        try:
            yield
        except Retry as error:
            if error.after is None and self.left == 0:
                raise Retry(str(error), after=self.reset) from error
            raise

    @property
    def _hooks(self) -> dict[str, Any]:
        return {"response": self._heed}

    def _heed(self, reply: Any, *given: Any, **named: Any) -> None:
        left = reply.headers.get("X-Rate-Limit-Remaining", "")
        reset = reply.headers.get("X-Rate-Limit-Reset", "")
        if left.isdecimal() or reply.status_code == 429:
            self.left = int(left) if left.isdecimal() and reply.status_code != 429 else 0
            self.reset = float(reset) if reset.isdecimal() else WINDOW
