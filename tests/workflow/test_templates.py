"""Text with expressions in it."""

import pytest

from hub.workflow.expressions import BadExpression, Environment, Failed
from hub.workflow.templates import Template, compile_text, resolve

DATA = {"name": "Rosa", "count": 3, "share": 0.5, "open": True, "tags": ["a", "b"]}
SHAPE = {"name": str, "count": int, "share": float, "open": bool, "tags": list[str]}


@pytest.fixture
def environment() -> Environment:
    return Environment({"event": SHAPE})


def fill(environment: Environment, text: str) -> object:
    return resolve(compile_text(environment, text), environment.data(event=DATA))


def test_exactly_one_expression_keeps_its_type(environment: Environment) -> None:
    assert fill(environment, "{{ event.count }}") == 3
    assert fill(environment, "{{ event.tags }}") == ["a", "b"]


def test_anything_else_is_text(environment: Environment) -> None:
    text = "Hi {{event.name}}, {{ event.count }}/{{ event.share }} {{ event.open }}"
    assert fill(environment, text) == "Hi Rosa, 3/0.5 true"


def test_a_text_without_expressions_is_left_alone(environment: Environment) -> None:
    assert fill(environment, "100 % { sure }}") == "100 % { sure }}"


def test_braces_and_quotes_inside_an_expression_do_not_end_it(environment: Environment) -> None:
    assert fill(environment, '{{ {"a": {"b": "}}"}}.a.b }}!') == "}}!"


def test_an_expression_without_its_end_is_refused(environment: Environment) -> None:
    with pytest.raises(BadExpression, match="no closing") as caught:
        compile_text(environment, "Hi {{ event.name")
    assert caught.value.offset == 3


def test_a_list_cannot_be_written_into_a_text(environment: Environment) -> None:
    with pytest.raises(BadExpression, match="cannot be written"):
        compile_text(environment, "tags: {{ event.tags }}")


def test_a_text_never_grows_past_two_thousand_characters(environment: Environment) -> None:
    text = compile_text(environment, "x" * 1999 + "{{ event.name }}")
    assert isinstance(text, Template)
    with pytest.raises(Failed, match="2000 fit"):
        text.value(environment.data(event=DATA))


def test_jinja_in_a_text_stays_text(environment: Environment) -> None:
    assert fill(environment, "{% for x in y %}") == "{% for x in y %}"
