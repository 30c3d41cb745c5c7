"""Conditions asked together give what each gives alone."""

import pytest

from .conftest import Toys

FLOW = """\
workflow: {name}
on: [{{event: order.received, if: '{condition}'}}]
steps:
  - {{id: note, use: toy.write, with: {{text: "{name}"}}}}
"""


def note(toys: Toys, conditions: dict[str, str], **facts: object) -> list[str]:
    """Return which of some workflows start for an order."""
    for name, condition in conditions.items():
        toys.save(FLOW.format(name=name, condition=condition))
    toys.order_comes(**facts)
    toys.work()
    return sorted(toys.texts())


def test_of_many_workflows_exactly_those_start_whose_condition_holds(toys: Toys) -> None:
    conditions = {f"w{n}": f"event.order.total_minor >= {n * 10}" for n in range(40)}
    assert note(toys, conditions, total_minor=50) == ["w0", "w1", "w2", "w3", "w4", "w5"]


def test_a_condition_that_cannot_be_evaluated_does_not_spoil_the_ones_beside_it(
    toys: Toys,
) -> None:
    conditions = {
        "bad": "event.order.total_minor / event.order.lines > 1",
        "yes": "event.order.total_minor > 1",
        "no": "event.order.total_minor < 1",
    }
    assert note(toys, conditions, total_minor=50) == ["yes"]
    assert toys.run_named("bad") == ["failed"]


@pytest.mark.parametrize(
    "condition",
    [
        "event.order.total_minor > 1 // a comment",
        '["a", "b"].exists(x, x == "a")',
        " || ".join(["event.order.total_minor == 50"] * 30),
    ],
)
def test_a_condition_with_a_comment_or_a_loop_or_nearly_too_long_holds_beside_others(
    toys: Toys, condition: str
) -> None:
    conditions = {"other": "event.order.total_minor > 1", "this": condition}
    assert note(toys, conditions, total_minor=50) == ["other", "this"]
