"""Say what workflows may read: the shapes of events, steps and inputs, by name and type."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from hub.events.catalogue import Event, MessageReceived, OrderEvent, StopEvent
from hub.events.facts import CustomerFacts, Happening, WriterFacts

ENVELOPE: dict[str, Any] = {
    "type": str,
    "id": str,
    "seq": int,
    "occurred_at": datetime,
    "recorded_at": datetime,
}
"""What every event has."""

Shape = dict[str, Any]
"""Field name -> a Python type, or another shape."""


def event_shape(kind: type[Event]) -> dict[str, Any]:
    """Return what workflows may read of one type of event, with the person joined in."""
    shape = dict(ENVELOPE)
    for name, found in kind.model_fields.items():
        if name not in Happening.model_fields:
            shape[name] = model_shape(found.annotation)
    if issubclass(kind, OrderEvent | StopEvent):
        shape["customer"] = model_shape(CustomerFacts)
    if issubclass(kind, MessageReceived):
        shape["customer"] = model_shape(WriterFacts)
    if "driver" in shape:
        shape["driver"] = {**shape["driver"], "first_name": str}
    if issubclass(kind, StopEvent):
        shape["stop"] = {**shape["stop"], "tracking_url": str}
    return shape


def step_shape(output: type[BaseModel] | None) -> dict[str, Any]:
    """Return what later steps may read of a step whose action has that output."""
    shape: dict[str, Any] = {"failed": bool, "skipped": bool}
    return shape if output is None else {"output": model_shape(output), **shape}


def wait_shape(event: Shape) -> dict[str, Any]:
    """Return what later steps may read of a step that waited for an event of that shape."""
    return {"event": event, "timed_out": bool, "failed": bool, "skipped": bool}


def loop_shape(step: Shape) -> dict[str, Any]:
    """Return what may be read, after a loop, of a step in it: what it gave for each item."""
    shape: dict[str, Any] = {"failures": int}
    output = step.get("output")
    return {"outputs": Each(output), **shape} if isinstance(output, dict) else shape


@dataclass(frozen=True)
class Each:
    """A list of objects of one shape."""

    shape: Shape


def input_shape(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the declared inputs of a workflow, by name."""
    kinds = {"text": str, "int": int, "number": float, "bool": bool}
    return {name: kinds[given.type] for name, given in inputs.items()}


def walk(names: Mapping[str, Any], path: list[str]) -> Any:
    """Return the type of a dotted field, or None where there is no such field."""
    found: Any = names
    for part in path:
        kind = bare(found) if not isinstance(found, Mapping) else found
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = model_shape(kind)
        if not isinstance(kind, Mapping) or part not in kind:
            return None
        found = kind[part]
    return found


def narrowed(shape: Shape, paths: Iterable[list[str]]) -> Shape:
    """Return the part of a shape that dotted fields name; a field that is not there is left out."""
    made: Shape = {}
    for path in paths:
        inner, known = made, shape
        for last, part in enumerate(path, 1):
            kind = known.get(part)
            if not isinstance(kind, dict) or last == len(path):
                inner.update({part: kind} if kind is not None else {})
                break
            inner = inner.setdefault(part, {})
            known = kind
    return made


def item_shape(kind: Any) -> Any:
    """Return what one item of a list is: a shape, or `{"value": type}` for plain values.

    `kind` is an annotation or CEL's name of a type. None where it is no list.
    """
    if isinstance(kind, str):
        scalars = {"LIST<STRING>": str, "LIST<INT>": int, "LIST<DOUBLE>": float, "LIST<BOOL>": bool}
        return {"value": scalars[kind]} if kind in scalars else None
    if isinstance(kind, Each):
        return kind.shape
    item = repeated(kind) if kind is not None else None
    if item is None:
        return None
    plain_kind = bare(item)
    if isinstance(plain_kind, type) and issubclass(plain_kind, BaseModel):
        return model_shape(plain_kind)
    return {"value": plain_kind if plain_kind in SCALARS else str}


ERROR: dict[str, Any] = {"step": str, "kind": str, "message": str}
"""What `error` holds in the steps under on_error."""


def model_shape(model: Any) -> dict[str, Any]:
    """Return the fields of a pydantic model by name."""
    return {name: field.annotation for name, field in model.model_fields.items()}


SCALARS: dict[Any, int] = {float: 1, int: 3, bool: 8, str: 9, Decimal: 9}
"""Python type -> the number of protobuf's scalar type."""


def bare(kind: Any) -> Any:
    """Return an annotation without `| None`, `Annotated` and type parameters."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        inner = [part for part in get_args(kind) if part is not type(None)]
        return bare(inner[0]) if len(inner) == 1 else Any
    if origin is Literal:
        return type(get_args(kind)[0])
    if hasattr(kind, "__metadata__"):
        return bare(get_args(kind)[0])
    return origin or kind


def repeated(kind: Any) -> Any:
    """Return the item type of a list or tuple annotation, or None where it is neither."""
    if hasattr(kind, "__metadata__"):
        return repeated(get_args(kind)[0])
    if get_origin(kind) in (list, tuple, set, frozenset):
        return get_args(kind)[0] if get_args(kind) else Any
    return None
