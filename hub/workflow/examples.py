"""The tests that a workflow file brings along: given an event, mocked actions, what is expected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hub.actions import Action
from hub.events.catalogue import catalogue
from hub.store import EventRow
from hub.workflow.checker import check
from hub.workflow.expressions import Failed
from hub.workflow.facts import event_facts
from hub.workflow.gates import quiet_until
from hub.workflow.language import Example, Workflow
from hub.workflow.problem import Invalid, Problem, suggestion
from hub.workflow.program import Course, Move, Program
from hub.workflow.rehearsal import Answer, Failure, Heard, Stage, rehearse, staged
from hub.workflow.schemas import event_shape
from hub.workflow.words import duration
from hub.workflow.yaml_source import Source, read

NOON = datetime(2026, 12, 1, 11, 0, tzinfo=UTC)
"""When an example happens that does not say."""
LINK = "https://hub.example/t/0123456789abcdefghijkl"
ENVELOPE = ("event", "at", "inputs", "customer")
EXPECTED = ("started", "reason", "state", "steps", "skipped", "with", "error")
MOCKED = ("error", "event", "timed_out", "after")


@dataclass(frozen=True)
class Outcome:
    """How one example ended; without `faults` it passed."""

    file: str
    line: int
    name: str
    faults: tuple[str, ...] = ()


@dataclass
class Played:
    """What became of an example's event."""

    started: bool
    reason: str = ""
    stage: Stage | None = None
    done: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def run_file(path: Path, actions: Mapping[str, Action]) -> list[Outcome]:
    """Run every example of a file, in order; raise `Invalid` for a file with mistakes."""
    text = path.read_bytes()
    program = check(text, actions, str(path))
    source = read(text, str(path))
    problems = [
        problem
        for number, example in enumerate(program.workflow.tests)
        for problem in mistakes(source, program, number, example)
    ]
    if problems:
        raise Invalid(str(path), problems)
    return [
        Outcome(
            str(path), source.problem(("tests", number), "").line, example.name,
            tuple(faults(play(program, example), example.expect)),
        )
        for number, example in enumerate(program.workflow.tests)
    ]  # fmt: skip


def try_out(path: Path, given: Path, actions: Mapping[str, Action]) -> Stage | None:
    """Rehearse a file on what another file gives; None where that starts no run.

    That file has `given:` and `mock:` as a test has. Raise `Invalid` for mistakes in either.
    """
    program = check(path.read_bytes(), actions, str(path))
    source = read(given.read_bytes(), str(given))
    told = source.value if isinstance(source.value, dict) else {}
    try:
        example = Example.model_validate({"name": "dry run", **told})
    except ValidationError as error:
        said = error.errors(include_url=False)[0]
        raise Invalid(str(given), [source.problem(tuple(said["loc"]), str(said["msg"]))]) from None
    found = mistakes(source, program, None, example)
    if found:
        raise Invalid(str(given), found)
    return play(program, example).stage


def mistakes(
    source: Source, program: Program, number: int | None, example: Example
) -> list[Problem]:
    """Return the words of an example that mean nothing, each at its place.

    It is the test of that number in the file, or with None the whole file.
    """
    here = ("tests", number) if number is not None else ()
    kind = example.given.get("event")
    if kind not in program.courses:
        known = ", ".join(program.courses)
        text = f"'{kind}' does not start this workflow; it starts on: {known}"
        return [source.problem((*here, "given", "event"), text)]
    course = program.courses[str(kind)]
    moves = {name(path): move for path, move in course.moves.items()}
    found = [*given_mistakes(str(kind), example), *mock_mistakes(moves, example)]
    found += expect_mistakes(moves, example)
    return [source.problem((*here, *at), text, key=key) for at, text, key in found]


Mistake = tuple[tuple[str, ...], str, bool]
"""Where in the example, what is wrong, and whether the key is meant and not its value."""


def given_mistakes(kind: str, example: Example) -> Iterator[Mistake]:
    """Yield what of `given` means nothing: nouns, fields, a moment that is none."""
    shape = event_shape(catalogue()[kind])
    for word, values in example.given.items():
        if word == "at":
            yield from moment_mistakes(values)
        elif word not in ENVELOPE and not isinstance(shape.get(word), dict):
            hint = suggestion(word, [noun for noun in shape if isinstance(shape[noun], dict)])
            yield ("given", word), f"there is no '{word}' in {kind}{hint}", True
        elif word != "event" and not isinstance(values, dict):
            yield ("given", word), "has to be a mapping of keys and values", False
        elif word in shape and isinstance(shape[word], dict):
            for key in values:
                if key not in shape[word]:
                    hint = suggestion(key, shape[word])
                    yield ("given", word, key), f"{word} has no field '{key}'{hint}", True


def moment_mistakes(value: object) -> Iterator[Mistake]:
    """Yield that `at` is no moment with a time zone, where it is not."""
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        text = 'has to be a moment with its zone, such as "2026-12-01T21:30:00+01:00"'
        yield ("given", "at"), text, False


def mock_mistakes(moves: Mapping[str, Move], example: Example) -> Iterator[Mistake]:
    """Yield what of `mock` means nothing: steps, and fields that their actions do not give."""
    for step, values in example.mock.items():
        move = moves.get(step)
        if move is None:
            yield ("mock", step), f"there is no step '{step}'{suggestion(step, moves)}", True
            continue
        known = [*MOCKED] if move.kind != "use" else ["error"]
        known += list(move.action.Output.model_fields) if move.action else []
        for key in values if isinstance(values, dict) else ():
            if key not in known:
                text = f"{step} cannot give '{key}'{suggestion(key, known)}"
                yield ("mock", step, key), text, True


def expect_mistakes(moves: Mapping[str, Move], example: Example) -> Iterator[Mistake]:
    """Yield what of `expect` means nothing: words, steps, and fields that no step is given."""
    for word in example.expect:
        if word not in EXPECTED:
            yield ("expect", word), f"'{word}' cannot be expected{suggestion(word, EXPECTED)}", True
    for word in ("steps", "skipped", "with"):
        for step in example.expect.get(word) or ():
            if step not in moves:
                hint = suggestion(str(step), moves)
                yield ("expect", word), f"there is no step '{step}'{hint}", True
    wanted = example.expect.get("with", {})
    for step, values in wanted.items() if isinstance(wanted, dict) else ():
        action = moves[step].action if step in moves else None
        for key in values if isinstance(values, dict) and action else ():
            if action and key not in action.Input.model_fields:
                hint = suggestion(key, action.Input.model_fields)
                yield ("expect", "with", step, key), f"{action.name} takes no '{key}'{hint}", True
    for word in ("with", "error"):
        if not isinstance(example.expect.get(word, {}), dict):
            yield ("expect", word), "has to be a mapping of keys and values", False


def name(path: str) -> str:
    """Return the id of a step by its path."""
    return path.rpartition(".")[2]


def play(program: Program, example: Example) -> Played:
    """Let an example's event happen and follow what it starts."""
    event, person = happening(program, example)
    course = program.courses[event.type]
    given = example.given.get("inputs") or {}
    inputs = {
        word: given.get(word, known.default)
        for word, known in program.workflow.inputs.items()
        if given.get(word, known.default) is not None
    }
    facts = event_facts(event, person, LINK if program.needs_link else "")
    try:
        if not any(start.holds(facts, inputs=inputs) for start in course.starts):
            return Played(False, "its condition does not hold")
    except Failed as error:
        return Played(False, str(error))
    held = quiet(program.workflow, event, facts)
    if held:
        return Played(False, held)
    link = LINK if program.needs_link and event.data.get("stop") else ""
    stage = rehearse(staged(course, event, person=person, inputs=inputs, link=link), mocks(example))
    return summed_up(course, stage)


def quiet(workflow: Workflow, event: EventRow, facts: Mapping[str, Any]) -> str:
    """Return `quiet hours` where these would hold the run back."""
    hours = workflow.quiet_hours
    if hours is None or quiet_until(hours, event.occurred_at, facts) is None:
        return ""
    return "quiet hours"


def happening(program: Program, example: Example) -> tuple[EventRow, dict[str, Any]]:
    """Return the event of an example and the person beside it; what is not given is absent."""
    given = dict(example.given)
    kind = str(given.pop("event"))
    at = datetime.fromisoformat(given.pop("at")) if "at" in given else NOON
    given.pop("inputs", None)
    person = {"customer": given.pop("customer", {})}
    driver = dict(given.get("driver") or {})
    if "first_name" in driver:
        person["driver"] = {"first_name": driver.pop("first_name")}
        given["driver"] = driver
    facts = {noun: {**values} for noun, values in given.items() if isinstance(values, dict)}
    subject = program.workflow.workflow if "request" in facts else kind
    row = EventRow(
        id="evt_example", seq=1, type=kind, subject=subject, occurred_at=at.astimezone(UTC),
        recorded_at=at.astimezone(UTC), data=facts,
    )  # fmt: skip
    return row, {noun: values for noun, values in person.items() if values}


def mocks(example: Example) -> Any:
    """Return what stands in for the actions and events of an example."""

    def answer(path: str, move: Move) -> Answer | None:
        mock = example.mock.get(name(path.partition(":")[2] or path))
        if mock is None or not isinstance(mock, dict):
            return None
        if "error" in mock:
            told = mock["error"] if isinstance(mock["error"], dict) else {}
            return Failure(str(told.get("kind", "rejected")), str(told.get("message", "mocked")))
        if move.kind == "wait":
            after = duration(mock.get("after", "1m"))
            return Heard(None if mock.get("timed_out") else mock.get("event", {}), after)
        return mock

    return answer


def summed_up(course: Course, stage: Stage) -> Played:
    """Return the path that a run took, by the ids of its steps."""
    made = Played(True, stage=stage)
    for row in stage.ended:
        move = course.move(row.path)
        if move.kind not in ("use", "call", "wait") or row.number >= 10_000:
            continue
        if row.state == "done":
            made.done.append(name(row.path))
        elif row.state == "skipped":
            made.skipped.append(name(row.path))
    return made


def faults(played: Played, expect: Mapping[str, Any]) -> list[str]:
    """Return what is not as expected, each in one line."""
    found = []
    stage = played.stage
    run = stage.run if stage else None
    actual = {
        "started": played.started,
        "reason": played.reason,
        "state": run.state if run else "not started",
        "steps": played.done,
        "skipped": played.skipped,
    }
    for word, wanted in expect.items():
        if word in actual and actual[word] != wanted:
            found.append(differs(word, wanted, actual[word]))
        elif word == "error":
            told = dict(run.error or {}) if run else {}
            found += [differs(f"error.{key}", value, told.get(key))
                      for key, value in wanted.items() if told.get(key) != value]  # fmt: skip
        elif word == "with":
            found += given_faults(stage, wanted)
    return found


def given_faults(stage: Stage | None, wanted: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return where a step was given something else than expected."""
    found = []
    for step, fields in wanted.items():
        all_given = stage.given if stage else {}
        paths = [path for path in all_given if name(path) == step]
        told = all_given[paths[0]] if paths else {}
        found += [differs(f"with.{step}.{key}", value, told.get(key))
                  for key, value in fields.items() if told.get(key) != value]  # fmt: skip
    return found


def differs(what: str, wanted: object, actual: object) -> str:
    """Return one difference in words."""
    return f"{what}: expected {wanted!r}, got {actual!r}"
