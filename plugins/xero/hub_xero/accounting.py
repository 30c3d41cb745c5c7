"""The six calls of Xero's accounting API that a proof needs, failing in the hub's words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hub import PluginError, Rejected, Retry, Unauthorized, Unknown, guard

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
        try:
            return self._write(call, *given, **named)
        except Unknown as error:
            raise Retry(str(error)) from error

    def _write(self, call: Callable[..., Any], *given: Any, **named: Any) -> Any:
        with in_our_words():
            return call(self.tenant, *given, _request_timeout=TIMEOUT, **named)


def client(token: str) -> Any:
    """Return the SDK's client on a guarded transport.

    Its own transport would repeat a 429 three times inside the call and sleep Retry-After (hours,
    for the daily limit) each time.
    """
    from xero_python.api_client import ApiClient
    from xero_python.api_client.configuration import Configuration
    from xero_python.api_client.oauth2 import OAuth2Token

    configuration = Configuration()
    configuration.oauth2_token = OAuth2Token()  # its own: the SDK hands out copies that share one
    saved = {"access_token": token, "scope": [], "expires_in": 1800, "token_type": "Bearer"}
    made = ApiClient(configuration, oauth2_token_getter=lambda: saved)
    made.rest_client.pool_manager = guarded_pool()
    return made


def guarded_pool() -> Any:
    """Return a urllib3 pool that never retries, follows no redirect and asks the guard first."""
    import certifi
    import urllib3

    class GuardedPool(urllib3.PoolManager):
        """Refuses private addresses before every call."""

        def urlopen(self, method: str, url: str, redirect: bool = True, **named: Any) -> Any:  # type: ignore[override]
            guard(url)
            return super().urlopen(method, url, redirect=False, **{**named, "retries": False})

    return GuardedPool(num_pools=1, maxsize=1, ca_certs=certifi.where())


@contextmanager
def in_our_words() -> Iterator[None]:
    """Raise what a failure of the SDK means for the hub."""
    import urllib3.exceptions as transport
    from xero_python.exceptions import ApiException, ApiSSLException

    try:
        yield
    except ApiSSLException as error:
        raise Retry("Xero cannot be reached safely; it is tried again") from error
    except ApiException as error:
        raise meaning(error) from error
    except (transport.NewConnectionError, transport.ConnectTimeoutError) as error:
        raise Retry("Xero cannot be reached; it is tried again") from error
    except transport.HTTPError as error:
        raise Unknown("Xero took the request but its answer never came") from error


def meaning(error: Any) -> Retry | Unauthorized | Rejected | PluginError:
    """Return the hub's word for a status that is not 2xx."""
    reply = error.http_resp
    if reply is None:
        return PluginError(f"xero-python could not make the request: {error.reason}")
    status = int(reply.status)
    if status in (401, 403):
        return Unauthorized(f"Xero does not accept the token ({status}); reconnect it")
    if status == 429 or status >= 500:
        after = str(reply.urllib3_response.headers.get("Retry-After", ""))
        return Retry(f"Xero answered {status}", after=float(after) if after.isdigit() else None)
    said = (reply.data or b"").decode("utf-8", "replace")[:300]
    return Rejected(f"Xero refused it ({status}): {said}")
