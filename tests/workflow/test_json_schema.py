"""What editors are told about the language is what the checker accepts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
from jsonschema import Draft7Validator

from hub.actions import Action, ActionInput, Inside
from hub.events.catalogue import catalogue
from hub.workflow.checker import check
from hub.workflow.json_schema import json_schema
from hub.workflow.problem import Invalid
from hub.workflow.yaml_source import read

from .conftest import TextOutput

EVERYTHING = """\
workflow: everything
version: 2
mode: shadow
canary: [alpenkraut]
on:
  - {event: order.received, if: true}
  - schedule: {cron: "30 2 * * 1-6", tz: Europe/Vaduz, if_missed: run_once, max_late: 3h}
  - webhook: {inputs: {loud: order.loud}}
  - manual: true
  - workflow: true
inputs: {loud: {type: bool, default: false, merchants: {alpenkraut: true}}}
concurrency: {key: "one", mode: queued}
dedup: {key: "x", for: 30d}
once: "y"
throttle: {key: "z", max: 3, per: 1h}
coalesce: {key: "c", within: 30s}
quiet_hours: {from: "21:00", to: "7:00", tz: Europe/Vaduz, then: delay}
timeout: 2h
steps:
  - id: send
    if: inputs.loud
    use: toy.send
    with: {to: "+423", text: "hello"}
    else: {use: toy.write, with: {text: "quiet", copies: 2}}
    retry: {max: 2, delay: 5s, on: [retry]}
    rate_limit: {key: sms, per_minute: 30}
    timeout: 20s
    heartbeat: 5s
    undo: {use: toy.write, with: {text: "taken back"}}
  - {id: answer, wait: {event: order.received, match: "true", timeout: 8h}, on_timeout: fail}
  - delay: 10m
  - until: event.occurred_at
  - parallel:
      - {id: one, use: workflow.other, with: {any: 1}}
      - steps: [{id: two, use: toy.write, with: {text: "{{ string(2) }}", copies: "{{ 1 + 1 }}"}}]
  - foreach: {in: "['a', 'b']", as: letter, max_parallel: 2}
    steps: [{id: each, use: toy.write, with: {text: "{{ letter.value }}"}}]
  - choose:
      - {if: inputs.loud, steps: [{id: three, use: toy.write, with: {text: a}}]}
      - {else: true, steps: [{id: four, use: toy.write, with: {text: b}}]}
on_error: [{use: toy.write, with: {text: "{{ error.message }}"}}]
tests: [{name: t, given: {event: order.received}, expect: {started: true}}]
"""
SMALL = """\
workflow: small
on: [{event: order.received}]
steps:
  - {id: note, use: toy.write, with: {text: hello}}
"""
MISTAKES = {
    "an unknown word": ("workflow: small", "workflow: small\nstpes: []"),
    "a name with a capital": ("workflow: small", "workflow: Small"),
    "no steps": ("  - {id: note, use: toy.write, with: {text: hello}}", "  []"),
    "an unknown event": ("order.received", "order.recieved"),
    "two kinds of trigger": ("event: order.received", "event: order.received, manual: true"),
    "no kind of trigger": ("event: order.received", "if: 'true'"),
    "an unknown action": ("toy.write", "toy.wriet"),
    "an unknown field": ("text: hello", "text: hello, txet: x"),
    "a missing field": ("{text: hello}", "{copies: 1}"),
    "no with": (", with: {text: hello}", ""),
    "a field of the wrong kind": ("text: hello", "text: hello, copies: [1]"),
    "two kinds of step": ("id: note,", "id: note, delay: 1m,"),
    "no kind of step": ("use: toy.write, with: {text: hello}", "if: 'true'"),
    "an action without an id": ("id: note, ", ""),
    "steps without foreach": ("id: note,", "id: note, steps: [{delay: 1m}],"),
    "a duration in words": ("id: note,", "id: note, timeout: soon,"),
    "an hour past midnight": (
        "steps:", "quiet_hours: {from: '24:00', to: '06:00', tz: UTC}\nsteps:"
    ),
    "a wrong choice": ("id: note,", "id: note, retry: {backoff: linear},"),
    "too many tries": ("id: note,", "id: note, retry: {max: 51},"),
    "two rates": ("id: note,", "id: note, rate_limit: {key: a, per_second: 1, per_minute: 1},"),
    "a case with no condition": ("{id: note, use: toy.write, with: {text: hello}}",
                                 "{choose: [{steps: [{delay: 1m}]}]}"),
    "an input with a dash": ("steps:", "inputs: {so-not: {type: text}}\nsteps:"),
    "an undo without its action": ("id: note,", "id: note, undo: {with: {}},"),
}  # fmt: skip


MADE: dict[tuple[type[ActionInput], ...], Draft7Validator] = {}


def validator(actions: Mapping[str, Action]) -> Draft7Validator:
    key = tuple(action.Input for action in actions.values())
    if key not in MADE:
        schema = json.loads(json.dumps(json_schema(actions)))
        Draft7Validator.check_schema(schema)
        MADE[key] = Draft7Validator(schema)
    return MADE[key]


def faults(actions: Mapping[str, Action], text: str) -> list[str]:
    return [error.message for error in validator(actions).iter_errors(read(text).value)]


def accepts(actions: Mapping[str, Action], text: str) -> bool:
    try:
        check(text, actions)
    except Invalid:
        return False
    return True


def test_a_file_with_every_word_fits(actions: dict[str, Action]) -> None:
    check(EVERYTHING, actions)
    assert faults(actions, EVERYTHING) == []


def test_every_word_of_the_language_stands_in_that_file(actions: dict[str, Action]) -> None:
    known = json_schema(actions)
    for words in (known, known["definitions"]["Step"], known["definitions"]["Trigger"]):
        for word in words["properties"]:
            missing = {"description", "continue_on_error", "expires_in", "idempotency", "timeout"}
            assert word in missing or f"{word}:" in EVERYTHING, word


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_to_the_checker_and_to_editors(
    actions: dict[str, Action], name: str
) -> None:
    old, new = MISTAKES[name]
    assert old in SMALL
    assert accepts(actions, SMALL)
    assert faults(actions, SMALL) == []
    wrong = SMALL.replace(old, new)
    assert not accepts(actions, wrong)
    assert faults(actions, wrong) != []


def test_the_shipped_workflows_fit_on_the_actions_of_a_bare_installation() -> None:
    from hub.workflow.library import shipped
    from hub.workflow.parts import installed_actions

    files = sorted(shipped().glob("*.yaml"))
    assert len(files) >= 3
    check_one = validator(installed_actions())
    for file in files:
        assert list(check_one.iter_errors(read(file.read_text(), file.name).value)) == []


def test_actions_and_events_are_offered_with_what_they_are(actions: dict[str, Action]) -> None:
    known = json_schema(actions)["definitions"]
    use, _ = known["Step"]["properties"]["use"]["anyOf"]
    assert use["enum"] == ["toy.send", "toy.write"]
    assert len(use["enumDescriptions"]) == 2
    event = known["Wait"]["properties"]["event"]
    assert event["enum"] == sorted(catalogue())
    assert all(event["enumDescriptions"])


def test_what_stands_under_a_word_in_the_source_describes_it(actions: dict[str, Action]) -> None:
    step = json_schema(actions)["definitions"]["Step"]["properties"]
    assert step["timeout"]["description"] == "How long one try may take."


class DeepInput(ActionInput):
    """What is packed."""

    class Box(ActionInput):
        """One box."""

        weight: float
        kind: Literal["flat", "tall"] = "flat"

    boxes: list[Box]
    """In the order of loading."""
    fragile: bool = False


def deep(with_: Any) -> list[str]:
    actions = {"toy.pack": Inside("toy.pack", DeepInput, TextOutput, lambda *_: None)}  # type: ignore[arg-type, return-value]
    text = f"workflow: w\non: [{{manual: true}}]\nsteps: [{{id: a, use: toy.pack, with: {with_}}}]"
    return faults(actions, text)


@pytest.mark.parametrize(
    "with_",
    ["{boxes: [{weight: 1.5, kind: tall}]}", '{boxes: "{{ event.boxes }}"}',
     '{boxes: [{weight: "{{ 1.0 }}"}], fragile: "{{ true }}"}', '{boxes: ["{{ a }}"]}'],
)  # fmt: skip
def test_a_value_at_any_depth_may_be_an_expression(with_: str) -> None:
    assert deep(with_) == []


@pytest.mark.parametrize(
    "with_", ["{boxes: soon}", "{boxes: [{weight: heavy}]}", "{boxes: [{weight: 1, kind: wide}]}"]
)
def test_a_value_that_is_neither_right_nor_an_expression_is_a_mistake(with_: str) -> None:
    assert deep(with_) != []


def everywhere(schema: Any) -> list[Any]:
    inner = schema.values() if isinstance(schema, dict) else schema
    own = [schema] if isinstance(schema, dict) else []
    below = [one for part in inner if isinstance(part, dict | list) for one in everywhere(part)]
    return own + below


def test_nothing_stands_beside_a_reference_and_none_leads_nowhere(
    actions: dict[str, Action],
) -> None:
    schema = json_schema(actions)
    refs = [one for one in everywhere(schema) if isinstance(one.get("$ref"), str)]
    assert refs
    for one in refs:
        assert one.keys() == {"$ref"}
        assert one["$ref"].removeprefix("#/definitions/") in schema["definitions"]


def test_without_any_action_the_schema_is_still_one() -> None:
    assert faults({}, SMALL.replace("toy.write", "workflow.other")) == []


@pytest.mark.parametrize("page", ["workflows.md", "writing-workflows.md"])
def test_the_example_of_the_documents_points_to_the_schema_and_fits(page: str) -> None:
    from hub.workflow.parts import installed_actions

    text = (Path(__file__).parents[2] / "docs" / page).read_text()
    example = text.split("```yaml\n")[1].split("```")[0]
    assert example.startswith("# yaml-language-server: $schema=")
    check(example, installed_actions(), page)
    assert list(validator(installed_actions()).iter_errors(read(example).value)) == []
