"""The messages that expressions are checked against and read, made of shapes and values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property, lru_cache, partial
from itertools import islice
from typing import Any

from pydantic import BaseModel

from hub.workflow.schemas import SCALARS, Each, Shape, bare, model_shape, repeated

LONGEST_TEXT = 500
"""Longer texts are cut before an expression sees them, so that joining them stays cheap."""
LONGEST_LIST = 500
"""Longer lists are cut likewise."""
DEEPEST = 20
"""Levels of a value whose fields are not declared; what lies deeper is left out."""
MOST_SHARED = 20
"""Fields of a shape that others may have too; the steps of a long workflow are its own."""


class Form:
    """The message type of one variable: declared for CEL, and filled from plain values."""

    def __init__(self, name: str, shape: Shape) -> None:
        from google.protobuf import descriptor_pb2

        self.fields: dict[str, list[str]] = {}
        """Message name -> its fields, for suggestions."""
        self.file = descriptor_pb2.FileDescriptorProto(
            name=f"hub/{name}.proto",
            package=f"hub.{name}",
            syntax="proto3",
            dependency=[known.name for known in known_files()],
        )
        self.type = self._declare(name, shape)

    @cached_property
    def _descriptor(self) -> Any:
        return pool([self]).FindMessageTypeByName(self.type)

    @cached_property
    def _filling(self) -> tuple[Any, Read]:
        """The message class, and how its values are read; many forms are never filled."""
        from google.protobuf import message_factory

        return message_factory.GetMessageClass(self._descriptor), record(self._descriptor)

    def make(self, values: Mapping[str, Any]) -> Any:
        """Return a message holding `values`; what is unknown or None is left out.

        Raise `ValueError` or `TypeError` for a value that does not fit.
        """
        message, read = self._filling
        return message(**read(values))

    def lists(self, path: str) -> bool:
        """Say whether a dotted field, as far as it is known, is a list or holds one."""
        kind = self._descriptor
        for part in path.split(".") if path else []:
            field = kind.fields_by_name.get(part)
            if field is None:
                break
            if field.is_repeated:
                return True
            kind = field.message_type
            if kind is None:
                return False
        return holds_list(kind)

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
        if isinstance(kind, dict):
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
        elif kind in SCALARS:
            field.type = SCALARS[kind]
        elif kind in KNOWN:
            field.type, field.type_name = 11, KNOWN[kind]
        else:
            field.type = SCALARS[str]


@lru_cache(maxsize=512)
def shared_form(name: str, key: Any) -> Form:
    """Return the form of a variable, the same one for the same shape; see `frozen`."""
    return Form(name, thawed(key))


def form(name: str, shape: Shape) -> Form:
    """Return the form of a variable."""
    if len(shape) > MOST_SHARED:
        return Form(name, shape)
    try:
        return shared_form(name, frozen(shape))
    except TypeError:  # an annotation that cannot be compared
        return Form(name, shape)


def frozen(kind: Any) -> Any:
    """Return a shape so that equal ones are equal keys."""
    if isinstance(kind, dict):
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


KNOWN: dict[Any, str] = {
    datetime: ".google.protobuf.Timestamp",
    dict: ".google.protobuf.Struct",
    Any: ".google.protobuf.Value",
}


def holds_list(descriptor: Any) -> bool:
    """Say whether a message has a list somewhere, or a field that takes anything."""
    if descriptor.full_name in (KNOWN[dict][1:], KNOWN[Any][1:]):
        return True
    inner = [field.message_type for field in descriptor.fields if field.message_type]
    return any(field.is_repeated for field in descriptor.fields) or any(map(holds_list, inner))


Read = Callable[[Any], Any]
"""Turns a plain value into one that a message can be made of."""


def record(descriptor: Any) -> Read:
    """Return how the values of a message are read."""
    readers = []
    for field in descriptor.fields:
        one = reader(field)
        readers.append((field.name, partial(listed, one) if field.is_repeated else one))
    return partial(read_fields, tuple(readers))


def reader(field: Any) -> Read:
    """Return how one value of a field is read."""
    from google.protobuf import message_factory

    kind = field.message_type
    if kind is None:
        return text if field.type == field.TYPE_STRING else itself
    if kind.full_name == "google.protobuf.Timestamp":
        return moment
    if kind.full_name.startswith("google.protobuf."):
        return partial(parsed, message_factory.GetMessageClass(kind))
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
    """Return the items of a list, read, as many as may be."""
    return [read(value) for value in islice(values, LONGEST_LIST)]


def itself(value: Any) -> Any:
    """Return a number or truth as it is."""
    return value


def text(value: Any) -> str:
    """Return a text cut at `LONGEST_TEXT` characters, without NUL and halves of signs.

    Neither could be written into the database again.
    """
    cut = (value if isinstance(value, str) else str(value))[:LONGEST_TEXT]
    if not cut.isascii():
        cut = cut.encode("utf-8", "replace").decode("utf-8")
    return cut.replace("\0", "") if "\0" in cut else cut


def moment(value: Any) -> datetime:
    """Return a moment; raise `ValueError` for a text that is none."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def parsed(message: Any, value: Any) -> Any:
    """Return any JSON value as the message for it."""
    from google.protobuf import json_format

    return json_format.ParseDict(cut_down(value), message())


def cut_down(value: Any, depth: int = 0) -> Any:
    """Return a value whose fields are not declared, within the bounds of those that are."""
    if depth > DEEPEST:
        return None
    if isinstance(value, Mapping):
        inner = islice(value.items(), LONGEST_LIST)
        return {text(name): cut_down(item, depth + 1) for name, item in inner}
    if isinstance(value, list | tuple):
        return [cut_down(item, depth + 1) for item in islice(value, LONGEST_LIST)]
    return value if value is None or isinstance(value, bool | int | float) else text(value)
