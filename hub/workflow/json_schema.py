"""The language as JSON Schema (draft-07), for editors that complete and check while one types.

It is made from the models of the language and from the actions that are installed, so it says what
this hub accepts. Expressions are only texts to it; what they mean is found by `hub workflow
validate` and at save.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from hub.actions import Action, Inside
from hub.events.catalogue import catalogue
from hub.workflow import language, words

if TYPE_CHECKING:
    from pydantic import BaseModel

    from hub.hub import Hub

Schema = dict[str, Any]
DIALECT = "http://json-schema.org/draft-07/schema#"
TEMPLATE: Schema = {"type": "string", "pattern": r"\{\{"}
"""What may stand under `with:` in place of any value."""
ONE_OF: dict[str, tuple[str, ...]] = {
    "Trigger": language.TRIGGERS,
    "Step": language.KINDS,
    "Case": ("if", "else"),
    "RateLimit": ("per_second", "per_minute"),
}
"""Words of which a mapping has exactly one; the models check that in code, not in types."""
NEEDS: dict[str, dict[str, list[str]]] = {
    "Step": {"use": ["id"], "wait": ["id"], "foreach": ["steps"], "steps": ["foreach"]}
}
"""Words that ask for others beside them."""
_SPANS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_WRITTEN: dict[Any, Schema] = {
    words.duration: {"type": "string", "pattern": "^[0-9]{1,6}(s|m|h|d)$"},
    words.clock: {"type": "string", "pattern": "^([01]?[0-9]|2[0-3]):[0-5][0-9]$"},
    words.condition: {"type": ["string", "boolean"]},
}
"""How a value is written whose model keeps something else, by the function that reads it."""
_NOTES = ("description", "default")


def json_schema(actions: Mapping[str, Action]) -> Schema:
    """Return the schema of a workflow file that may use these actions."""
    schema = language.Workflow.model_json_schema(
        schema_generator=Words, ref_template="#/definitions/{model}"
    )
    definitions = schema.pop("$defs", {})
    for name, found in definitions.items():
        constrain(name, found)
        offer(found, actions)
    definitions |= inputs(actions)
    return draft_07({
        "$schema": DIALECT, "title": "A workflow of Lastmile Hub", **schema,
        "definitions": dict(sorted(definitions.items())),
    })  # fmt: skip


def schema_of(hub: Hub) -> Schema:
    """Return the schema of this process's hub, made once for the actions that it has."""
    names = tuple(sorted(hub.actions))
    known: tuple[tuple[str, ...], Schema] | None = hub.parts.get("workflow_schema")
    if known is None or known[0] != names:
        known = hub.parts["workflow_schema"] = names, json_schema(hub.actions)
    return known[1]


class Given(GenerateJsonSchema):
    """Makes schemas without titles; what is said under a field in the source describes it."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Leave titles out: they only repeat the key."""
        return False

    def model_schema(self, schema: Any) -> Schema:
        """Return the schema of a model with its fields described."""
        made = super().model_schema(schema)
        made.pop("title", None)
        said = remarks(schema["cls"])
        for name, found in schema["cls"].model_fields.items():
            key = found.alias or name
            if name in said and key in made.get("properties", {}):
                made["properties"][key]["description"] = said[name]
        return made

    def default_schema(self, schema: Any) -> Schema:
        """Return a schema with its default as a person would write it, if in one line."""
        made = super().default_schema(schema)
        default = self.get_default_value(schema)
        if isinstance(default, timedelta):
            made["default"] = span(default)
        elif made.get("default") is None or isinstance(made["default"], dict):
            made.pop("default", None)
        return made


class Words(Given):
    """Makes the schemas of the language: values as they are written in a file."""

    def nullable_schema(self, schema: Any) -> Schema:
        """Leave null out: what is not wanted is not written."""
        return self.generate_inner(schema["schema"])

    def function_before_schema(self, schema: Any) -> Schema:
        """Return how a value is written that a function of the language reads."""
        written = _WRITTEN.get(schema["function"]["function"])
        if written:
            return dict(written)
        read = super().function_before_schema(schema)
        plain = schema["function"]["function"] is language.plain_webhook
        return {"anyOf": [{"const": True}, read]} if plain else read


def span(value: timedelta) -> str:
    """Return a span of time as the language writes it, such as `10m`."""
    seconds = int(value.total_seconds())
    unit = next((one for one, size in _SPANS.items() if seconds and seconds % size == 0), "s")
    return f"{seconds // _SPANS[unit]}{unit}"


def remarks(model: type[BaseModel]) -> dict[str, str]:
    """Return the text that stands under each field in the source of a model."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(model)))
    except (OSError, TypeError):
        return {}  # made without a source file; it only lacks descriptions
    found: dict[str, str] = {}
    name = ""
    for node in tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and name:
            found[name] = inspect.cleandoc(str(node.value.value)).replace("\n", " ")
        target = node.target if isinstance(node, ast.AnnAssign) else None
        name = target.id if isinstance(target, ast.Name) else ""
    return found


def constrain(name: str, schema: Schema) -> None:
    """Add what the models of the language check in code."""
    if name in ONE_OF:
        schema["oneOf"] = [{"required": [word]} for word in ONE_OF[name]]
    if name in NEEDS:
        schema["dependencies"] = NEEDS[name]


def offer(schema: Schema, actions: Mapping[str, Action]) -> None:
    """List the actions and events that may stand in a mapping, each with what it is."""
    own = schema.get("properties", {})
    if {"use", "with"} <= own.keys():
        called = {"type": "string", "pattern": "^workflow\\.", "description": "Another workflow."}
        told = {name: described(action) for name, action in sorted(actions.items())}
        own["use"] = {"description": "The action.", "anyOf": [choice(told), called]}
        schema["allOf"] = [{"$ref": "#/definitions/given"}]
    if own.get("event", {}).get("type") == "string":
        told = {kind: first_line(model.__doc__) for kind, model in sorted(catalogue().items())}
        own["event"] = {**{key: own["event"][key] for key in _NOTES if key in own["event"]},
                        **choice(told)}  # fmt: skip


def choice(told: Mapping[str, str]) -> Schema:
    """Return a schema of one of several names; editors show the description of each."""
    return {"type": "string", "enum": list(told), "enumDescriptions": list(told.values())}


def described(action: Action) -> str:
    """Return in one line what an action does, or what it is given."""
    work: object = action.run if isinstance(action, Inside) else getattr(action, "call", None)
    return first_line(inspect.getdoc(work) if work else "") or first_line(action.Input.__doc__)


def first_line(text: str | None) -> str:
    """Return the first line of a docstring."""
    return inspect.cleandoc(text or "").partition("\n")[0]


def inputs(actions: Mapping[str, Action]) -> dict[str, Schema]:
    """Return what stands under `with:` of every action, and when which of them holds."""
    models = list(dict.fromkeys(action.Input for action in actions.values()))
    refs, made = models_json_schema(
        [(model, "validation") for model in models],
        schema_generator=Given, ref_template="#/definitions/with.{model}",
    )  # fmt: skip
    rules = []
    for name, action in sorted(actions.items()):
        then: Schema = {"properties": {"with": refs[action.Input, "validation"]}}
        if any(found.is_required() for found in action.Input.model_fields.values()):
            then["required"] = ["with"]
        used = {"properties": {"use": {"const": name}}, "required": ["use"]}
        rules.append({"if": used, "then": then})
    known = {f"with.{name}": within(one) for name, one in made.get("$defs", {}).items()}
    return {**known, "given": {"allOf": rules} if rules else {}}


def within(schema: Schema) -> Schema:
    """Return the schema of an input in which any value inside may be text with `{{ }}`."""
    made = dict(schema)
    for key in ("items", "additionalProperties"):
        if isinstance(made.get(key), dict):
            made[key] = fillable(made[key])
    if "properties" in made:
        made["properties"] = {name: fillable(one) for name, one in made["properties"].items()}
    for key in ("anyOf", "oneOf", "allOf"):
        if key in made:
            made[key] = [within(one) for one in made[key]]
    return made


def fillable(schema: Schema) -> Schema:
    """Return a schema that takes text with `{{ }}` too, unless it takes every text already."""
    notes = {key: schema[key] for key in _NOTES if key in schema}
    bare = within({key: value for key, value in schema.items() if key not in _NOTES})
    if bare in ({}, {"type": "string"}):
        return {**notes, **bare}
    return {**notes, "anyOf": [bare, TEMPLATE]}


def draft_07(schema: Schema) -> Schema:
    """Return a schema as draft-07 reads it: nothing beside `$ref`, the older names of words."""
    made = dict(schema)
    for key in ("properties", "definitions", "patternProperties"):
        if key in made:
            made[key] = {name: draft_07(one) for name, one in made[key].items()}
    if "patternProperties" in made:  # the names themselves are checked, so no other is allowed
        made.setdefault("additionalProperties", False)
    for key in ("items", "additionalProperties", "not", "if", "then", "else", "propertyNames"):
        if isinstance(made.get(key), dict):
            made[key] = draft_07(made[key])
    if "prefixItems" in made:
        made["items"] = all_of(made.pop("prefixItems"))
    for key in ("anyOf", "oneOf", "allOf"):
        if key in made:
            made[key] = all_of(made[key])
    made.pop("discriminator", None)
    if "oneOf" in made and not all(one.keys() == {"required"} for one in made["oneOf"]):
        # Which of them is meant is decided in code, so more than one may fit.
        made["anyOf"] = made.pop("oneOf")
    if "$ref" in made and len(made) > 1:
        made["allOf"] = [{"$ref": made.pop("$ref")}, *made.get("allOf", [])]
    return made


def all_of(schemas: Iterable[Schema]) -> list[Schema]:
    """Return several schemas as draft-07 reads them."""
    return [draft_07(one) for one in schemas]
