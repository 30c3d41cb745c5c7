"""What somebody hostile might write: each is refused with its place, or does no harm, at once."""

import random
import re
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from hub.actions import Action
from hub.workflow.checker import check
from hub.workflow.expressions import BadExpression, Environment, Failed
from hub.workflow.problem import Invalid
from hub.workflow.templates import Template, compile_text

from .attacks import ATOMS, EVENT, FILES, FORMS, HARMLESS, PLAIN, REFUSED, SHAPE

FASTEST = 0.05
"""Seconds of CPU."""
LARGEST = 2000
TRIES = 10
"""The best of so many counts, as others work on the machine too."""


@pytest.fixture(scope="module")
def environment() -> Environment:
    made = Environment({"event": SHAPE})
    made.compile("event.ref == ''").holds(made.data(event=EVENT))
    return made


def measured(ask: Callable[[], Any]) -> Any:
    """Return what `ask` gives, or the error that it raises, once that was quick enough."""
    took = []
    for _ in range(TRIES):
        begin = time.process_time()
        try:
            found = ask()
        except (BadExpression, Failed, Invalid) as error:
            found = error
        took.append(time.process_time() - begin)
        if min(took) < FASTEST:
            return found
    raise AssertionError(f"took {min(took):.3f} s of CPU")


@pytest.mark.parametrize("attack", REFUSED.values(), ids=REFUSED.keys())
def test_a_hostile_condition_is_refused(environment: Environment, attack: str) -> None:
    data = environment.data(event=EVENT)
    found = measured(lambda: environment.compile(attack).holds(data))
    assert isinstance(found, BadExpression | Failed), f"gave {str(found)[:100]}"
    assert len(str(found)) < 400
    if isinstance(found, BadExpression):
        assert 0 <= found.offset <= len(attack)


@pytest.mark.parametrize("attack", REFUSED.values(), ids=REFUSED.keys())
def test_a_hostile_text_is_refused(environment: Environment, attack: str) -> None:
    data = environment.data(event=EVENT)

    def ask() -> Any:
        made = compile_text(environment, "Dear {{" + attack + "}}, hello")
        return made.value(data) if isinstance(made, Template) else made

    found = measured(ask)
    assert isinstance(found, BadExpression | Failed), f"gave {str(found)[:100]}"


@pytest.mark.parametrize(("attack", "right"), HARMLESS.values(), ids=HARMLESS.keys())
def test_what_only_looks_hostile_gives_the_right_result(
    environment: Environment, attack: str, right: object
) -> None:
    data = environment.data(event=EVENT)
    given = measured(lambda: environment.compile(attack).value(data))
    assert given == right
    assert len(str(given)) <= LARGEST


def written(chance: random.Random, depth: int) -> str:
    """Return some expression of the names, functions and signs that exist."""
    if depth == 0:
        return chance.choice(ATOMS)
    form = chance.choice(FORMS)
    return re.sub("@", lambda _: written(chance, depth - 1 - chance.randrange(depth)), form)


def test_any_expression_ends_at_once_in_a_small_value_or_an_error(
    environment: Environment,
) -> None:
    chance = random.Random(20261123)
    data = environment.data(event=EVENT)
    good = 0
    for _ in range(1500):
        text = written(chance, 5)
        found = measured(lambda: environment.compile(text).value(data))  # noqa: B023
        if not isinstance(found, Exception):
            good += 1
            assert len(str(found)) < 30 * LARGEST, text
    assert good > 100, "the expressions are too poor to say anything"


@pytest.mark.parametrize(
    "text",
    [
        "{% for x in range(10) %}{{ event.n }}{% endfor %}", "${{ event.n }}", "#{event.n}",
        "<%= event.n %>", "%s %n %p", "{0.__class__} {{ event.n }}", "}}}} {{ event.n }} }}",
        "\u202eevil {{ event.n }}", "=cmd|' /C calc'!A0",
    ],
)  # fmt: skip
def test_other_languages_stay_text(environment: Environment, text: str) -> None:
    data = environment.data(event=EVENT)
    made = measured(lambda: compile_text(environment, text))
    given = made.value(data) if isinstance(made, Template) else made
    assert given == text.replace("{{ event.n }}", "7")


@pytest.mark.parametrize(
    "text",
    [
        "{{ event.ref }}" * 5, "{{ event.n }}" * 21, "x" * 2001 + "{{ event.n }}", "{{" * 4000,
        "{{ " + "{" * 4000, "{{ event.n }" * 900, "{{ '}}", "{{}}", "{{ {{ event.n }} }}",
    ],
)  # fmt: skip
def test_a_text_that_is_too_much_is_refused(environment: Environment, text: str) -> None:
    data = environment.data(event=EVENT)

    def ask() -> Any:
        made = compile_text(environment, text)
        return made.value(data) if isinstance(made, Template) else made

    assert isinstance(measured(ask), BadExpression | Failed)


def test_signs_that_no_database_takes_never_come_out_of_an_event(environment: Environment) -> None:
    data = environment.data(event={**EVENT, "ref": "a\0b\ud800c", "tags": ["\0"]})
    assert environment.compile("event.ref").value(data) == "ab?c"
    assert environment.compile("event.tags").value(data) == [""]


def test_a_value_that_does_not_fit_its_type_fails_by_name(environment: Environment) -> None:
    with pytest.raises(Failed, match="event: "):
        environment.data(event={**EVENT, "n": 10**30})


def test_values_that_change_are_read_anew(environment: Environment) -> None:
    event = {"ref": "one", "tags": ["a"]}
    asked = environment.compile("event.ref + event.tags[0]")
    assert asked.value(environment.data(event=event)) == "onea"
    event["tags"][0] = "b"  # type: ignore[index]
    assert asked.value(environment.data(event=event)) == "oneb"


@pytest.mark.parametrize(("text", "expected"), FILES.values(), ids=FILES.keys())
def test_a_hostile_file_is_refused_at_its_place(
    actions: dict[str, Action], text: str | bytes, expected: str
) -> None:
    found = measured(lambda: check(text, actions, "x.yaml"))
    assert isinstance(found, Invalid)
    assert expected in str(found)
    assert all(problem.line > 0 and problem.column > 0 for problem in found.problems)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: text + "...\n",
        lambda text: "---\n" + text,
        lambda text: "%YAML 1.1\n---\n" + text,
        lambda text: text.replace("workflow: plain", "workflow:\tplain"),
        lambda text: text.replace("TEXT", "NO 0123 12:30 1e1000 .inf"),
        lambda text: text.replace('"TEXT"', "NO"),
        lambda text: text.replace('"TEXT"', "12:30"),
        lambda text: text.replace("TEXT", "\u202b".encode("unicode_escape").decode()),
        lambda text: text.replace("TEXT", "<<: *a &b !!c"),
        lambda text: text.replace("TEXT", "}}" * 4000),
        lambda text: text + "#" * 200_000,
    ],
)
def test_a_file_that_only_looks_odd_is_read_right(
    actions: dict[str, Action], change: Callable[[str], str]
) -> None:
    program = measured(lambda: check(change(PLAIN), actions, "x.yaml"))
    assert not isinstance(program, Exception), str(program)
    assert program.workflow.workflow == "plain"
    given = program.courses["order.received"].moves["note"].arguments["text"]
    assert isinstance(given, str)
    if "12:30" in change(PLAIN):
        assert given in ("12:30", "NO 0123 12:30 1e1000 .inf")


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is never freed any more")
@pytest.mark.parametrize("text", ["null", "[null, null]", "{'a': null}", "event.any.none"])
def test_a_null_does_not_wear_out_the_interpreter(environment: Environment, text: str) -> None:
    asked = environment.compile(text)
    data = environment.data(event={**EVENT, "any": {"none": None}})
    before = sys.getrefcount(None)
    for _ in range(500):
        asked.value(data)
    assert sys.getrefcount(None) > before - 250
