"""The calls of Xero's accounting API that the connector makes, failing in the hub's words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hub import Budget, GuardedPool, Rejected
from hub_xero.refusals import in_our_words

Json = dict[str, Any]
TIMEOUT = (5, 20)
"""Seconds to connect and to read: whole numbers, because the SDK ignores fractions silently."""
DIGITS = 4
"""Decimals of a unit price; without saying so Xero rounds it to two."""
PAGE = 100
TOGETHER = 40
"""Documents that are asked for by their ids in one call, so that its address stays short."""
GONE = ("DELETED", "VOIDED")
ALL = ("DRAFT", "SUBMITTED", "AUTHORISED", "PAID", *GONE)


class Accounting:
    """One organisation's accounts, through xero-python; documents are JSON as Xero has them.

    They are read without the SDK's models, which give up a whole page for one value they do not
    know. Every call takes from `budget`.
    """

    def __init__(self, url: str, token: str, tenant: str, budget: Budget | None = None) -> None:
        from xero_python.accounting import AccountingApi

        self.tenant = tenant
        self.api = AccountingApi(client(token, budget), base_url=url)

    def one_invoice(self) -> None:
        """Read the smallest thing that the permission for invoices allows."""
        self._read("Invoices", self.api.get_invoices, page=1, page_size=1)

    def changed_invoices(self, since: datetime, page: int, first: date) -> list[Json]:
        """Return a page of the sales invoices changed since, the oldest change first."""
        where = f'Type=="ACCREC" AND Date>=DateTime({first.year}, {first.month}, {first.day})'
        return self._page(self.api.get_invoices, "Invoices", since, page, where=where, **SIZED)

    def changed_quotes(self, since: datetime, page: int, first: date) -> list[Json]:
        """Return a page of the quotes changed since; Xero always gives 100."""
        return self._page(self.api.get_quotes, "Quotes", since, page, date_from=first)

    def changed_purchase_orders(self, since: datetime, page: int, first: date) -> list[Json]:
        """Return a page of the purchase orders changed since."""
        return self._page(
            self.api.get_purchase_orders, "PurchaseOrders", since, page,
            date_from=first.isoformat(), page_size=PAGE,
        )  # fmt: skip

    def invoices(self, ids: Iterable[str]) -> list[Json]:
        """Return invoices by their ids, with their lines."""
        return self._by_ids(self.api.get_invoices, "Invoices", ids, **EXACT)

    def contacts(self, ids: Iterable[str]) -> list[Json]:
        """Return contacts by their ids, archived ones too."""
        return self._by_ids(self.api.get_contacts, "Contacts", ids)

    def invoice(self, number: str) -> Json | None:
        """Return the sales invoice with that number, one that is not deleted or voided if any."""
        found = self._read(
            "Invoices", self.api.get_invoices, invoice_numbers=[number], page=1, **EXACT
        )
        own = [
            one for one in found
            if one.get("InvoiceNumber") == number and one.get("Type", "ACCREC") == "ACCREC"
        ]  # fmt: skip
        return min(own, key=lambda one: one.get("Status") in GONE, default=None)

    def invoices_of(self, contact: str, reference: str) -> list[Json]:
        """Return a customer's invoices with exactly that reference, in any state."""
        return self._read(
            "Invoices", self.api.get_invoices, contact_i_ds=[contact], statuses=list(ALL), page=1,
            where=f"Reference=={quoted(reference)}", **EXACT,
        )  # fmt: skip

    def referred(self, kind: str, reference: str) -> list[Json]:
        """Return the documents, `Invoices` or `CreditNotes`, with exactly that reference."""
        call = self.api.get_invoices if kind == "Invoices" else self.api.get_credit_notes
        return self._read(kind, call, where=f"Reference=={quoted(reference)}", page=1, **EXACT)

    def contact_where(self, name: str, value: str) -> Json | None:
        """Return the first active contact whose field `name` is exactly that."""
        where = f"{name}=={quoted(value)}"
        found = self._read("Contacts", self.api.get_contacts, where=where, page=1)
        return next((one for one in found if one.get("ContactStatus", "ACTIVE") == "ACTIVE"), None)

    def attachments(self, kind: str, id: str) -> list[str]:
        """Return the names of the files on an invoice or a credit note."""
        calls = {
            "Invoices": self.api.get_invoice_attachments,
            "CreditNotes": self.api.get_credit_note_attachments,
        }
        return [str(one.get("FileName")) for one in self._read("Attachments", calls[kind], id)]

    def notes(self, invoice: str) -> list[str]:
        """Return the texts of an invoice's history."""
        found = self._read("HistoryRecords", self.api.get_invoice_history, invoice)
        return [str(one.get("Details") or "") for one in found]

    def attach(self, kind: str, id: str, name: str, content: bytes, key: str) -> None:
        """Put a file on an invoice or a credit note."""
        calls = {
            "Invoices": self.api.create_invoice_attachment_by_file_name,
            "CreditNotes": self.api.create_credit_note_attachment_by_file_name,
        }
        self._write("Attachments", calls[kind], id, name, content, idempotency_key=key)

    def add_note(self, invoice: str, details: str, key: str) -> None:
        """Add a line to an invoice's history; Xero never lets it be changed."""
        records = {"HistoryRecords": [{"Details": details}]}
        call = self.api.create_invoice_history
        self._write("HistoryRecords", call, invoice, records, idempotency_key=key)

    def create(self, kind: str, document: Json, key: str) -> Json:
        """Create a document or a contact; a repeated key gets what the first one made."""
        calls = {
            "Invoices": self.api.create_invoices, "CreditNotes": self.api.create_credit_notes,
            "Contacts": self.api.create_contacts,
        }  # fmt: skip
        exact = {} if kind == "Contacts" else EXACT
        return self._write(kind, calls[kind], {kind: [document]}, idempotency_key=key, **exact)

    def set_lines(self, invoice: str, lines: list[Json], key: str) -> Json:
        """Replace the lines of a draft; one that keeps its `LineItemID` stays the same line."""
        body = {"Invoices": [{"InvoiceID": invoice, "LineItems": lines}]}
        call = self.api.update_invoice
        return self._write("Invoices", call, invoice, body, idempotency_key=key, **EXACT)

    def _page(
        self, call: Callable[..., Any], kind: str, since: datetime, page: int, **named: Any
    ) -> list[Json]:
        whole = since.astimezone(UTC).replace(microsecond=0)
        order = "UpdatedDateUTC ASC"
        return self._read(kind, call, if_modified_since=whole, page=page, order=order, **named)

    def _by_ids(
        self, call: Callable[..., Any], kind: str, ids: Iterable[str], **named: Any
    ) -> list[Json]:
        asked, found = list(dict.fromkeys(ids)), []
        for first in range(0, len(asked), TOGETHER):
            part = asked[first : first + TOGETHER]
            found += self._read(kind, call, i_ds=part, page=1, **named)
        return found

    def _read(self, kind: str, call: Callable[..., Any], *given: Any, **named: Any) -> list[Json]:
        with in_our_words(reads=True):
            found = listed(kind, self._call(call, *given, **named))
        if found is None:
            raise Rejected(f"Xero's answer holds no list of {kind}; check the address", "url")
        return found

    def _write(self, kind: str, call: Callable[..., Any], *given: Any, **named: Any) -> Json:
        with in_our_words(reads=False):
            (first, *_) = listed(kind, self._call(call, *given, **named)) or ({},)
        return first

    def _call(self, call: Callable[..., Any], *given: Any, **named: Any) -> bytes:
        reply = call(self.tenant, *given, _request_timeout=TIMEOUT, _preload_content=False, **named)
        return bytes(reply.data)


EXACT: dict[str, Any] = {"unitdp": DIGITS}
SIZED: dict[str, Any] = {"page_size": PAGE, **EXACT}


def listed(kind: str, content: bytes) -> list[Json] | None:
    """Return the list in an answer, numbers exact; `None` where there is none."""
    told = json.loads(content, parse_float=Decimal)
    found = told.get(kind) if isinstance(told, dict) else None
    return found if isinstance(found, list) else None


def quoted(text: str) -> str:
    """Return a text as Xero's filters take it, which know no escapes."""
    return '"' + text.replace("\\", "").replace('"', "") + '"'


def client(token: str, budget: Budget | None = None) -> Any:
    """Return the SDK's client on the hub's transport.

    Its own transport would repeat a 429 three times inside the call and sleep Retry-After (hours,
    for the daily limit) each time.
    """
    import certifi
    from xero_python.api_client import ApiClient
    from xero_python.api_client.configuration import Configuration
    from xero_python.api_client.oauth2 import OAuth2Token

    configuration = Configuration()
    configuration.oauth2_token = OAuth2Token()  # its own: the SDK hands out copies that share one
    saved = {"access_token": token, "scope": [], "expires_in": 1800, "token_type": "Bearer"}
    made = ApiClient(configuration, oauth2_token_getter=lambda: saved)
    pool = GuardedPool(budget=budget, num_pools=1, maxsize=1, ca_certs=certifi.where())
    made.rest_client.pool_manager = pool
    return made
