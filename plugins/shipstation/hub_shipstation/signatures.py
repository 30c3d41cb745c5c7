"""Signatures of version 2's webhooks: RSA-SHA256 by a key that ShipStation publishes (RFC 7517)."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Any

from hub import Incoming, Unauthorized

KEY_ID = "x-shipengine-rsa-sha256-key-id"
SIGNATURE = "x-shipengine-rsa-sha256-signature"
TIMESTAMP = "x-shipengine-timestamp"
LONGEST = 4_096
SMALLEST = 2_048
"""Bits of a key that is believed."""


def usable(answer: Any) -> list[dict[str, str]]:
    """Return the RSA keys of a published set, with what is needed of each."""
    keys = answer.get("keys") if isinstance(answer, dict) else None
    return [
        {"kid": one["kid"], "n": one["n"], "e": one["e"]}
        for one in (keys if isinstance(keys, list) else [])
        if isinstance(one, dict)
        and one.get("kty") == "RSA"
        and all(isinstance(one.get(name), str) for name in ("kid", "n", "e"))
    ]


def verify(request: Incoming, kept: str) -> datetime:
    """Return when a request was signed; raise `Unauthorized` where its signature does not hold.

    `kept` is JSON as `usable` returns it. What is signed is the header of the time, a dot and the
    body as it came.
    """
    kid, signature, stamp = (
        request.headers.get(name, "") for name in (KEY_ID, SIGNATURE, TIMESTAMP)
    )
    if not (kid and signature and stamp):
        raise Unauthorized("it is not signed by ShipStation")
    if max(len(kid), len(signature), len(stamp)) > LONGEST:
        raise Unauthorized("its signature does not hold")
    key = next((one for one in json.loads(kept or "[]") if one["kid"] == kid), None)
    if key is None:
        raise Unauthorized("it is signed with a key that ShipStation has not published here yet")
    try:
        signed_at = datetime.fromisoformat(stamp)
        signed = f"{stamp}.".encode("ascii") + request.body
        given = base64.b64decode(signature, validate=True)
    except (ValueError, binascii.Error):
        raise Unauthorized("its signature does not hold") from None
    if not holds(key, given, signed):
        raise Unauthorized("its signature does not hold")
    return signed_at if signed_at.tzinfo else signed_at.replace(tzinfo=UTC)


def holds(key: dict[str, str], signature: bytes, signed: bytes) -> bool:
    """Say whether a signature of these bytes was made with the key's other half."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        public = rsa.RSAPublicNumbers(number(key["e"]), number(key["n"])).public_key()
        if public.key_size < SMALLEST:
            return False
        public.verify(signature, signed, padding.PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def number(text: str) -> int:
    """Return what base64url writes of a number (RFC 7518, 6.3.1)."""
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")
