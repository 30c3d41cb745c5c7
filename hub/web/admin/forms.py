"""A connector's settings as a form: fields from the JSON schema of its Config, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from hub.connections.fields import secret_fields
from hub.errors import Refused
from hub.oauth import KEPT

Kind = Literal["text", "password", "number", "checkbox", "select", "lines", "json"]
PREFIX = "config."


class Field(BaseModel):
    """One field of a form; `value` is never a secret."""

    model_config = ConfigDict(frozen=True)

    name: str
    label: str
    hint: str
    kind: Kind
    required: bool
    value: str = ""
    checked: bool = False
    options: tuple[str, ...] = ()
    kept: bool = False
    """For a secret: whether one is stored, so that an empty field keeps it."""
    group: str = ""
    """The heading that it stands under; fields without one come first."""
    touched: bool = False
    """Whether it says something else than it would by itself."""

    @property
    def input(self) -> str:
        """The name under which the browser sends it."""
        return PREFIX + self.name


def fields(config: type[BaseModel], stored: Mapping[str, Any], kept: bool) -> list[Field]:
    """Return the fields of a connector's settings, filled with what is stored.

    `kept` says whether the connection exists, so that its secrets may be left empty. What a consent
    fills in is left out.
    """
    schema = config.model_json_schema()
    secrets = secret_fields(config)
    shown = [
        (name, part) for name, part in schema.get("properties", {}).items() if not part.get(KEPT)
    ]
    shown.sort(key=lambda one: (bool(one[1].get("group")), one[1].get("order", 1)))
    return [
        field(name, resolve(part, schema), schema, stored, name in secrets, kept)
        for name, part in shown
    ]


def field(
    name: str,
    part: Mapping[str, Any],
    schema: Mapping[str, Any],
    stored: Mapping[str, Any],
    secret: bool,
    kept: bool,
) -> Field:
    """Return one field."""
    kind: Kind = "password" if secret else kind_of(part)
    value = stored.get(name, part.get("default"))
    checked = bool(value) if kind == "checkbox" else False
    return Field(
        name=name,
        label=part.get("title") or name.replace("_", " ").capitalize(),
        hint=part.get("description", ""),
        kind=kind,
        required=name in schema.get("required", ())
        and kind != "checkbox"
        and not (secret and kept),
        value="" if secret or kind == "checkbox" else shown(value, kind),
        checked=checked,
        options=tuple(str(option) for option in part.get("enum", ())),
        kept=secret and kept,
        group=str(part.get("group", "")),
        touched=not secret and name in stored and stored[name] != part.get("default"),
    )


def resolve(part: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a property with its reference followed and `or null` taken off."""
    found = dict(part)
    options = [one for one in found.get("anyOf", ()) if one.get("type") != "null"]
    if len(options) == 1:
        found = {**options[0], **{key: value for key, value in found.items() if key != "anyOf"}}
    if "$ref" in found:
        named = schema.get("$defs", {}).get(found["$ref"].rsplit("/", 1)[-1], {})
        found = {**named, **{key: value for key, value in found.items() if key != "$ref"}}
    return found


def kind_of(part: Mapping[str, Any]) -> Kind:
    """Return how a property is entered."""
    if "enum" in part:
        return "select"
    simple: dict[str, Kind] = {
        "string": "text",
        "integer": "number",
        "number": "number",
        "boolean": "checkbox",
    }
    if part.get("type") == "array" and part.get("items", {}).get("type") == "string":
        return "lines"
    return simple.get(str(part.get("type")), "json")


def shown(value: Any, kind: Kind) -> str:
    """Return a stored value as it stands in the form."""
    if value is None:
        return ""
    if kind == "lines":
        return "\n".join(str(line) for line in value)
    return json.dumps(value, ensure_ascii=False) if kind == "json" else str(value)


def settings(config: type[BaseModel], form: Mapping[str, str]) -> dict[str, Any]:
    """Return what a browser sent as settings; what was left empty takes its default."""
    found: dict[str, Any] = {}
    for one in fields(config, {}, kept=False):
        said = form.get(one.input, "")
        if one.kind == "checkbox":
            found[one.name] = bool(said)
        elif one.kind == "lines":
            found[one.name] = [line.strip() for line in said.splitlines() if line.strip()]
        elif said.strip():
            found[one.name] = parsed(one, said) if one.kind == "json" else said.strip()
    return found


def parsed(one: Field, said: str) -> Any:
    """Return what a JSON field holds; raise `Refused` naming the field."""
    try:
        return json.loads(said)
    except ValueError as error:
        raise Refused(f"{one.label}: this is not valid JSON ({error})", one.name) from None
