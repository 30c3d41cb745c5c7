"""Request bodies, read once, strictly, into frozen models."""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar

from flask import request
from pydantic import BaseModel, ValidationError

from hub.errors import Refused
from hub.web.problems import Problem

KEY = re.compile(r"^[\x21-\x7e]{1,200}$")
Model = TypeVar("Model", bound=BaseModel)


def body(model: type[Model]) -> Model:
    """Return the JSON body as `model`; raise a `Problem` that names every field at fault."""
    return parse(model, raw_json())


def raw_json() -> bytes:
    """Return the bytes of a JSON request; raise 415 for any other kind, 413 when too large."""
    if request.mimetype != "application/json":
        said = request.mimetype or "nothing"
        raise Problem(415, f"the body must be application/json, not {said}")
    return request.get_data(cache=True)


def request_key(header: str) -> str:
    """Return the name that the sender gave this request in a header, empty for none."""
    key = request.headers.get(header, "")
    if key and not KEY.match(key):
        raise Refused(f"{header} has 1 to 200 printable characters", header)
    return key


def parse(model: type[Model], raw: bytes) -> Model:
    """Return `raw` as `model`; 400 for what is no JSON, 422 for what does not fit."""
    try:
        value = json.loads(raw, parse_constant=refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Problem(400, f"the body is not valid JSON: {said(error)}") from None
    try:
        return model.model_validate_json(json.dumps(value))
    except ValidationError as error:
        raise Problem(422, "some fields are not right", errors=faults(error)) from None


def refuse_constant(name: str) -> Any:
    """Refuse NaN and Infinity, which are no JSON."""
    raise ValueError(f"{name} is not a JSON number")


def said(error: Exception) -> str:
    """Return what a JSON error says, or that the nesting is too deep."""
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def faults(error: ValidationError) -> list[dict[str, str]]:
    """Return each wrong field as `{"field": "address.city", "message": ...}`."""
    return [
        {
            "field": ".".join(str(part) for part in fault["loc"]),
            "message": fault["msg"].removeprefix("Value error, "),
        }
        for fault in error.errors(include_url=False, include_input=False, include_context=False)
    ]
