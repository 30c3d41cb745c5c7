"""Vonage's SMS API: JSON both ways, webhooks signed over their sorted fields."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from hub import (
    Delivery,
    DeliveryReport,
    Http,
    InboundText,
    Incoming,
    Receipt,
    Rejected,
    Retry,
    Unauthorized,
    Unknown,
)
from hub_sms.config import Config
from hub_sms.providers import Text
from hub_sms.senders import blind

URL = "https://rest.nexmo.com"
GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ÄÖÑÜ§¿äöñüà^{}\\[~]|€"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)
"""Letters of type `text`; one that is not among them would come out as a question mark."""
LONGEST_REF = 100
"""Letters of a `client-ref`."""
OPTED_OUT = "9"
STATES = {"delivered": "delivered", "failed": "undelivered", "rejected": "undelivered",
          "expired": "undelivered", "deleted": "undelivered"}  # fmt: skip
"""What Vonage's final states mean; others are on the way."""
REFUSALS = {"3": "to", "7": "to", "29": "to", "33": "to", "34": "to", "15": "sender"}
"""Status of an answer that refuses a text -> the field at fault."""
LATER = {"1": 5.0, "10": 30.0, "9": 900.0}
"""Status -> seconds to wait: too quick, too many connections, no credit."""


class Vonage:
    """Posts JSON with the credentials in it. Vonage keeps no keys: nothing is sent again."""

    keyed: ClassVar[bool] = False

    def __init__(self, config: Config) -> None:
        self.config = config

    @property
    def http(self) -> Http:
        """The account."""
        pair = f"{self.config.account}:{self.config.token.get_secret_value()}"
        basic = b64encode(pair.encode()).decode()
        return Http(self.config.url or URL, Authorization=f"Basic {basic}")

    def check(self) -> None:
        """Ask for the balance."""
        self.http.get("/account/get-balance")

    def send(self, text: Text) -> Receipt:
        """Send one text; a long one comes back as several parts, of which the first names it."""
        if not text.sender:
            raise Rejected("the text has no sender; set one", "sender")
        told: dict[str, Any] = {
            "api_key": self.config.account,
            "api_secret": self.config.token.get_secret_value(),
            "to": text.to.removeprefix("+"),
            "from": text.sender.removeprefix("+"),
            "text": text.text,
            "type": "text" if GSM.issuperset(text.text) else "unicode",
        }
        if len(text.key) <= LONGEST_REF:
            told["client-ref"] = text.key
        if self.config.callbacks:
            told["callback"] = self.config.callbacks[0]
        reply = self.http.post("/sms/json", json=told)
        return understood(reply.text)

    def receive(self, request: Incoming) -> Delivery:
        """Verify `sig` over the other fields, sorted."""
        secret = self.config.signing_secret.get_secret_value()
        if not secret:
            raise Unauthorized("this connection has no signature secret; set it first")
        told = fields(request.body)
        given = told.pop("sig", "")
        if not hmac.compare_digest(
            given.lower().encode(), signature(secret, self.config.signing, told).encode()
        ):
            raise Unauthorized("the signature of Vonage does not hold")
        ref, state = told.get("messageId", ""), told.get("status", "")
        part = told.get("concat-part", "")
        id = f"{ref}:{state or 'received'}:{part}:{told.get('timestamp', '')}" if ref else ""
        return Delivery(id=id[:200], topic=f"receipt {state}"[:200] if state else "reply")

    def unpack(self, request: Incoming) -> Iterator[DeliveryReport | InboundText]:
        """Yield the receipt, or the text that was written back."""
        told = fields(request.body)
        ref, at = told.get("messageId", ""), instant(told.get("message-timestamp", ""))
        if "status" not in told:
            if ref and told.get("msisdn", "").isdigit():
                yield InboundText(
                    sender=f"+{told['msisdn']}", to=told.get("to", ""), ref=ref, at=at,
                    text=told.get("text", ""),
                )  # fmt: skip
            return
        code, state = told.get("err-code", ""), STATES.get(told["status"])
        if state == "undelivered" and code == OPTED_OUT:
            state = "opted_out"
        if ref and state:
            detail = f"Vonage's err-code {code}" if code not in ("", "0") else ""
            key = told.get("client-ref", "")
            yield DeliveryReport.model_validate(
                {"ref": ref, "state": state, "detail": detail, "key": key, "at": at}
            )

    def listen(self, url: str) -> str:
        """Say what a person has to do: the account has one address for all that use it."""
        return (
            "receipts come by themselves; for replies, set the inbound webhook of the number in "
            "Vonage's dashboard to the address of the page Webhooks, as POST-JSON"
        )

    def leave(self, url: str) -> None:
        """Do nothing: its dashboard is a person's."""


def understood(answer: str) -> Receipt:
    """Return what an answer says; raise what its status means."""
    try:
        found = json.loads(answer)["messages"][0]
        status = str(found["status"])
    except (ValueError, KeyError, TypeError, IndexError):
        raise Unknown("Vonage's reply says nothing of the text; it may be sent or not") from None
    words = f"Vonage refused it ({status}): {blind(str(found.get('error-text') or 'no reason'))}"
    if status == "0":
        if not str(found.get("message-id") or "").strip():
            raise Unknown("Vonage's reply has no message id, so it may be sent or not")
        return Receipt(ref=str(found["message-id"]))
    if status in LATER:
        raise Retry(words, after=LATER[status])
    if status in ("4", "8", "14"):
        raise Unauthorized(words)
    if status == "5":
        raise Unknown(f"{words}; it may be sent or not")
    raise Rejected(words, REFUSALS.get(status))


def fields(body: bytes) -> dict[str, str]:
    """Return the fields of a webhook as texts; raise `Rejected` for what is no flat object."""
    try:
        found = json.loads(body, parse_float=str, parse_int=str)
    except (ValueError, RecursionError) as error:
        raise Rejected("Vonage sent what is no JSON; choose POST-JSON in its settings") from error
    if not isinstance(found, dict):
        raise Rejected("Vonage sent JSON that is no object")
    plain = {name: value for name, value in found.items() if value is not None}
    if any(isinstance(value, dict | list) for value in plain.values()):
        raise Rejected("Vonage sent an object within an object; use the SMS API's webhooks")
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in plain.items()
    }


def signature(secret: str, method: str, told: Mapping[str, str]) -> str:
    """Return Vonage's signature in hexadecimal: `&name=value` of every field, sorted.

    In a value `&` and `=` count as `_`. `md5hash` appends the secret and hashes; the others are
    HMACs.
    """
    said = "".join(
        f"&{name}={told[name].replace('&', '_').replace('=', '_')}" for name in sorted(told)
    )
    if method == "md5hash":
        return hashlib.md5((said + secret).encode(), usedforsecurity=False).hexdigest()
    return hmac.new(secret.encode(), said.encode(), method).hexdigest()


def instant(text: str) -> datetime | None:
    """Return `2026-11-23 09:30:00` as an instant, None for anything else."""
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
