"""Somebody from ops changes a workflow in a real browser and sees what comes of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from hub.errors import Rejected
from hub.store import MessageRow, RevisionRow, RunRow, WorkflowRow
from tests.workflow.conftest import Toy, Toys

pytestmark = pytest.mark.e2e
TEXT = """\
# Only for large orders.
workflow: story
on: [{event: order.received}]
steps:
  - id: greet
    if: event.order.total_minor > 99999
    use: toy.write
    with: {text: hello}
  - {id: near, wait: {event: stop.approaching, timeout: 9h}}
"""
SEND = """
workflow: tell
on: [{event: order.received}]
steps:
  - {id: send, use: toy.send, with: {to: somewhere, text: hello}}
"""


def number_in_force(toys: Toys) -> int:
    """Return the number of the revision in force of the only workflow."""
    (row,) = toys.rows_of(WorkflowRow)
    found: RevisionRow = toys.rows(RevisionRow, id=row.revision)[0]
    return found.number


def test_a_condition_is_edited_watched_and_rolled_back(
    desk: Callable[..., Any], toys: Toys
) -> None:
    from playwright.sync_api import expect

    toys.save(TEXT)
    toys.order_comes()
    toys.work()
    page = desk("ops", "/admin/workflows")
    page.get_by_role("link", name="story").click()
    edit(page)
    toys.order_comes()
    toys.work()
    page.reload()
    page.get_by_role("region", name="Latest runs").get_by_role("link", name="08:00").first.click()
    follow(page, toys)
    page.get_by_role("link", name="Revision 2").click()
    expect(page.locator(".put")).to_contain_text("|| event.order.total_minor > 100")
    page.goto(re.sub(r"/revisions/.*", "", page.url))
    page.get_by_role("button", name="Put back in force: revision 1").click()
    expect(page.get_by_text("Revision 1 is in force again")).to_be_visible()
    assert number_in_force(toys) == 1


def edit(page: Any) -> None:
    """Misspell a field, follow the mistake to its place, put it right and save."""
    from playwright.sync_api import expect

    page.locator(".cm-line").nth(5).click()
    page.keyboard.press("End")
    page.keyboard.type(" || event.order.totl > 100")
    expect(page.get_by_text("1 mistake keeps this from being saved.")).to_be_visible()
    expect(page.locator(".cm-lintRange-error")).to_have_text("totl")
    page.get_by_role("link", name="Line 6, column").click()
    expect(page.get_by_role("textbox", name="Text of the workflow")).to_be_focused()
    for _ in "totl":
        page.keyboard.press("Delete")
    page.keyboard.type("total_minor")
    page.keyboard.press("Escape")
    expect(page.locator("#mistakes")).to_be_hidden()
    page.get_by_role("button", name="What would have happened?").click()
    expect(page.get_by_text("1 run instead of 1")).to_be_visible()
    expect(page.get_by_text("added: greet (toy.write)")).to_be_visible()
    page.get_by_role("button", name="Back to the editor").click()
    page.locator(".cm-line").nth(5).click()
    page.keyboard.press("Control+s")
    expect(page.get_by_text("Saved. Revision 2 is in force")).to_be_visible()
    expect(page.get_by_text("by ops")).to_be_visible()


def follow(page: Any, toys: Toys) -> None:
    """See a step wait and the run end by itself; what was opened stays open."""
    from playwright.sync_api import expect

    greet = page.get_by_role("listitem").filter(has_text="greet")
    expect(greet.get_by_text("held", exact=True)).to_be_visible()
    expect(page.get_by_text("It waits for stop.approaching until 17:00.")).to_be_visible()
    box = greet.locator("details").filter(has_text="Input")
    while box.get_attribute("open") is None:  # a click is lost while the page is renewed under it
        greet.get_by_text("Input").click()
    toys.driver_comes_near()
    toys.work()
    expect(page.get_by_text("follows the run")).to_have_count(0)
    expect(greet.get_by_text('"text": "hello"')).to_be_visible()


def test_without_scripts_the_text_is_a_plain_field(desk: Callable[..., Any], toys: Toys) -> None:
    from playwright.sync_api import expect

    toys.save(TEXT)
    page = desk("ops", "/admin/workflows/story", java_script_enabled=False)
    field = page.get_by_role("textbox", name="Text of the workflow")
    expect(field).to_have_value(TEXT)
    field.fill(TEXT.replace("toy.write", "toy.rite"))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_have_text("Not saved: 1 mistake.")
    expect(page.get_by_text("did you mean 'toy.write'?")).to_be_visible()
    field.fill(TEXT.replace("hello", "good day"))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. Revision 2 is in force")).to_be_visible()
    assert toys.rows(RevisionRow)[-1].text == TEXT.replace("hello", "good day")


def test_words_are_offered_while_one_types(desk: Callable[..., Any], toys: Toys) -> None:
    from playwright.sync_api import expect

    toys.save(TEXT)
    page = desk("ops", "/admin/workflows/story")
    page.locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.type("  - use: toy.w")
    expect(page.get_by_role("option", name="toy.write")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Home")
    page.keyboard.press("Shift+End")
    page.keyboard.type("  - ret")
    expect(page.get_by_role("option", name="retry")).to_be_visible()


def test_a_dead_letter_is_put_right_and_goes_out(desk: Callable[..., Any], toys: Toys) -> None:
    from playwright.sync_api import expect

    toys.connect()
    toys.save(SEND)
    Toy.answers.append(Rejected("the text is too short"))
    toys.order_comes()
    toys.work()
    page = desk("ops", "/admin/workflows")
    page.get_by_role("link", name="1 dead letter").click()
    page.get_by_role("link", name="More about").click()
    page.get_by_text("Change what send is given").click()
    page.get_by_label("text").fill("hello, here we are")
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_text("goes on from the step that failed")).to_be_visible()
    toys.work()
    expect(page.get_by_text("follows the run")).to_have_count(0)
    assert [row.text for row in toys.rows(MessageRow)] == ["hello, here we are"]
    assert [row.state for row in toys.rows(RunRow)] == ["succeeded"]
