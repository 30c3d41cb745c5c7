"""Keep credentials out of what people, files and logs get to see."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

HIDDEN = "•••"
SHORTEST = 6
"""Letters of a secret that is looked for in texts; a shorter one would cover half of any text."""
_HEADER = re.compile(
    r"(?i)((?:proxy-)?authorization|(?:set-)?cookie|x-[a-z-]*(?:key|token|secret|signature)|"
    r"api[-_]?key)(\\?[\"']?\s*[:=]\s*\\?[\"']?)(?:(?:bearer|basic|digest|token)\s+)?[^\s\"'\\,;}]+"
)
_BEARER = re.compile(r"\b([Bb]earer|BEARER)\s+(?=\S*\d)[\w.~+/=-]{8,}")
_QUERY = re.compile(r"(?i)(key|token|secret|password|authorization)=([^&\s]+)")


def redact(text: str) -> str:
    """Return `text` without the values of what looks like a credential in a query or a header."""
    return _QUERY.sub(rf"\1={HIDDEN}", without_headers(text))


def without_headers(text: str) -> str:
    """Return `text` without the values of headers that carry credentials."""
    return _BEARER.sub(rf"\1 {HIDDEN}", _HEADER.sub(rf"\1\2{HIDDEN}", text))


def cover(text: str, secrets: Iterable[str]) -> str:
    """Return `text` without any of `secrets`, as they are or as URLs and JSON write them."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST:
            for form in {secret, quote(secret, safe=""), json.dumps(secret)[1:-1]}:
                text = text.replace(form, HIDDEN)
    return without_headers(text)


def covered(value: Any, secrets: Iterable[str]) -> Any:
    """Return a text, or JSON, in which none of `secrets` can be read."""
    if isinstance(value, str):
        return cover(value, secrets)
    if isinstance(value, dict):
        return {covered(name, secrets): covered(one, secrets) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [covered(one, secrets) for one in value]
    return value


def secrets_of(value: Any) -> frozenset[str]:
    """Return the secret values of a model, however deep they lie in it."""
    from pydantic import BaseModel, SecretBytes, SecretStr

    if isinstance(value, SecretStr):
        return frozenset({value.get_secret_value()} - {""})
    if isinstance(value, SecretBytes):
        return frozenset({value.get_secret_value().decode(errors="replace")} - {""})
    if isinstance(value, BaseModel):
        return secrets_of([getattr(value, name, None) for name in type(value).model_fields])
    if isinstance(value, dict):
        return secrets_of(list(value.values()))
    if isinstance(value, list | tuple | set | frozenset):
        return frozenset().union(*(secrets_of(one) for one in value))
    return frozenset()
