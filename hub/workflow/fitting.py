"""Say whether what stands under `with:` fits what an action takes."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from hub.actions import Action
from hub.workflow.problem import suggestion
from hub.workflow.templates import Template, Value

_FITS: dict[str, tuple[Any, ...]] = {
    "STRING": (str, datetime, date, Decimal),
    "INT": (int, float, Decimal),
    "UINT": (int, float, Decimal),
    "DOUBLE": (float, Decimal),
    "BOOL": (bool,),
    "TIMESTAMP": (datetime,),
    "DURATION": (int,),
}
"""CEL's name of a type -> the Python types that take such a value."""


def misfits(action: Action, arguments: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    """Yield (field, what is wrong) for each field that is unknown, missing or of a wrong type.

    What is only known when the step runs is checked again then.
    """
    known = action.Input.model_fields
    for name, value in arguments.items():
        if name not in known:
            hint = suggestion(name, known) or f"; it takes: {', '.join(known) or 'nothing'}"
            yield name, f"{action.name} takes no '{name}'{hint}"
            continue
        wrong = misfit(known[name].annotation, value)
        if wrong:
            yield name, f"{name}: {wrong}"
    for name, found in known.items():
        if found.is_required() and name not in arguments:
            yield "", f"{action.name} needs '{name}' under with"


def misfit(annotation: Any, value: Value) -> str:
    """Return why a value cannot be what the annotation wants, or nothing."""
    if isinstance(value, Template):
        wanted = accepted(annotation)
        fits = _FITS.get(value.kind)
        if fits is None or not wanted or any(kind in fits for kind in wanted):
            return ""
        names = " or ".join(sorted(kind.__name__ for kind in wanted))
        return f"has to be {names}, this expression gives {value.kind}"
    if contains_template(value):
        return ""
    try:
        TypeAdapter(annotation).validate_python(value)
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
        return str(found["msg"]).removeprefix("Value error, ")
    return ""


def contains_template(value: Value) -> bool:
    """Say whether any text in a value is filled in later."""
    if isinstance(value, dict):
        return any(contains_template(item) for item in value.values())
    if isinstance(value, list):
        return any(contains_template(item) for item in value)
    return isinstance(value, Template)


def accepted(annotation: Any) -> set[type]:
    """Return the scalar types that an annotation takes; empty where it takes others too."""
    origin = get_origin(annotation)
    if hasattr(annotation, "__metadata__"):
        return accepted(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        parts = [accepted(part) for part in get_args(annotation) if part is not type(None)]
        return set().union(*parts) if all(parts) else set()
    if origin is Literal:
        return {type(value) for value in get_args(annotation)}
    scalars = (str, int, float, bool, Decimal, datetime, date)
    return {annotation} if annotation in scalars else set()
