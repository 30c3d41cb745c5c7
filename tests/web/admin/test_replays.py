"""What an edited text would have done, shown before it is saved."""

from typing import Any

from hub.store import RevisionRow
from tests.workflow.conftest import Toys

from .test_editor import TEXT


def look(browser: Any, text: str) -> Any:
    """Ask from the editor what a text would have done."""
    return browser.post("/admin/workflow-replay", form={"text": text, "name": "tell", "base": ""})


def test_the_difference_is_shown_and_nothing_is_saved(ops: Any, toys: Toys) -> None:
    toys.save(TEXT)
    toys.order_comes(total_minor=50)
    toys.work()
    said = look(ops, TEXT.replace("> 100", "> 10")).text
    assert "1 run instead of 1" in said
    assert "added: note (toy.write) for order.received" in said
    assert "text: &#34;hello&#34;" in said
    assert len(toys.rows(RevisionRow)) == 1
    assert toys.texts() == []


def test_a_text_that_changes_nothing_says_so(ops: Any, toys: Toys) -> None:
    toys.save(TEXT)
    toys.order_comes()
    toys.work()
    assert "just what was done" in look(ops, TEXT).text


def test_mistakes_are_listed_and_the_text_is_kept(ops: Any, toys: Toys) -> None:
    toys.save(TEXT)
    answer = look(ops, TEXT.replace("total_minor", "totl_minor"))
    assert answer.status_code == 422
    assert "did you mean" in answer.text
    assert "totl_minor" in answer.text


def test_one_goes_back_to_the_editor_with_the_text(ops: Any, toys: Toys) -> None:
    toys.save(TEXT)
    again = ops.post("/admin/workflow-edit", form={"text": TEXT + "# mine\n", "name": "tell"})
    assert "# mine" in again.text
    assert "Latest runs" in again.text
