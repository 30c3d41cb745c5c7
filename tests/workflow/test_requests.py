"""A person starts a workflow by its name."""

from __future__ import annotations

import pytest

from hub.errors import Missing, Refused
from hub.store import System, WorkflowRow
from hub.workflow.requests import request

from .conftest import Toys

HAND = """
workflow: hand
on: [{manual: true}, {event: order.received}]
inputs:
  times: {type: int, default: 1}
  who: {default: nobody, merchants: {alpenkraut: Rosa}}
steps:
  - {id: a, use: toy.write, with: {text: "{{ inputs.who }}", copies: "{{ inputs.times }}"}}
"""


def ask(toys: Toys, name: str = "hand", **inputs: str) -> None:
    with toys.hub.store.write(System()) as session:
        request(toys.hub, session, name, by="ops@example.com", inputs=inputs)
    toys.tick()


def test_it_runs_with_the_inputs_that_were_given(toys: Toys) -> None:
    toys.save(HAND)
    ask(toys, times="2", who="Ida")
    assert toys.texts() == ["Ida", "Ida"]
    assert toys.run().inputs == {"times": 2, "who": "Ida"}


def test_what_is_not_given_is_the_merchants_own_value_or_the_default(toys: Toys) -> None:
    toys.save(HAND)
    ask(toys)
    toys.order_comes()
    toys.work()
    assert toys.texts() == ["nobody", "Rosa"]


@pytest.mark.parametrize(("inputs", "said"), [
    ({"tims": "2"}, "there is no input 'tims'; did you mean 'times'?"),
    ({"times": "two"}, "times: 'two' is no int"),
])  # fmt: skip
def test_an_input_that_does_not_fit_is_named(toys: Toys, inputs: dict[str, str], said: str) -> None:
    toys.save(HAND)
    with pytest.raises(Refused) as caught:
        ask(toys, **inputs)
    assert str(caught.value) == said


def test_only_a_workflow_that_says_so_is_started_by_hand(toys: Toys) -> None:
    toys.save(HAND.replace("{manual: true}, ", ""))
    with pytest.raises(Refused, match="manual: true"):
        ask(toys)
    with pytest.raises(Missing):
        ask(toys, "other")


def test_a_workflow_that_is_off_is_not_started(toys: Toys) -> None:
    toys.save(HAND)
    with toys.hub.store.write(System()) as session:
        session.get_one(WorkflowRow, "hand").enabled = False
    with pytest.raises(Refused, match="switched off"):
        ask(toys)
