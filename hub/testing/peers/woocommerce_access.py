"""Who may call the WooCommerce peer: Basic over TLS, else OAuth 1.0a as WooCommerce checks it."""

from __future__ import annotations

import base64
import hmac
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from hub.testing.peers.server import Request

if TYPE_CHECKING:
    from hub.testing.peers.woocommerce import WooCommercePeer

WINDOW = 15 * 60
"""Seconds that a signature may be old or early."""
FAULT = "woocommerce_rest_authentication_error"
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
NEEDED = (
    "oauth_consumer_key", "oauth_timestamp", "oauth_nonce", "oauth_signature",
    "oauth_signature_method",
)  # fmt: skip


class Refusal(Exception):
    """A call that the shop refuses, in WordPress's shape of an error."""

    def __init__(self, status: int, code: str, message: str, **data: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"code": code, "message": message, "data": {"status": status, **data}}


def identify(peer: WooCommercePeer, request: Request) -> None:
    """Raise `Refusal` unless the request carries the shop's key, and may do what it does.

    A shop that is called by http takes no Basic credentials: they would be read on the way.
    """
    header = request.headers.get("Authorization", "") or ""
    if header.startswith("Basic ") and peer.home.startswith("https:"):
        pair = base64.b64decode(header.removeprefix("Basic ")).decode(errors="replace")
        key, _, secret = pair.partition(":")
        if key != peer.key:
            raise Refusal(401, FAULT, "Consumer key is invalid.")
        if secret != peer.secret:
            raise Refusal(401, FAULT, "Consumer secret is invalid.")
    elif header.startswith("OAuth "):
        check_oauth(peer, request, header)
    else:
        raise nobody(request)
    if request.method in WRITES and peer.permission == "read":
        raise Refusal(401, FAULT, "The API key provided does not have write permissions.")


def nobody(request: Request) -> Refusal:
    """Return what somebody without credentials is told."""
    verbs = {"GET": "view", "POST": "create", "PUT": "edit", "DELETE": "delete"}
    verb = verbs.get(request.method, "view")
    if verb == "view":
        verb, said = "view", "Sorry, you cannot list resources."
    else:
        said = f"Sorry, you are not allowed to {verb} this resource."
    return Refusal(401, f"woocommerce_rest_cannot_{verb}", said)


def check_oauth(peer: WooCommercePeer, request: Request, header: str) -> None:
    """Check key, signature, time and nonce, in this order."""
    signed = {n: unquote(v) for n, v in re.findall(r'(oauth_[a-z_]+)="([^"]*)"', header)}
    lacking = [name for name in NEEDED if name not in signed]
    if lacking:
        raise Refusal(401, FAULT, f"Missing OAuth parameter {', '.join(lacking)}")
    if signed["oauth_consumer_key"] != peer.key:
        raise Refusal(401, FAULT, "Consumer key is invalid.")
    given = signed.pop("oauth_signature")
    made = signature(peer, request, {**request.query, **signed})
    if not hmac.compare_digest(made.encode(), given.encode()):
        said = "Invalid signature - provided signature does not match."
        raise Refusal(401, FAULT, said)
    age = abs(time.time() - float(signed["oauth_timestamp"]))
    if age > WINDOW:
        raise Refusal(401, FAULT, "Invalid timestamp.")
    if signed["oauth_nonce"] in peer.nonces:
        said = "Invalid nonce - nonce has already been used."
        raise Refusal(401, FAULT, said)
    peer.nonces.add(signed["oauth_nonce"])


def signature(peer: WooCommercePeer, request: Request, told: dict[str, str]) -> str:
    """Return the signature that WooCommerce computes: over the address that it believes to have."""
    digest = {"HMAC-SHA1": "sha1", "HMAC-SHA256": "sha256"}.get(told["oauth_signature_method"])
    if digest is None:
        raise Refusal(401, FAULT, "Invalid signature - signature method is invalid.")
    pairs = [f"{coded(name)}%3D{coded(told[name])}" for name in sorted(told)]
    base = quote(peer.home + request.path, safe="~")
    text = f"{request.method}&{base}&{'%26'.join(pairs)}"
    made = hmac.digest(f"{peer.secret}&".encode(), text.encode(), digest)
    return base64.b64encode(made).decode()


def coded(text: str) -> str:
    """Return a name or value as it goes into the text that is signed: coded twice."""
    return quote(unquote(text), safe="~").replace("%", "%25")
