"""What plugins may rely on, written down at a release: python -m tests.testing.evolution."""

from __future__ import annotations

import ast
import inspect
import json
import re
from pathlib import Path
from typing import Any, Literal, get_origin

from pydantic import BaseModel

import hub
from hub import hookspecs
from hub.testing.conformance.ground import Ground

FILE = Path(__file__).parent / "public_api.json"
FACTORY = "<factory>"
"""What stands for a default that is made anew each time."""
Api = dict[str, dict[str, Any]]


def snapshot() -> Api:
    """Return every public name with what a plugin can see of it."""
    found = {name: described(getattr(hub, name)) for name in sorted(hub.__all__)}
    for name, spec in vars(hookspecs).items():
        if hasattr(spec, "hub_spec"):
            found[f"hook {name}"] = {"kind": "hook", "call": str(inspect.signature(spec))}
    own = sorted(name for name in vars(Ground).get("__annotations__", {}))
    found["hub.testing"] = {"kind": "kit", "attributes": own}
    return found


def described(one: Any) -> dict[str, Any]:
    """Return what can be seen of a public name."""
    if get_origin(one) in (Literal, tuple):
        return {"kind": "value", "call": type_of(one)}
    if not inspect.isclass(one):
        call = inspect.signature(one) if callable(one) else ""
        return {"kind": "function" if callable(one) else "value", "call": str(call)}
    if issubclass(one, BaseModel):
        fields = {
            name: {"type": type_of(field.annotation), "required": field.is_required()}
            for name, field in one.model_fields.items()
        }
        return {"kind": "noun", "fields": fields}
    kind = "protocol" if getattr(one, "_is_protocol", False) else "class"
    methods = {
        name: str(inspect.signature(method))
        for name, method in sorted(vars(one).items())
        if inspect.isfunction(method) and (not name.startswith("_") or name == "__init__")
    }
    return {"kind": kind, "methods": {} if kind == "protocol" and not methods else methods}


def type_of(annotation: Any) -> str:
    """Return a type in words, in which a noun has the name by which plugins know it."""
    named = re.sub(r"\bhub\.nouns\.\w+\.", "hub.nouns.", str(annotation))
    return re.sub(r" at 0x[0-9a-f]+", "", named)  # where a function lies is different each time


def broken(old: Api, new: Api) -> list[str]:
    """Return in sentences what would break a plugin that was written for `old`."""
    found = [f"{name} is gone; keep it for two versions" for name in old if name not in new]
    for name, was in old.items():
        now = new.get(name)
        if now is None:
            continue
        if was["kind"] != now["kind"]:
            found.append(f"{name} was a {was['kind']} and is a {now['kind']}")
        elif was["kind"] == "noun":
            found += changed_fields(name, was["fields"], now["fields"])
        elif was["kind"] == "kit":
            gone = sorted(set(was["attributes"]) - set(now["attributes"]))
            found += [f"{name}: the attribute {one} is gone; test classes set it" for one in gone]
        else:
            found += changed_calls(name, was, now)
    return found


def changed_fields(noun: str, was: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return what a changed noun breaks: it only grows optional fields."""
    found = [f"{noun}.{name} is gone; plugins read or set it" for name in was if name not in now]
    for name, field in now.items():
        if name not in was:
            if field["required"]:
                found.append(f"{noun}.{name} is new and required; give it a default")
        elif field["required"] and not was[name]["required"]:
            found.append(f"{noun}.{name} is required now; leave it its default")
        elif field["type"] != was[name]["type"]:
            found.append(f"{noun}.{name} was {was[name]['type']} and is {field['type']}")
    return found


def changed_calls(name: str, was: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return what a changed function, method, protocol or hook breaks."""
    if "call" in was:
        same = was["call"] == now["call"]
        return [] if same else [f"{name}{was['call']} is called {name}{now['call']} now"]
    found = []
    for method, call in was["methods"].items():
        if method not in now["methods"]:
            found.append(f"{name}.{method}() is gone")
        elif now["methods"][method] != call and not (
            method == "__init__" and only_grew(call, now["methods"][method])
        ):
            found.append(f"{name}.{method}{call} is {method}{now['methods'][method]} now")
    added = sorted(set(now["methods"]) - set(was["methods"]))
    if added and was["kind"] == "protocol":
        found.append(f"{name} asks for {', '.join(added)} now; make a new protocol of it")
    return found


def only_grew(was: str, now: str) -> bool:
    """Say whether a call takes all that it took, and more only where that may be left out."""
    (first, named), (again, renamed) = parameters(was), parameters(now)
    more = [*again[len(first) :], *(one for name, one in renamed.items() if name not in named)]
    kept = again[: len(first)] == first and named.items() <= renamed.items()
    return kept and all(default for _, default in more)


def parameters(call: str) -> tuple[list[tuple[str, str]], dict[str, tuple[str, str]]]:
    """Return what a call takes by place and by name, each with its default, empty for none."""
    (function,) = ast.parse(f"def call{call.replace(FACTORY, '...')}: ...").body
    assert isinstance(function, ast.FunctionDef)
    given = function.args
    places = [ast.unparse(one) for one in [*given.posonlyargs, *given.args]]
    defaults = [""] * (len(places) - len(given.defaults)) + [ast.unparse(d) for d in given.defaults]
    named = {
        one.arg: (ast.unparse(one), ast.unparse(default) if default else "")
        for one, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)
    }
    return list(zip(places, defaults, strict=True)), named


if __name__ == "__main__":
    FILE.write_text(json.dumps(snapshot(), indent=1, sort_keys=True) + "\n")
