"""A service that says what a test tells it to say, and keeps what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hub.testing.peers import Peer, Reply, Request

Script = Callable[[Request], Reply | None]


class ScriptedPeer(Peer):
    """Answers every request with what `reply` returns, and keeps the requests.

    `None` hangs up without a word, after the request was read.
    """

    service = "scripted"

    def __init__(self, directory: Path, port: int = 0) -> None:
        self.requests: list[Request] = []
        self.reply: Script = lambda _: Reply(200, {})
        super().__init__(directory, port)

    def answer(self, request: Request) -> Reply:
        """Return the scripted reply, nothing for one that hangs up."""
        return self.reply(request) or Reply(200, {})

    def handle(self, request: Request) -> Reply | None:
        """Keep a request and answer it; nothing is repeated or refused by itself."""
        with self._lock:
            self.requests.append(request)
            reply = self.reply(request)
            if self.mutes:
                self.mutes -= 1
                return None
            return reply


def replied(page: Any) -> Reply:
    """Return a page of a test as the reply that carries it: JSON, unless it is a reply already."""
    if isinstance(page, Reply):
        return page
    return Reply(200, content=json.dumps(page).encode())


def always(reply: Reply) -> Script:
    """Return a script that gives one reply to everything."""
    return lambda _: reply
