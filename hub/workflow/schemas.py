"""Turn pydantic models into the message types that expressions are checked against."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from hub.events.catalogue import Event, OrderEvent, StopEvent
from hub.events.facts import CustomerFacts, Happening

LONGEST_TEXT = 500
"""Longer texts are cut before an expression sees them, so that joining them stays cheap."""
ENVELOPE: dict[str, Any] = {
    "type": str,
    "id": str,
    "seq": int,
    "occurred_at": datetime,
    "recorded_at": datetime,
}
"""What every event has."""

Shape = Mapping[str, Any]
"""Field name -> a Python type, or another shape."""


def event_shape(kind: type[Event]) -> dict[str, Any]:
    """Return what workflows may read of one type of event, with the person joined in."""
    shape = dict(ENVELOPE)
    for name, found in kind.model_fields.items():
        if name not in Happening.model_fields:
            shape[name] = model_shape(found.annotation)
    if issubclass(kind, OrderEvent | StopEvent):
        shape["customer"] = model_shape(CustomerFacts)
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
    return {"outputs": Each(output), **shape} if isinstance(output, Mapping) else shape


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
    return {"value": plain_kind if plain_kind in _SCALARS else str}


ERROR: dict[str, Any] = {"step": str, "kind": str, "message": str}
"""What `error` holds in the steps under on_error."""


def model_shape(model: Any) -> dict[str, Any]:
    """Return the fields of a pydantic model by name."""
    return {name: field.annotation for name, field in model.model_fields.items()}


class Schemas:
    """Message types of one environment, in a descriptor pool of their own."""

    def __init__(self) -> None:
        from google.protobuf import descriptor_pb2, descriptor_pool, struct_pb2, timestamp_pb2

        self.pool = descriptor_pool.DescriptorPool()
        for module in (timestamp_pb2, struct_pb2):
            known = descriptor_pb2.FileDescriptorProto()
            module.DESCRIPTOR.CopyToProto(known)
            self.pool.Add(known)
        self._file = descriptor_pb2.FileDescriptorProto(
            name="hub.proto",
            package="hub",
            syntax="proto3",
            dependency=["google/protobuf/timestamp.proto", "google/protobuf/struct.proto"],
        )
        self.fields: dict[str, list[str]] = {}
        """Message name -> its fields, for suggestions."""

    def add(self, name: str, shape: Shape) -> None:
        """Declare the message `hub.<name>`."""
        message = self._file.message_type.add(name=name)
        self.fields[f"hub.{name}"] = list(shape)
        for number, (field, kind) in enumerate(shape.items(), 1):
            made = message.field.add(name=field, number=number, label=1)
            self._type(made, kind, field)

    def close(self) -> None:
        """Make the declared messages usable."""
        self.pool.Add(self._file)

    def make(self, name: str, values: Mapping[str, Any]) -> Any:
        """Return a message `hub.<name>` holding `values`; what is unknown or None is left out."""
        from google.protobuf import message_factory

        kind = message_factory.GetMessageClass(self.pool.FindMessageTypeByName(f"hub.{name}"))
        made = kind()
        fill(made, values)
        return made

    def _type(self, field: Any, kind: Any, name: str) -> None:
        if isinstance(kind, Mapping):
            # The number keeps two messages of one field name apart; see `label`.
            unique = f"m{len(self.fields)}_{name}"
            self.add(unique, kind)
            field.type, field.type_name = 11, f".hub.{unique}"
            return
        item = kind.shape if isinstance(kind, Each) else repeated(kind)
        if item is not None:
            field.label = 3
            self._type(field, item, name)
            return
        kind = bare(kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            self._type(field, model_shape(kind), name)
        elif kind in _SCALARS:
            field.type = _SCALARS[kind]
        elif kind in _KNOWN:
            field.type, field.type_name = 11, _KNOWN[kind]
        else:
            field.type = _SCALARS[str]


def label(message: str) -> str:
    """Return the field name that a message was declared for, for people."""
    plain_name = message.removeprefix("hub.")
    return plain_name.partition("_")[2] or plain_name


_SCALARS: dict[Any, int] = {float: 1, int: 3, bool: 8, str: 9, Decimal: 9}
_KNOWN: dict[Any, str] = {
    datetime: ".google.protobuf.Timestamp",
    dict: ".google.protobuf.Struct",
    Any: ".google.protobuf.Value",
}


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


def fill(message: Any, values: Mapping[str, Any]) -> None:
    """Copy `values` into a protobuf message, field by field."""
    for field in message.DESCRIPTOR.fields:
        value = values.get(field.name)
        if value is None:
            continue
        if field.is_repeated:
            place = getattr(message, field.name)
            for item in value:
                put(place.add(), item) if field.message_type else place.append(plain(item))
        elif field.message_type:
            inner = getattr(message, field.name)
            inner.SetInParent()
            put(inner, value)
        else:
            setattr(message, field.name, plain(value))


def put(message: Any, value: Any) -> None:
    """Copy one value into a message, by the message's own kind."""
    name = message.DESCRIPTOR.full_name
    if name == "google.protobuf.Timestamp":
        message.FromDatetime(datetime.fromisoformat(value) if isinstance(value, str) else value)
    elif name in ("google.protobuf.Struct", "google.protobuf.Value"):
        from google.protobuf import json_format

        json_format.ParseDict(value, message)
    else:
        fill(message, value)


def plain(value: Any) -> Any:
    """Return a scalar as a message can hold it; texts are cut at `LONGEST_TEXT` characters."""
    if isinstance(value, bool | int | float):
        return value
    return str(value)[:LONGEST_TEXT]
