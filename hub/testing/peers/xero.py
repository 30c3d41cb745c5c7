"""Xero's accounting API: documents, contacts, histories, files, and its limits where asked for."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import threading
import time
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from uuid import NAMESPACE_URL, uuid4, uuid5

from hub.testing.patience import PATIENCE
from hub.testing.peers.consent import listed
from hub.testing.peers.log import Entry
from hub.testing.peers.server import Peer, Reply, Request
from hub.testing.peers.sms import page
from hub.testing.peers.xero_books import IDS, Books, Invalid, line_of, msdate, total

ROOT = "/api.xro/2.0"
TOKEN, CONNECTIONS = "/connect/token", "/connections"
DOCUMENT = re.compile(
    r"^/(Invoices|CreditNotes)/([0-9a-f-]{36})(?:/(History|Attachments)(?:/(.+))?)?$"
)
MARKER = re.compile(r"POD[:-]([A-Za-z0-9_]+)")
KINDS = {"Invoices": "invoice", "CreditNotes": "credit_note", "Contacts": "contact"}
"""What may be created, by the name under which the log keeps it."""
LOCKED_OUT = {"error": "rate limit exceeded"}


@dataclass
class Limits:
    """What one organisation allows; 0 is no limit."""

    minute: int = 0
    day: int = 0
    concurrent: int = 0


class XeroPeer(Peer):
    """Knows every invoice by number but those whose number ends in 0000, and what is in `books`.

    Calls need a `xero-tenant-id` and any token that has not expired; a repeated Idempotency-Key
    of the same method gets the first answer, and with another body it is refused. `client` and
    `secret` open a custom connection. `limits` are off until they are set.
    """

    service = "xero"
    shows = True
    token = "xero-demo-token"  # noqa: S105 - opens nothing but this peer

    def __init__(self, directory: Path, port: int = 0) -> None:
        self.numbers: dict[str, str] = {}
        self.notes: dict[str, list[str]] = {}
        self.files: dict[str, dict[str, dict[str, Any]]] = {}
        self.books = Books()
        self.limits = Limits()
        self.client, self.secret = "client-1", "client-secret"
        self.tenants = [("tenant-1", "Alpenkraut AG")]
        self.tokens_given = 0
        self.busy = self.most_busy = 0
        self.gate = threading.Event()
        """Clear it, and calls wait before they are answered."""
        self.gate.set()
        self._counting = threading.Lock()
        self._times: deque[float] = deque()
        self._bodies: dict[str, str] = {}
        (directory / "attachments").mkdir(parents=True, exist_ok=True)
        super().__init__(directory, port)

    def admits(self, request: Request) -> bool:
        """Take every token but those that have expired; who asks for one shows other things."""
        if request.path == TOKEN:
            return True
        return bool(request.bearer) and request.bearer not in self.expired

    def handle(self, request: Request) -> Reply | None:
        """Answer one request within the limits."""
        if not request.path.startswith(ROOT):
            return super().handle(request)
        with self._counting:
            self.busy += 1
            self.most_busy = max(self.most_busy, self.busy)
            refused = self._refused()
        try:
            if refused is not None:
                return refused
            self.gate.wait(PATIENCE)
            reply = super().handle(request)
            return replace(reply, headers={**self._left(), **reply.headers}) if reply else None
        finally:
            with self._counting:
                self.busy -= 1

    def _refused(self) -> Reply | None:
        now, limits = time.monotonic(), self.limits
        recent = [at for at in self._times if at > now - 60]
        if limits.concurrent and self.busy > limits.concurrent:
            return Reply(429, LOCKED_OUT, {"X-Rate-Limit-Problem": "concurrent"})
        for problem, limit, used, after in (
            ("day", limits.day, len(self._times), 80_000),
            ("minute", limits.minute, len(recent), 60 - int(now - recent[0]) if recent else 0),
        ):
            if limit and used >= limit:
                told = {"X-Rate-Limit-Problem": problem, "Retry-After": str(after)}
                return Reply(429, LOCKED_OUT, {**self._left(), **told})
        self._times.append(now)
        return None

    def _left(self) -> dict[str, str]:
        now, limits, told = time.monotonic(), self.limits, {}
        if limits.minute:
            used = sum(at > now - 60 for at in self._times)
            told["X-MinLimit-Remaining"] = str(max(limits.minute - used, 0))
        if limits.day:
            told["X-DayLimit-Remaining"] = str(max(limits.day - len(self._times), 0))
        return told

    def _decide(self, request: Request) -> tuple[Reply, bool]:
        digest = hashlib.sha256(request.path.encode() + request.body).hexdigest()
        counts = request.key and self.admits(request) and not self.failures
        if counts and self._bodies.setdefault(request.key, digest) != digest:
            said = "The Idempotency-Key was used with another request"
            return Reply(400, {"Type": "IdempotencyException", "Message": said}), False
        return super()._decide(request)

    def answer(self, request: Request) -> Reply:
        """Answer the calls of the SDK."""
        if request.path == TOKEN:
            return self._token(request)
        if request.path == CONNECTIONS:
            return Reply(content=listed(self.tenants))
        if not request.headers.get("xero-tenant-id"):
            return Reply(403, {"Detail": "AuthorizationUnsuccessful"})
        path = request.path.removeprefix(ROOT)
        try:
            if path.removeprefix("/") in IDS:
                return self._many(request, path.removeprefix("/"))
            found = DOCUMENT.match(path)
            if found is None:
                return Reply(404, {"Detail": "The resource you're looking for cannot be found"})
            return self._one(request, *found.groups())
        except Invalid as error:
            return invalid(str(error))

    def _token(self, request: Request) -> Reply:
        asked = {name: values[-1] for name, values in parse_qs(request.body.decode()).items()}
        told = base64.b64encode(f"{self.client}:{self.secret}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {told}":
            return Reply(400, {"error": "invalid_client"})
        if asked.get("grant_type") != "client_credentials":
            return Reply(400, {"error": "unsupported_grant_type"})
        self.tokens_given += 1
        made = {
            "access_token": f"custom-{uuid4().hex}", "token_type": "Bearer", "expires_in": 1800,
            "scope": asked.get("scope", ""),
        }  # fmt: skip
        return Reply(200, made)

    def _many(self, request: Request, kind: str) -> Reply:
        if request.method == "GET":
            for number in filter(None, request.query.get("InvoiceNumbers", "").split(",")):
                self._imagine(number)
            found = self.books.find(
                kind, request.query, request.headers.get("If-Modified-Since") or ""
            )
            return Reply(200, {"Id": str(uuid4()), kind: self._page(request, kind, found)})
        if request.method != "PUT" or kind not in KINDS:
            return Reply(405, {"Detail": "method not allowed"})
        document = self.books.create(kind, self._sent(request, kind))
        return self._kept(kind, document, KINDS[kind], stop_of(str(document.get("Reference", ""))))

    def _page(
        self, request: Request, kind: str, found: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        number, size = request.query.get("page"), int(request.query.get("pageSize", 100))
        if number is None:  # a list that is not paged is a summary, without the lines
            summary = kind == "Invoices" and not request.query.get("InvoiceNumbers")
            return [{**one, "LineItems": []} if summary else self._seen(one) for one in found]
        first = (int(number) - 1) * size
        return [self._seen(one) for one in found[first : first + size]]

    def _seen(self, document: dict[str, Any]) -> dict[str, Any]:
        id = document.get("InvoiceID", "")
        return {**document, "HasAttachments": bool(self.files.get(id))} if id else document

    def _imagine(self, number: str) -> None:
        """Have an invoice that nobody has made, unless its number ends in 0000."""
        known = {one["InvoiceNumber"] for one in self.books.documents["Invoices"].values()}
        if number in known or number.endswith("0000"):
            return
        id = str(uuid5(NAMESPACE_URL, f"invoice:{number}"))
        who = {"ContactID": str(uuid5(NAMESPACE_URL, "contact")), "Name": "Alpenblick Inn"}
        self.books.put("Contacts", who)
        told = {"Type": "ACCREC", "InvoiceID": id, "InvoiceNumber": number, "Status": "AUTHORISED"}
        self.books.put("Invoices", {**told, "Contact": who})
        self.numbers[id] = number

    def _one(self, request: Request, kind: str, id: str, part: str | None, name: str) -> Reply:
        if part is None:
            if id not in self.books.documents[kind]:
                return Reply(404, {"Detail": "The resource you're looking for cannot be found"})
            if request.method == "GET":
                return Reply(200, {kind: [self._seen(self.books.documents[kind][id])]})
            return self._changed(request, kind, id)
        if request.method == "GET":
            return Reply(200, self._listed(id, part))
        if request.method == "PUT":
            return self._attach(request, id, name) if name else self._note(request, id)
        return Reply(405, {"Detail": "method not allowed"})

    def _changed(self, request: Request, kind: str, id: str) -> Reply:
        before = self.books.documents[kind][id]
        document = self.books.update(kind, id, self._sent(request, kind))
        new = markers(document) - markers(before)
        return self._kept(kind, document, "lines", stop_of(next(iter(sorted(new)), "")))

    def _sent(self, request: Request, kind: str) -> dict[str, Any]:
        try:
            (told,) = request.json()[kind]
        except (ValueError, KeyError, TypeError):
            raise Invalid(f"The request body has no {kind}") from None
        return dict(told)

    def _kept(self, kind: str, document: dict[str, Any], what: str, stop: str) -> Reply:
        if "LineItems" in document:
            document["LineItems"] = [line_of(line) for line in document["LineItems"]]
            document["Total"] = total(document["LineItems"])
            count = len(self.books.documents[kind]) + 1
            prefix = {"Invoices": "Invoice", "CreditNotes": "CreditNote"}[kind]
            document.setdefault(f"{prefix}Number", f"{prefix}-{count:04}")
        sent = {"kind": kind, "document": document}
        return Reply(200, {kind: [document]}, stop=stop, kind=what, sent=sent)

    def _listed(self, invoice: str, part: str) -> dict[str, Any]:
        if part == "History":
            notes = self.notes.get(invoice, [])
            return {"HistoryRecords": [{"Changes": "Note", "Details": text} for text in notes]}
        return {"Attachments": [attachment(n, f) for n, f in self._files(invoice).items()]}

    def _files(self, invoice: str) -> dict[str, dict[str, Any]]:
        return self.files.get(invoice, {})

    def _number(self, id: str) -> str:
        document = self.books.documents["Invoices"].get(id, {})
        return str(document.get("InvoiceNumber") or self.numbers.get(id, ""))

    def _note(self, request: Request, invoice: str) -> Reply:
        try:
            details = str(request.json()["HistoryRecords"][0]["Details"])
        except (ValueError, KeyError, TypeError, IndexError):
            return Reply(400, {"Message": "A validation exception occurred"})
        if len(details) > 250:
            return Reply(400, {"Message": "Details must not be longer than 250 characters"})
        return Reply(
            200,
            {"HistoryRecords": [{"Changes": "Note", "Details": details}]},
            stop=stop_of(details),
            kind="note",
            sent={"invoice": invoice, "number": self._number(invoice), "text": details},
        )

    def _attach(self, request: Request, invoice: str, name: str) -> Reply:
        if not request.body:
            return Reply(400, {"Message": "The file is empty"})
        if len(self._files(invoice)) >= 10 and name not in self._files(invoice):
            return invalid("A maximum of 10 attachments is allowed")
        sha256 = hashlib.sha256(request.body).hexdigest()
        (self.directory / "attachments" / sha256).write_bytes(request.body)
        sent = {
            "invoice": invoice,
            "number": self._number(invoice),
            "name": name,
            "sha256": sha256,
            "size": len(request.body),
        }
        data = {"Attachments": [attachment(name, sent)]}
        return Reply(200, data, stop=stop_of(name), kind="attachment", sent=sent)

    def remember(self, entry: Entry) -> None:
        """Keep a note, a file or a document."""
        if "document" in entry.sent:
            self.books.put(entry.sent["kind"], entry.sent["document"])
            return
        invoice = entry.sent["invoice"]
        self.numbers.setdefault(invoice, entry.sent["number"])
        if entry.kind == "note":
            self.notes.setdefault(invoice, []).append(entry.sent["text"])
        else:
            self.files.setdefault(invoice, {})[entry.sent["name"]] = entry.sent

    def show(self, request: Request) -> Reply:
        """Show the invoices with their notes and files; `/show/<sha256>` is a file."""
        sha256 = request.path.removeprefix("/show").strip("/")
        if sha256:
            return self._shown(sha256)
        made = {one for one, told in self.books.documents["Invoices"].items() if markers(told)}
        rows = [
            self._row(invoice) for invoice in {**self.notes, **self.files, **dict.fromkeys(made)}
        ]
        return page("Invoices", "<tr><th>Invoice<th>History<th>Files" + "".join(rows))

    def _shown(self, sha256: str) -> Reply:
        known = {f["sha256"] for files in self.files.values() for f in files.values()}
        if sha256 not in known:
            return Reply(404, {"Detail": "no such file"})
        content = (self.directory / "attachments" / sha256).read_bytes()
        return Reply(200, headers={"Content-Type": "application/pdf"}, content=content)

    def _row(self, invoice: str) -> str:
        notes = "<br>".join(html.escape(text) for text in self.notes.get(invoice, []))
        files = "<br>".join(
            f'<a href="/show/{f["sha256"]}">{html.escape(name)}</a>'
            for name, f in self._files(invoice).items()
        )
        return f"<tr><td>{html.escape(self._number(invoice) or invoice)}<td>{notes}<td>{files}"


def invalid(said: str) -> Reply:
    """Return what Xero answers to a document that is not right."""
    element = {"ValidationErrors": [{"Message": said}]}
    told = {
        "ErrorNumber": 10, "Type": "ValidationException",
        "Message": "A validation exception occurred", "Elements": [element],
    }  # fmt: skip
    return Reply(400, told)


def markers(document: dict[str, Any]) -> set[str]:
    """Return the marks of deliveries on a document and its lines."""
    lines = [str(line.get("Description", "")) for line in document.get("LineItems") or []]
    texts = [str(document.get("Reference", "")), *lines]
    return {found for text in texts for found in re.findall(r"POD:\w+ #\w+", text)}


def stop_of(text: str) -> str:
    """Return the stop that a note or a file name speaks of, or nothing."""
    found = MARKER.search(text)
    return found.group(1) if found else ""


def attachment(name: str, stored: dict[str, Any]) -> dict[str, Any]:
    """Return a file as Xero lists it."""
    return {
        "AttachmentID": str(uuid5(NAMESPACE_URL, stored["sha256"])),
        "FileName": name,
        "MimeType": "application/pdf",
        "ContentLength": stored["size"],
    }


__all__ = ["CONNECTIONS", "ROOT", "TOKEN", "Books", "Limits", "XeroPeer", "msdate"]
