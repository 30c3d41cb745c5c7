"""The time machine: an edited workflow over recorded events, compared with what happened."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlmodel import SQLModel

from hub.errors import Refused
from hub.store import EventRow, Operator
from hub.workflow.problem import Invalid
from hub.workflow.replay import Difference, replay, rerun

from .conftest import Toys

BEFORE = """
workflow: told
on: [{event: order.received, if: event.order.total_minor > 100}]
steps:
  - {id: note, use: toy.write, with: {text: "{{ event.customer.name }} {{ event.order.ref }}"}}
  - {id: send, use: toy.send, with: {to: "{{ event.customer.phone }}", text: hello}}
"""


@pytest.fixture
def past(toys: Toys) -> Toys:
    """Let three orders come, of which the workflow dealt with two."""
    toys.connect()
    toys.save(BEFORE)
    for ref, total in (("1", 50), ("2", 500), ("3", 5000)):
        toys.order_comes(id=f"ord_{ref}", ref=ref, total_minor=total)
        toys.work()
    toys.later(hours=1)
    return toys


def again(toys: Toys, old: str = "", new: str = "", since: timedelta | None = None) -> Difference:
    assert old in BEFORE
    text = BEFORE.replace(old, new) if old else BEFORE
    return replay(toys.hub, Operator("ops"), text, since or timedelta(days=7))


def test_an_unchanged_workflow_would_do_the_same(past: Toys) -> None:
    found = again(past)
    assert (found.events, found.started, found.ran, found.same, found.items) == (3, 2, 2, 4, [])


def test_a_wider_condition_adds_and_a_narrower_one_drops(past: Toys) -> None:
    wider = again(past, "> 100", "> 10")
    assert wider.counts() == {
        "toy.send": {"added": 1, "dropped": 0, "changed": 0},
        "toy.write": {"added": 1, "dropped": 0, "changed": 0},
    }
    narrower = again(past, "> 100", "> 1000")
    assert narrower.counts()["toy.send"] == {"added": 0, "dropped": 1, "changed": 0}


def test_another_text_is_a_change_and_shows_both_without_the_person(past: Toys) -> None:
    found = again(past, "{{ event.order.ref }}", "no. {{ event.order.ref }}")
    assert [(item.change, item.before, item.after) for item in found.items] == [
        ("changed", {"text": "••• 2"}, {"text": "••• no. 2"}),
        ("changed", {"text": "••• 3"}, {"text": "••• no. 3"}),
    ]


def test_a_step_that_is_new_is_added_and_gates_count_over_the_past(past: Toys) -> None:
    found = again(past, "steps:", 'once: "{{ event.merchant.id }}"\nsteps:')
    assert found.started == 1
    assert [item.change for item in found.items] == ["dropped", "dropped"]


def test_what_lies_before_the_span_is_left_out(past: Toys) -> None:
    assert again(past, since=timedelta(minutes=5)).events == 0


def test_a_text_with_mistakes_is_refused(past: Toys) -> None:
    with pytest.raises(Invalid):
        again(past, "total_minor", "totl_minor")


def test_nothing_at_all_is_written(past: Toys) -> None:
    def counts() -> dict[str, int]:
        with past.hub.store.engine.connect() as connection:
            return {
                name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for name, table in SQLModel.metadata.tables.items()
            }

    before = counts()
    again(past, "> 100", "> 10")
    assert counts() == before
    assert before["effect"] == 2


def test_one_recorded_event_can_be_run_dry(past: Toys) -> None:
    events = past.rows(EventRow, type="order.received")
    stage = rerun(past.hub, Operator("ops"), BEFORE, events[1].id)
    assert stage is not None
    assert [(row.path, row.state) for row in stage.ended] == [("note", "done"), ("send", "done")]
    assert stage.given["note"] == {"text": "Rosa Beck 2"}
    assert rerun(past.hub, Operator("ops"), BEFORE, events[0].id) is None


def test_an_event_of_another_type_cannot_start_it(past: Toys) -> None:
    past.driver_comes_near()
    (event,) = past.rows(EventRow, type="stop.approaching")
    with pytest.raises(Refused, match=r"stop\.approaching does not start told"):
        rerun(past.hub, Operator("ops"), BEFORE, event.id)
