"""Turn pydantic models into the message types that expressions are checked against and read."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache, partial
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


class Form:
    """The message type of one variable: declared for CEL, and filled from plain values."""

    def __init__(self, name: str, shape: Shape) -> None:
        from google.protobuf import descriptor_pb2, message_factory

        self.fields: dict[str, list[str]] = {}
        """Message name -> its fields, for suggestions."""
        self.file = descriptor_pb2.FileDescriptorProto(
            name=f"hub/{name}.proto",
            package=f"hub.{name}",
            syntax="proto3",
            dependency=[known.name for known in known_files()],
        )
        self.type = self._declare(name, shape)
        found = pool([self]).FindMessageTypeByName(self.type)
        self._message = message_factory.GetMessageClass(found)
        self._record, self._exact = record(found)
        self._last: tuple[Any, Any] = (None, None)

    def make(self, values: Mapping[str, Any]) -> Any:
        """Return a message holding `values`; what is unknown or None is left out.

        The same values are often asked for again, by each workflow that an event could start; so
        the last message is kept. Raise `ValueError` or `TypeError` for a value that does not fit.
        """
        before, made = self._last
        if made is not None and values == before:
            return made
        made = self._message(**self._record(values))
        if self._exact:
            self._last = (copied(values), made)
        return made

    def _declare(self, name: str, shape: Shape) -> str:
        """Add a message for `shape` and return its name."""
        # The number keeps two messages of one field name apart; see `label`.
        message = self.file.message_type.add(name=f"m{len(self.fields)}_{name}")
        full_name = f"{self.file.package}.{message.name}"
        self.fields[full_name] = list(shape)
        for number, (field, kind) in enumerate(shape.items(), 1):
            self._type(message.field.add(name=field, number=number, label=1), kind, field)
        return full_name

    def _type(self, field: Any, kind: Any, name: str) -> None:
        if isinstance(kind, Mapping):
            field.type, field.type_name = 11, f".{self._declare(name, kind)}"
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


@lru_cache(maxsize=512)
def shared_form(name: str, key: Any) -> Form:
    """Return the form of a variable, the same one for the same shape; see `frozen`."""
    return Form(name, thawed(key))


def form(name: str, shape: Shape) -> Form:
    """Return the form of a variable."""
    try:
        return shared_form(name, frozen(shape))
    except TypeError:  # an annotation that cannot be compared
        return Form(name, shape)


def frozen(kind: Any) -> Any:
    """Return a shape so that equal ones are equal keys."""
    if isinstance(kind, Mapping):
        return Frozen(tuple((name, frozen(inner)) for name, inner in kind.items()))
    return Frozen(frozen(kind.shape).fields, each=True) if isinstance(kind, Each) else kind


def thawed(key: Any) -> Any:
    """Return the shape that was frozen."""
    if not isinstance(key, Frozen):
        return key
    shape = {name: thawed(inner) for name, inner in key.fields}
    return Each(shape) if key.each else shape


@dataclass(frozen=True)
class Frozen:
    """A shape as a key; `each` where it was a list of objects."""

    fields: tuple[tuple[str, Any], ...]
    each: bool = False


@cache
def known_files() -> tuple[Any, ...]:
    """Return Google's own message types that shapes use."""
    from google.protobuf import descriptor_pb2, struct_pb2, timestamp_pb2

    made = []
    for module in (timestamp_pb2, struct_pb2):
        known = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(known)
        made.append(known)
    return tuple(made)


def pool(forms: list[Form]) -> Any:
    """Return a descriptor pool that knows these forms."""
    from google.protobuf import descriptor_pool

    made = descriptor_pool.DescriptorPool()
    for file in (*known_files(), *(form.file for form in forms)):
        made.Add(file)
    return made


def label(message: str) -> str:
    """Return the field name that a message was declared for, for people."""
    plain_name = message.rpartition(".")[2]
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


Read = Callable[[Any], Any]
"""Turns a plain value into one that a message can be made of."""


def record(descriptor: Any) -> tuple[Read, bool]:
    """Return how the values of a message are read, and whether equal values read the same.

    They do not where a field takes anything: 1 equals True, but is another JSON value.
    """
    readers, exact = [], True
    for field in descriptor.fields:
        one, same = reader(field)
        readers.append((field.name, partial(listed, one) if field.is_repeated else one))
        exact = exact and same
    return partial(read_fields, tuple(readers)), exact


def reader(field: Any) -> tuple[Read, bool]:
    """Return how one value of a field is read; see `record`."""
    from google.protobuf import message_factory

    kind = field.message_type
    if kind is None:
        return (text if field.type == field.TYPE_STRING else itself), True
    if kind.full_name == "google.protobuf.Timestamp":
        return moment, True
    if kind.full_name.startswith("google.protobuf."):
        return partial(parsed, message_factory.GetMessageClass(kind)), False
    return record(kind)


def read_fields(readers: tuple[tuple[str, Read], ...], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is there of the fields of a message."""
    made = {}
    for name, read in readers:
        value = values.get(name)
        if value is not None:
            made[name] = read(value)
    return made


def listed(read: Read, values: Any) -> list[Any]:
    """Return every item of a list, read."""
    return [read(value) for value in values]


def itself(value: Any) -> Any:
    """Return a number or truth as it is."""
    return value


def text(value: Any) -> str:
    """Return a text cut at `LONGEST_TEXT` characters, without halves of signs."""
    cut = (value if isinstance(value, str) else str(value))[:LONGEST_TEXT]
    return cut if cut.isascii() else cut.encode("utf-8", "replace").decode("utf-8")


def moment(value: Any) -> datetime:
    """Return a moment; raise `ValueError` for a text that is none."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def parsed(message: Any, value: Any) -> Any:
    """Return any JSON value as the message for it."""
    from google.protobuf import json_format

    return json_format.ParseDict(value, message())


def copied(value: Any) -> Any:
    """Return plain values that stay as they are, whatever is done to `value`."""
    if isinstance(value, dict):
        return {name: copied(inner) for name, inner in value.items()}
    return [copied(inner) for inner in value] if isinstance(value, list) else value
