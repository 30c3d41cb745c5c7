"""The list of workflows: health, counts and switches."""

from typing import Any

from hub.errors import Rejected
from hub.store import WorkflowRow
from tests.workflow.conftest import Toy, Toys

SEND = """
workflow: tell
description: Tells the customer
on: [{event: order.received}]
steps:
  - {id: send, use: toy.send, with: {to: somewhere, text: hello}}
"""
WAIT = """
workflow: sleepy
on: [{event: order.received}]
steps:
  - {id: nap, delay: 2h}
"""


def test_a_workflow_is_listed_with_what_starts_it_and_how_its_runs_stand(
    ops: Any, toys: Toys
) -> None:
    toys.connect()
    toys.save(SEND)
    assert "Has not run yet" in ops.get("/admin/workflows").text
    toys.order_comes()
    toys.work()
    page = ops.get("/admin/workflows").text
    for words in "tell", "Tells the customer", "order.received", "Works":
        assert words in page
    assert "<strong>1</strong> succeeded" in page


def test_a_run_that_waits_is_counted_as_waiting_and_not_as_running(ops: Any, toys: Toys) -> None:
    toys.save(WAIT)
    toys.order_comes()
    toys.work()
    page = ops.get("/admin/workflows").text
    assert "<strong>1</strong> waiting" in page
    assert "</strong> running" not in page


def test_runs_of_yesterday_are_not_counted_but_their_dead_letters_are(ops: Any, toys: Toys) -> None:
    toys.connect()
    toys.save(SEND)
    Toy.answers.append(Rejected("no such number"))
    toys.order_comes()
    toys.work()
    toys.later(hours=25)
    page = ops.get("/admin/workflows").text
    assert "No runs today" in page
    assert 'href="/admin/dead-letters?workflow=tell">1 dead letter</a>' in page


def test_a_workflow_that_no_longer_fits_says_so(ops: Any, toys: Toys) -> None:
    toys.save(SEND)
    toys.hub.parts.pop("workflows")
    del toys.hub.actions["toy.send"]
    page = ops.get("/admin/workflows").text
    assert "Cannot run" in page
    assert "toy.send" in page


def test_a_workflow_is_switched_off_and_no_event_starts_it(ops: Any, toys: Toys) -> None:
    toys.save(WAIT)
    assert ops.post("/admin/workflows/sleepy/switch", {"enabled": ""}).status_code == 302
    toys.order_comes()
    toys.work()
    assert toys.run_named("sleepy") == []
    ops.post("/admin/workflows/sleepy/switch", {"enabled": "yes"})
    assert toys.rows_of(WorkflowRow)[0].enabled is True


def test_a_dispatcher_reads_workflows_and_changes_none(dispatcher: Any, toys: Toys) -> None:
    toys.save(WAIT)
    page = dispatcher.get("/admin/workflows").text
    assert "sleepy" in page
    assert 'role="switch"' not in page
    refused = dispatcher.post("/admin/workflows/sleepy/switch", {"enabled": ""})
    assert refused.status_code == 403
    assert toys.rows_of(WorkflowRow)[0].enabled is True


def test_without_workflows_the_page_says_what_to_do(ops: Any) -> None:
    assert "No workflows yet" in ops.get("/admin/workflows").text
