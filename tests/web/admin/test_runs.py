"""The trace of a run: what each step saw and did, and why it waits."""

from typing import Any

from hub.errors import Rejected
from hub.store import RunRow
from tests.workflow.conftest import Toy, Toys

STORY = """
workflow: story
on: [{event: order.received}]
steps:
  - {id: greet, use: toy.write, with: {text: "for {{ event.customer.name }}"}}
  - id: both
    parallel:
      - {id: left, use: toy.write, with: {text: left}}
      - {id: right, if: event.order.total_minor > 999999, use: toy.write, with: {text: right}}
  - {id: near, wait: {event: stop.approaching, timeout: 9h}}
  - {id: end, use: toy.write, with: {text: end}}
"""
SEND = """
workflow: tell
on: [{event: order.received}]
steps:
  - {id: send, use: toy.send, with: {to: somewhere, text: hello}}
"""


def began(toys: Toys, text: str) -> str:
    """Let a run begin; return its id."""
    toys.save(text)
    toys.order_comes()
    toys.work()
    run: RunRow = toys.rows(RunRow)[-1]
    return run.id


def test_steps_stand_in_the_order_of_the_file_with_blocks_moved_in(ops: Any, toys: Toys) -> None:
    page = ops.get(f"/admin/runs/{began(toys, STORY)}").text
    places = [
        page.index(f'data-depth="{depth}" data-state="{state}">\n      '
                   f'<div class="row tight"><strong class="path">{path}</strong>')
        for path, depth, state in [
            ("greet", 0, "done"), ("both", 0, "done"), ("both.left", 1, "done"),
            ("both.right", 1, "skipped"), ("near", 0, "waiting"),
        ]
    ]  # fmt: skip
    assert places == sorted(places)


def test_a_condition_is_shown_with_what_came_of_it(ops: Any, toys: Toys) -> None:
    page = ops.get(f"/admin/runs/{began(toys, STORY)}").text
    shown = page.split("event.order.total_minor &gt; 999999")[1]
    assert "did not hold" in shown.split("</p>")[0]


def test_a_waiting_step_says_for_what_and_until_when(ops: Any, toys: Toys) -> None:
    page = ops.get(f"/admin/runs/{began(toys, STORY)}").text
    assert "It waits for stop.approaching until 17:00." in page


def test_the_page_follows_a_run_until_it_ends(ops: Any, toys: Toys) -> None:
    id = began(toys, STORY)
    polling = f'hx-get="/admin/runs/{id}/trace" hx-trigger="load delay:2s"'
    assert polling in ops.get(f"/admin/runs/{id}").text
    toys.driver_comes_near()
    toys.work()
    part = ops.get(f"/admin/runs/{id}/trace").text
    assert "<html" not in part
    assert "hx-get" not in part
    assert "Succeeded" in part or "Done" in part


def test_personal_values_are_covered(ops: Any, toys: Toys) -> None:
    page = ops.get(f"/admin/runs/{began(toys, STORY)}").text
    assert "Rosa Beck" not in page


def test_a_failed_call_shows_its_tries_by_the_name_of_the_connection(ops: Any, toys: Toys) -> None:
    toys.connect()
    Toy.answers.append(Rejected("no such number"))
    id = began(toys, SEND)
    page = ops.get(f"/admin/runs/{id}").text
    assert "try 1 through Toy: <strong>rejected</strong>" in page
    assert f'href="/admin/dead-letters/runs/{id}"' in page


def test_runs_are_chosen_by_workflow_and_state(ops: Any, toys: Toys) -> None:
    toys.connect()
    story, tell = began(toys, STORY), ""
    toys.save(SEND)
    toys.order_comes(id="ord_2")
    toys.work()
    tell = toys.rows(RunRow, workflow="tell")[0].id
    both = ops.get("/admin/runs").text
    assert story in both
    assert tell in both
    assert story not in ops.get("/admin/runs?workflow=tell").text
    assert tell not in ops.get("/admin/runs?state=running").text
    assert "No such run" in ops.get("/admin/runs?state=cancelled").text
    assert ops.get("/admin/runs?state=lost").status_code == 422


def test_an_unknown_run_is_not_found(ops: Any) -> None:
    assert ops.get("/admin/runs/run_nothing").status_code == 404
    assert "No workflow has run yet" in ops.get("/admin/runs").text
