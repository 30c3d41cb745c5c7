"""An SMS gateway: drops a repeated key, refuses numbers that end in 0000."""

from __future__ import annotations

import html
from pathlib import Path
from uuid import uuid4

from hub.testing.peers.log import Entry
from hub.testing.peers.server import Peer, Reply, Request


class SmsPeer(Peer):
    """Takes `POST /messages`, tells of its account, and shows what it has sent."""

    service = "sms"
    shows = True
    token = "sms-demo-token"  # noqa: S105 - opens nothing but this peer

    def __init__(self, directory: Path, port: int = 0) -> None:
        self.sent: list[Entry] = []
        super().__init__(directory, port)

    def answer(self, request: Request) -> Reply:
        """Answer the two calls of the gateway."""
        if (request.method, request.path) == ("GET", "/account"):
            return Reply(200, {"name": "Recording gateway", "balance": "unlimited"})
        if (request.method, request.path) != ("POST", "/messages"):
            return Reply(404, {"error": "no such address"})
        try:
            message = request.json()
            to, text = str(message["to"]), str(message["text"])
        except (ValueError, KeyError, TypeError):
            return Reply(400, {"error": "to and text are needed"})
        return self._take(message, to, text)

    def _take(self, message: dict[str, str], to: str, text: str) -> Reply:
        if not to.startswith("+") or not to[1:].isdigit():
            return Reply(422, {"error": "to is no E.164 number"})
        if to.endswith("0000"):
            return Reply(422, {"error": "this number does not exist"})
        return Reply(
            201,
            {"id": f"sms-{uuid4().hex[:16]}"},
            stop=str(message.get("reference") or ""),
            kind=str(message.get("kind") or "sms"),
            sent={"to": to, "from": str(message.get("from") or ""), "text": text},
        )

    def remember(self, entry: Entry) -> None:
        """Keep an accepted message for `show`."""
        self.sent.append(entry)

    def show(self, request: Request) -> Reply:
        """Show the messages as a page, newest first."""
        rows = "".join(
            f"<tr><td>{html.escape(entry.at[:19])}<td>{html.escape(entry.sent['to'])}"
            f"<td>{html.escape(entry.sent['from'])}<td>{html.escape(entry.sent['text'])}"
            for entry in reversed(self.sent)
        )
        return page("Text messages", f"<tr><th>At<th>To<th>From<th>Text{rows}")


def page(title: str, rows: str) -> Reply:
    """Return a plain page with one table."""
    text = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
        "<style>body{font:16px/1.5 system-ui;margin:2rem}td,th{text-align:left;"
        f"padding:.3rem .8rem;border-bottom:1px solid #ddd}}</style><h1>{title}</h1>"
        f"<table>{rows}</table>"
    )
    return Reply(200, headers={"Content-Type": "text/html; charset=utf-8"}, content=text.encode())
