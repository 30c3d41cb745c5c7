"""The six calls of Xero's accounting API that a proof needs, failing in the hub's words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hub import GuardedPool, HubError, PluginError, Rejected, Retry, Unknown, calling, judge

TIMEOUT = (5, 20)
"""Seconds to connect and to read: whole numbers, because the SDK ignores fractions silently."""


class Accounting:
    """One organisation's accounts, through xero-python."""

    def __init__(self, url: str, token: str, tenant: str) -> None:
        from xero_python.accounting import AccountingApi

        self.tenant = tenant
        self.api = AccountingApi(client(token), base_url=url)

    def one_invoice(self) -> None:
        """Read the smallest thing that the permission for invoices allows."""
        self._read(self.api.get_invoices, page=1, page_size=1)

    def invoice(self, number: str) -> Any | None:
        """Return the invoice with that number, whatever its state but deleted or voided."""
        found = self._read(self.api.get_invoices, invoice_numbers=[number])
        gone = ("DELETED", "VOIDED")
        alive = (one for one in found.invoices or [] if one.status not in gone)
        return next((one for one in alive if one.invoice_number == number), None)

    def attachments(self, invoice: str) -> list[str]:
        """Return the names of the files on an invoice."""
        found = self._read(self.api.get_invoice_attachments, invoice)
        return [one.file_name for one in found.attachments or []]

    def notes(self, invoice: str) -> list[str]:
        """Return the texts of an invoice's history."""
        found = self._read(self.api.get_invoice_history, invoice)
        return [one.details or "" for one in found.history_records or []]

    def attach(self, invoice: str, name: str, content: bytes, key: str) -> None:
        """Put a file on an invoice."""
        self._write(
            self.api.create_invoice_attachment_by_file_name,
            invoice,
            name,
            content,
            idempotency_key=key,
        )

    def add_note(self, invoice: str, details: str, key: str) -> None:
        """Add a line to an invoice's history; Xero never lets it be changed."""
        from xero_python.accounting import HistoryRecord, HistoryRecords

        records = HistoryRecords(history_records=[HistoryRecord(details=details)])
        self._write(self.api.create_invoice_history, invoice, records, idempotency_key=key)

    def _read(self, call: Callable[..., Any], *given: Any, **named: Any) -> Any:
        with in_our_words(reads=True):
            return call(self.tenant, *given, _request_timeout=TIMEOUT, **named)

    def _write(self, call: Callable[..., Any], *given: Any, **named: Any) -> Any:
        with in_our_words(reads=False):
            return call(self.tenant, *given, _request_timeout=TIMEOUT, **named)


def client(token: str) -> Any:
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
    made.rest_client.pool_manager = GuardedPool(num_pools=1, maxsize=1, ca_certs=certifi.where())
    return made


@contextmanager
def in_our_words(*, reads: bool) -> Iterator[None]:
    """Raise what a failure of the SDK means for the hub; `reads` says that nothing is changed."""
    from xero_python.exceptions import ApiException, ApiSSLException

    try:
        with calling("Xero", reads=reads):
            yield
    except ApiSSLException as error:  # broken TLS; what fails at connecting never gets here
        said = "Xero closed the secure connection before it answered"
        raise (Retry(said) if reads else Unknown(said)) from error
    except ApiException as error:
        raise meaning(error, reads=reads) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:  # from the SDK's reader
        said = "Xero's answer is not what its description says; check the address"
        raise (Rejected(said, "url") if reads else Unknown(said)) from error


def meaning(error: Any, *, reads: bool) -> HubError:
    """Return the hub's word for a status that is not 2xx."""
    reply = error.http_resp
    if reply is None:
        return PluginError(f"xero-python could not make the request: {error.reason}")
    said = (reply.data or b"").decode("utf-8", "replace")[:300]
    after = str(reply.urllib3_response.headers.get("Retry-After", ""))
    return judge("Xero", int(reply.status), said, reads=reads, after=after)
