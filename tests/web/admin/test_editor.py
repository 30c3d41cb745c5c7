"""The text of a workflow: checked, completed, saved as revisions, put back in force."""

import re
from typing import Any

import pytest

from hub.store import RevisionRow, WorkflowRow
from tests.workflow.conftest import Toys

TEXT = """\
# why it is there
workflow: tell
on: [{event: order.received}]
steps:
  - id: note   # kept as written
    if: event.order.total_minor > 100
    use: toy.write
    with: {text: hello}
"""


def in_force(toys: Toys) -> RevisionRow:
    """Return the revision in force of the only workflow."""
    (row,) = toys.rows_of(WorkflowRow)
    found: RevisionRow = toys.rows(RevisionRow, id=row.revision)[0]
    return found


def lint(browser: Any, text: str, name: str = "tell") -> Any:
    """Return what the checker says of a text."""
    page = browser.get("/admin/workflows").text
    token = page.split('name="csrf-token" content="')[1].split('"')[0]
    answer = browser.client.post(
        "/admin/workflows/lint", json={"text": text, "name": name}, headers={"X-CSRFToken": token}
    )
    assert answer.status_code == 200, answer.text
    return answer.json


def test_a_saved_text_is_a_revision_with_its_author_and_its_comments(ops: Any, toys: Toys) -> None:
    toys.save(TEXT)
    text = TEXT.replace("> 100", "> 200")
    sent = {"text": text.replace("\n", "\r\n"), "base": in_force(toys).id}
    assert ops.post("/admin/workflows/tell", sent).status_code == 302
    row = in_force(toys)
    assert (row.number, row.text, row.author) == (2, text, "ops")


def test_a_text_with_mistakes_is_not_saved_and_nothing_typed_is_lost(ops: Any, toys: Toys) -> None:
    toys.save(TEXT)
    wrong = TEXT.replace("total_minor", "totl")
    answer = ops.post("/admin/workflows/tell", {"text": wrong, "base": in_force(toys).id})
    assert answer.status_code == 422
    assert 'data-line="6" data-column="' in answer.text
    assert "event.order.totl" in answer.text
    assert in_force(toys).number == 1


def test_an_edit_of_an_old_text_does_not_undo_what_somebody_else_saved(
    ops: Any, toys: Toys
) -> None:
    toys.save(TEXT)
    base = in_force(toys).id
    toys.save(TEXT.replace("hello", "theirs"))
    mine = {"text": TEXT.replace("hello", "mine"), "base": base}
    answer = ops.post("/admin/workflows/tell", mine)
    assert answer.status_code == 409
    assert "mine" in answer.text
    assert "theirs" in in_force(toys).text
    ops.post("/admin/workflows/tell", {**mine, "base": in_force(toys).id})
    assert "mine" in in_force(toys).text


def test_a_new_workflow_is_written_but_no_other_is_overwritten(ops: Any, toys: Toys) -> None:
    assert ops.post("/admin/new-workflow", {"text": TEXT}).location == "/admin/workflows/tell"
    again = ops.post("/admin/new-workflow", {"text": TEXT.replace("hello", "x")})
    assert again.status_code == 409
    assert in_force(toys).number == 1


def test_mistakes_are_told_while_one_types(ops: Any, toys: Toys) -> None:
    assert lint(ops, TEXT) == []
    (found,) = lint(ops, TEXT.replace("toy.write", "toy.rite"))
    assert (found["line"], found["column"]) == (7, 10)
    assert "did you mean 'toy.write'?" in found["message"]


def test_a_changed_name_is_a_mistake_at_the_name(ops: Any, toys: Toys) -> None:
    (found,) = lint(ops, TEXT.replace("workflow: tell", "workflow: other"))
    assert (found["line"], found["column"]) == (2, 11)
    assert "keeps its name, 'tell'" in found["message"]


def test_what_may_be_written_comes_from_the_catalogue(ops: Any, toys: Toys) -> None:
    words = ops.get("/admin/workflow-words").json
    actions = {one["name"]: [given["name"] for given in one["inputs"]] for one in words["actions"]}
    assert actions["toy.write"] == ["text", "copies"]
    fields = {one["name"]: one["fields"] for one in words["events"]}
    assert "event.order.total_minor" in fields["order.received"]
    assert "steps" in words["keys"][""]
    assert "max_delay" in words["keys"]["retry"]


def test_a_revision_shows_what_it_changed_and_is_put_back(ops: Any, toys: Toys) -> None:
    toys.save(TEXT)
    toys.save(TEXT.replace("> 100", "> 200"))
    page = ops.get("/admin/workflows/tell/revisions/2").text
    assert '<span class="cut-out">-    if: event.order.total_minor &gt; 100' in page
    assert '<span class="put">+    if: event.order.total_minor &gt; 200' in page
    assert ops.post("/admin/workflows/tell/restore", {"revision": "1"}).status_code == 302
    assert in_force(toys).number == 1
    assert "Revision 1 is in force again" in ops.get("/admin/workflows/tell").text


def test_a_revision_that_no_longer_fits_stays_out_of_force(ops: Any, toys: Toys) -> None:
    toys.save(TEXT)
    toys.save(TEXT.replace("toy.write", "toy.send").replace("{text", "{to: x, text"))
    toys.hub.parts.pop("workflows")
    del toys.hub.actions["toy.write"]
    ops.post("/admin/workflows/tell/restore", {"revision": "1"})
    assert in_force(toys).number == 2
    assert "Revision 1 no longer fits" in ops.get("/admin/workflows/tell").text


@pytest.mark.parametrize("number", ["", "x", "-1", "9" * 30])
def test_a_revision_is_named_by_a_number(ops: Any, toys: Toys, number: str) -> None:
    toys.save(TEXT)
    answer = ops.post("/admin/workflows/tell/restore", {"revision": number})
    assert 400 <= answer.status_code < 500


def test_a_text_is_shown_as_text_and_styles_need_the_page_s_nonce(ops: Any, toys: Toys) -> None:
    toys.save(TEXT.replace("why it is", "</textarea><script>"))
    answer = ops.get("/admin/workflows/tell")
    assert "<script>" not in answer.text
    nonce = answer.text.split('name="style-nonce" content="')[1].split('"')[0]
    assert f"style-src 'self' 'nonce-{nonce}'" in answer.headers["Content-Security-Policy"]


def test_a_dispatcher_reads_a_text_and_saves_none(dispatcher: Any, toys: Toys) -> None:
    toys.save(TEXT)
    page = dispatcher.get("/admin/workflows/tell").text
    assert "kept as written" in page
    assert ">Save</button>" not in page
    assert dispatcher.post("/admin/workflows/tell", {"text": TEXT}).status_code == 403
    assert dispatcher.post("/admin/workflows/tell/restore", {"revision": "1"}).status_code == 403


def test_an_unknown_workflow_is_named_as_such(ops: Any) -> None:
    assert ops.get("/admin/workflows/nothing").status_code == 404
    assert ops.get("/admin/workflows/nothing/revisions/1").status_code == 404


HOOK = """\
workflow: hooked
on: [{webhook: true}]
steps: [{id: a, use: toy.write, with: {text: hi}}]
"""


def test_the_address_of_a_workflow_is_shown_once_and_ended(ops: Any, toys: Toys) -> None:
    toys.save(HOOK)
    path = "/admin/workflows/hooked"
    assert "It has none yet." in ops.get(path).text
    shown = ops.post(f"{path}/address").text
    found = re.search(r'value="[^"]*(/hooks/workflow/hooked/[^"]+)"', shown)
    assert found
    assert found[1] not in ops.get(path).text
    sent = {"data": "{}", "content_type": "application/json"}
    assert ops.client.post(found[1], **sent).status_code == 202
    ended = ops.post(f"{path}/address", {"end": "yes"}, follow_redirects=True).text
    assert "Nobody can start hooked by its address" in ended
    assert ops.client.post(found[1], **sent).status_code == 403


def test_a_workflow_without_a_webhook_gets_no_address(ops: Any, toys: Toys) -> None:
    toys.save(HOOK.replace("webhook", "manual"))
    assert "Address for other systems" not in ops.get("/admin/workflows/hooked").text
    assert ops.post("/admin/workflows/hooked/address").status_code == 422


def test_a_dispatcher_makes_no_address(dispatcher: Any, toys: Toys) -> None:
    toys.save(HOOK)
    assert dispatcher.post("/admin/workflows/hooked/address").status_code == 403
    assert "Make an address" not in dispatcher.get("/admin/workflows/hooked").text


def test_a_canary_says_who_has_it_and_what_the_others_have(ops: Any, toys: Toys) -> None:
    toys.save(HOOK)
    toys.save("canary: [alpenkraut]\n" + HOOK)
    page = ops.get("/admin/workflows/hooked").text
    assert "only alpenkraut has this text" in page
    assert "In force for others" in page
    ops.post("/admin/workflows/hooked/restore", {"revision": "1"})
    page = ops.get("/admin/workflows/hooked").text
    assert "In force for others" not in page
    assert "put back by ops" in page
