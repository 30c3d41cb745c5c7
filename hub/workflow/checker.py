"""Check a workflow file as a whole: every mistake at once, each with its line and column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from hub.actions import Action
from hub.events.catalogue import catalogue
from hub.workflow.blocks import Blocks
from hub.workflow.language import BRANCH, PLANNED, SINGLE, Workflow
from hub.workflow.problem import Invalid, Problem, suggestion
from hub.workflow.program import Program
from hub.workflow.schemas import event_shape
from hub.workflow.words import Word
from hub.workflow.yaml_source import Path, Source, read


def check(text: str | bytes, actions: Mapping[str, Action], name: str = "workflow") -> Program:
    """Return the program of a file; raise `Invalid` with all that is wrong with it."""
    source = read(text, name)
    workflow = parse(source)
    known, shapes = catalogue(), {}
    problems: dict[tuple[int, int], Problem] = {}
    for number, trigger in enumerate(workflow.on):
        if trigger.type in known:
            shapes[trigger.type] = event_shape(known[trigger.type])
        else:
            hint = suggestion(trigger.type, known)
            message = f"there is no event '{trigger.type}'{hint}"
            found = source.problem(("on", number, "event"), message)
            problems[found.line, found.column] = found
    for found in hook_problems(source, workflow):
        problems[found.line, found.column] = found
    courses = {}
    for kind, shape in shapes.items():
        blocks = Blocks(source, workflow, actions, shape, problems)
        courses[kind] = blocks.course(kind)
    if problems:
        raise Invalid(source.name, problems.values())
    text = source.text
    return Program(workflow, courses, "tracking_url" in text, "connected(" in text)


def hook_problems(source: Source, workflow: Workflow) -> Iterator[Problem]:
    """Yield what is wrong with the webhooks: more than one, or inputs that are not declared."""
    hooks = [(number, one.webhook) for number, one in enumerate(workflow.on) if one.webhook]
    for number, _ in hooks[1:]:
        message = "a workflow has one webhook at most; this is another"
        yield source.problem(("on", number, "webhook"), message, key=True)
    for number, hook in hooks:
        for name in hook.inputs:
            if name not in workflow.inputs:
                message = f"there is no input '{name}'{suggestion(name, workflow.inputs)}"
                yield source.problem(("on", number, "webhook", "inputs", name), message, key=True)


def parse(source: Source) -> Workflow:
    """Return the file as a model; raise `Invalid` for unknown words and wrong kinds of value."""
    try:
        return Workflow.model_validate(source.value)
    except ValidationError as error:
        problems = [misread(source, dict(found)) for found in error.errors(include_url=False)]
        raise Invalid(source.name, problems) from None


def misread(source: Source, error: dict[str, Any]) -> Problem:
    """Return one of pydantic's errors as a mistake in the file, in plain words."""
    path: Path = tuple(part for part in error["loc"] if part not in (SINGLE, BRANCH))
    kind, message = error["type"], str(error["msg"]).removeprefix("Value error, ")
    word = str(path[-1]) if path else ""
    if kind == "extra_forbidden":
        if word in PLANNED:
            return source.problem(path, f"'{word}' is chosen by the action; take it out", key=True)
        known = words(path)
        hint = suggestion(word, known) or f"; known here: {', '.join(known)}"
        return source.problem(path, f"unknown key '{word}'{hint}", key=True)
    if kind == "missing":
        return source.problem(path[:-1], f"'{word}' is missing")
    if kind in ("model_type", "model_attributes_type"):
        return source.problem(path, "has to be a mapping of keys and values")
    if kind == "bool_type":
        return source.problem(path, "has to be true or false")
    if kind == "string_type":
        return source.problem(path, 'has to be text; write it in "quotes"')
    return source.problem(path, f"{message[:1].lower()}{message[1:]}")


def words(path: Path) -> list[str]:
    """Return the keys that may stand where `path` ends."""
    models: list[type[Word]] = [Workflow]
    for part in path[:-1]:
        if isinstance(part, int):
            continue
        models = [inner for model in models for inner in inside(model, part)]
    return sorted({found.alias or name for one in models for name, found in fields(one)})


def fields(model: type[BaseModel]) -> list[tuple[str, Any]]:
    """Return the fields of a model by name."""
    return list(model.model_fields.items())


def inside(model: type[BaseModel], word: str) -> Iterator[type[Word]]:
    """Yield the mappings of the language that may stand under a key of `model`."""
    for name, found in fields(model):
        if (found.alias or name) == word:
            yield from mappings(found.annotation)


def mappings(annotation: Any) -> Iterator[type[Word]]:
    """Yield every mapping of the language within an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, Word):
        yield annotation
    for part in get_args(annotation):
        yield from mappings(part)


__all__ = ["check", "parse"]
