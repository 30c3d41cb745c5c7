"""Dead letters: retried, begun again, put right, laid by, and many at once."""

from typing import Any

import pytest

from hub.errors import Rejected
from hub.store import MessageRow, RunRow
from tests.workflow.conftest import Toy, Toys

TELL = """
workflow: tell
on: [{event: order.received}]
steps:
  - {id: note, use: toy.write, with: {text: noted}}
  - {id: send, use: toy.send, with: {to: "{{ event.customer.phone }}", text: hello}}
"""


@pytest.fixture
def dead(toys: Toys) -> str:
    """Let a run fail at its call; return its id."""
    toys.connect()
    toys.save(TELL)
    return die(toys)


def die(toys: Toys, order: str = "ord_1") -> str:
    """Let one more run fail."""
    Toy.answers.append(Rejected("no such number"))
    toys.order_comes(id=order)
    toys.work()
    run: RunRow = toys.rows(RunRow)[-1]
    assert run.state == "failed"
    return run.id


def states(toys: Toys) -> list[str]:
    """Return how the runs stand."""
    return [run.state for run in toys.rows(RunRow)]


def test_the_page_of_a_letter_says_what_every_choice_will_do(ops: Any, dead: str) -> None:
    page = ops.get(f"/admin/dead-letters/runs/{dead}").text
    for words in (
        "no such number", "What has succeeded is not done again", "were made are not made twice",
        "can then no longer be retried", "<option >note</option>",
    ):  # fmt: skip
        assert words in page


def test_it_goes_on_with_what_was_put_right_and_with_what_stayed_covered(
    ops: Any, toys: Toys, dead: str
) -> None:
    page = ops.get(f"/admin/dead-letters/runs/{dead}").text
    assert "+4232345678" not in page
    covered = page.split('name="given.to" value="')[1].split('"')[0]
    sent = {"given.to": covered, "given.text": "good morning"}
    assert ops.post(f"/admin/dead-letters/runs/{dead}/retry", sent).status_code == 302
    toys.work()
    (message,) = toys.rows(MessageRow)
    assert (message.text, message.to) == ("good morning", "+4232345678")
    assert states(toys) == ["succeeded"]


def test_it_begins_again_at_a_chosen_step(ops: Any, toys: Toys, dead: str) -> None:
    ops.post(f"/admin/dead-letters/runs/{dead}/retry-from", {"step": "note"})
    toys.work()
    assert states(toys) == ["succeeded"]
    assert toys.texts() == ["noted", "noted"]


def test_a_step_that_there_is_not_is_refused_on_the_page(ops: Any, toys: Toys, dead: str) -> None:
    answer = ops.post(f"/admin/dead-letters/runs/{dead}/retry-from", {"step": "nothing"})
    assert answer.status_code == 422
    assert "never came to a step nothing" in answer.text
    assert states(toys) == ["failed"]


def test_it_is_laid_by_with_the_name_of_who_did(ops: Any, toys: Toys, dead: str) -> None:
    ops.post(f"/admin/dead-letters/runs/{dead}/discard")
    assert states(toys) == ["cancelled"]
    assert "discarded by ops" in ops.get(f"/admin/runs/{dead}").text
    assert "No dead letters" in ops.get("/admin/dead-letters").text
    again = ops.post(f"/admin/dead-letters/runs/{dead}/retry")
    assert again.status_code == 422
    assert states(toys) == ["cancelled"]


def test_letters_are_retried_together_by_workflow_and_kind(ops: Any, toys: Toys, dead: str) -> None:
    die(toys, "ord_2")
    page = ops.get("/admin/dead-letters?workflow=tell&kind=rejected").text
    assert "Retry all 2" in page
    ops.post("/admin/dead-letters/retry", {"workflow": "tell", "kind": "unauthorized"})
    assert states(toys) == ["failed", "failed"]
    ops.post("/admin/dead-letters/retry", {"workflow": "tell", "kind": "rejected"})
    toys.work()
    assert states(toys) == ["succeeded", "succeeded"]


def test_a_dispatcher_reads_letters_and_decides_nothing(
    dispatcher: Any, toys: Toys, dead: str
) -> None:
    assert "no such number" in dispatcher.get(f"/admin/dead-letters/runs/{dead}").text
    for act in "retry", "retry-from", "discard":
        assert dispatcher.post(f"/admin/dead-letters/runs/{dead}/{act}").status_code == 403
    assert states(toys) == ["failed"]
