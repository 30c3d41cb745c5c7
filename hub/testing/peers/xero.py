"""Xero's accounting API as far as a delivery record needs it: invoices, history, attachments."""

from __future__ import annotations

import hashlib
import html
import re
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from hub.testing.peers.log import Entry
from hub.testing.peers.server import Peer, Reply, Request
from hub.testing.peers.sms import page

ROOT = "/api.xro/2.0"
INVOICE = re.compile(r"^/Invoices/([0-9a-f-]{36})/(History|Attachments)(?:/(.+))?$")
MARKER = re.compile(r"POD[:-]([A-Za-z0-9_]+)")


class XeroPeer(Peer):
    """Knows every invoice but those whose number ends in 0000.

    Calls need a `xero-tenant-id` and any token that has not expired; a repeated Idempotency-Key
    of the same method gets the first answer.
    """

    service = "xero"
    shows = True
    token = "xero-demo-token"  # noqa: S105 - opens nothing but this peer

    def __init__(self, directory: Path, port: int = 0) -> None:
        self.numbers: dict[str, str] = {}
        self.notes: dict[str, list[str]] = {}
        self.files: dict[str, dict[str, dict[str, Any]]] = {}
        (directory / "attachments").mkdir(parents=True, exist_ok=True)
        super().__init__(directory, port)

    def admits(self, request: Request) -> bool:
        """Take every token but those that have expired."""
        return bool(request.bearer) and request.bearer not in self.expired

    def answer(self, request: Request) -> Reply:
        """Answer the calls of the SDK."""
        if not request.headers.get("xero-tenant-id"):
            return Reply(403, {"Detail": "AuthorizationUnsuccessful"})
        path = request.path.removeprefix(ROOT)
        if path == "/Invoices" and request.method == "GET":
            return self._invoices(request)
        found = INVOICE.match(path)
        if found is None:
            return Reply(404, {"Detail": "The resource you're looking for cannot be found"})
        invoice, part, name = found.groups()
        if request.method == "GET":
            return Reply(200, self._listed(invoice, part))
        if request.method == "PUT":
            return self._attach(request, invoice, name) if name else self._note(request, invoice)
        return Reply(405, {"Detail": "method not allowed"})

    def _invoices(self, request: Request) -> Reply:
        numbers = [n for n in request.query.get("InvoiceNumbers", "").split(",") if n]
        known = [number for number in numbers if not number.endswith("0000")]
        return Reply(200, {"Id": str(uuid4()), "Invoices": [self._invoice(n) for n in known]})

    def _invoice(self, number: str) -> dict[str, Any]:
        id = str(uuid5(NAMESPACE_URL, f"invoice:{number}"))
        self.numbers[id] = number
        return {
            "Type": "ACCREC",
            "InvoiceID": id,
            "InvoiceNumber": number,
            "Status": "AUTHORISED",
            "HasAttachments": bool(self.files.get(id)),
        }

    def _listed(self, invoice: str, part: str) -> dict[str, Any]:
        if part == "History":
            notes = self.notes.get(invoice, [])
            return {"HistoryRecords": [{"Changes": "Note", "Details": text} for text in notes]}
        return {"Attachments": [attachment(n, f) for n, f in self._files(invoice).items()]}

    def _files(self, invoice: str) -> dict[str, dict[str, Any]]:
        return self.files.get(invoice, {})

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
            sent={"invoice": invoice, "number": self.numbers.get(invoice, ""), "text": details},
        )

    def _attach(self, request: Request, invoice: str, name: str) -> Reply:
        if not request.body:
            return Reply(400, {"Message": "The file is empty"})
        sha256 = hashlib.sha256(request.body).hexdigest()
        (self.directory / "attachments" / sha256).write_bytes(request.body)
        sent = {
            "invoice": invoice,
            "number": self.numbers.get(invoice, ""),
            "name": name,
            "sha256": sha256,
            "size": len(request.body),
        }
        data = {"Attachments": [attachment(name, sent)]}
        return Reply(200, data, stop=stop_of(name), kind="attachment", sent=sent)

    def remember(self, entry: Entry) -> None:
        """Keep a note or a file."""
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
        rows = [self._row(invoice) for invoice in {**self.notes, **self.files}]
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
        return f"<tr><td>{html.escape(self.numbers.get(invoice, invoice))}<td>{notes}<td>{files}"


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
