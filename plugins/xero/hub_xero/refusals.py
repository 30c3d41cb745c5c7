"""What Xero says when it refuses something, and who can mend it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hub import HubError, PluginError, Rejected, Retry, Unknown, calling, judge

ACCOUNTANT = "needs accountant: "
"""How the reason begins where only the books can be put right, so that nothing is tried again."""
FIELDS = (
    (re.compile(r"lock date|locked period|end of year", re.I), "date"),
    (re.compile(r"account code|accountcode|account ", re.I), "account"),
    (re.compile(r"tax ?type|tax rate", re.I), "tax_type"),
    (re.compile(r"item code|itemcode|\bitem\b", re.I), "items"),
    (re.compile(r"contact", re.I), "recipient"),
    (re.compile(r"status|cannot be edited|payment|voided|deleted", re.I), "invoice"),
    (re.compile(r"currency", re.I), "price"),
)
"""Words in what Xero says, and the field or setting that they are about; the first that fits."""


def needs_accountant(reason: str, field: str) -> Rejected:
    """Return the error for what a person has to put right in the books."""
    return Rejected(f"{ACCOUNTANT}{reason}", field=field)


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
    text, status = (reply.data or b"").decode("utf-8", "replace"), int(reply.status)
    found = list(validations(text)) if status == 400 and not reads else []
    if found:
        said = "; ".join(dict.fromkeys(found))[:500]
        return needs_accountant(f"Xero says: {said}", field_of(said))
    after = str(reply.urllib3_response.headers.get("Retry-After", ""))
    return judge("Xero", status, text[:300], reads=reads, after=after)


def validations(text: str) -> Iterator[str]:
    """Yield what Xero finds wrong with a document, one sentence each."""
    try:
        told = json.loads(text)
    except ValueError:
        return
    open_: list[Any] = [told]
    while open_:
        one = open_.pop(0)
        if isinstance(one, list):
            open_ += one
        elif isinstance(one, dict):
            for error in one.get("ValidationErrors") or ():
                if isinstance(error, dict) and error.get("Message"):
                    yield str(error["Message"])
            open_ += [inner for name, inner in one.items() if name != "ValidationErrors"]


def field_of(said: str) -> str:
    """Return the field that a sentence of Xero is about."""
    return next((field for words, field in FIELDS if words.search(said)), "invoice")
