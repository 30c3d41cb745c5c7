"""Answers in JSON, with ETags where the reader asks again and again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from flask import Response, request
from pydantic import BaseModel
from pydantic_core import to_json


def answer(
    data: BaseModel | Mapping[str, Any] | list[Any],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return `data` as JSON; instants are RFC 3339, amounts are text."""
    return Response(to_json(data), status, dict(headers or {}), mimetype="application/json")


def language() -> str:
    """Return the language that the reader wants first, such as `de-CH`; English where none is."""
    return request.accept_languages.best or "en"


def tagged(data: BaseModel | Mapping[str, Any] | list[Any], *, ignore: str = "") -> Response:
    """Return `data` with an ETag, or 304 when the reader has it already.

    `ignore` names a top-level field that may differ between equal answers, such as the time.
    """
    body = to_json(data)
    stable = body
    if ignore and isinstance(data, Mapping):
        stable = to_json({name: value for name, value in data.items() if name != ignore})
    response = Response(body, mimetype="application/json")
    response.set_etag(hashlib.sha256(stable).hexdigest()[:32])
    return response.make_conditional(request)  # type: ignore[return-value]
