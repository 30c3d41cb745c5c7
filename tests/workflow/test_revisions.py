"""Every text a workflow ever had can be read, compared and put in force again."""

from pathlib import Path

import pytest

from hub.errors import Missing, Refused
from hub.store import Merchant, Operator, RevisionRow
from hub.workflow import revisions
from hub.workflow.checker import parse
from hub.workflow.library import keep, load_folder
from hub.workflow.problem import Invalid
from hub.workflow.yaml_source import read

from .conftest import Toys
from .test_engine import NOTE

LOUD = NOTE.replace("{{ event.order.ref }}", "{{ event.order.ref }}!")
BY = Operator("ops", user="usr_1")


@pytest.fixture
def edited(toys: Toys) -> Toys:
    """Return a hub whose workflow `note` says a second thing since it was edited."""
    toys.save(NOTE)
    toys.save(LOUD)
    return toys


def back(toys: Toys, number: int | None = None) -> RevisionRow:
    with toys.hub.store.write(BY) as session:
        return revisions.roll_back(session, toys.hub, "note", number, "Mia")


def in_force(toys: Toys) -> int:
    with toys.hub.store.read(BY) as session:
        return revisions.revision(session, "note").number


def test_the_history_is_told_newest_first_with_its_authors(toys: Toys) -> None:
    with toys.hub.store.write(BY) as session:
        keep(session, parse(read(NOTE)), NOTE, author="file")
        keep(session, parse(read(LOUD)), LOUD, author="Mia")
    with toys.hub.store.read(BY) as session:
        told = [(row.number, row.author) for row in revisions.history(session, "note")]
    assert told == [(2, "Mia"), (1, "file")]


def test_rolling_back_puts_the_revision_before_in_force_without_a_new_one(edited: Toys) -> None:
    edited.order_comes()
    edited.work()
    assert back(edited).number == 1
    edited.order_comes()
    edited.work()
    assert edited.texts() == ["1001!", "1001"]
    assert [row.number for row in edited.rows(RevisionRow)] == [1, 2]


def test_a_run_that_began_stays_on_its_revision(toys: Toys) -> None:
    toys.save(NOTE)
    slow = LOUD.replace("steps:\n", "steps:\n  - delay: 1h\n")
    toys.save(slow)
    toys.order_comes()
    toys.work()
    back(toys)
    toys.later(hours=2)
    assert toys.run().state == "succeeded"
    assert toys.texts() == ["1001!"]


def test_a_newer_revision_can_be_put_in_force_by_its_number(edited: Toys) -> None:
    back(edited, 1)
    back(edited, 2)
    assert in_force(edited) == 2


def test_there_is_no_way_back_from_the_first_revision(toys: Toys) -> None:
    toys.save(NOTE)
    with pytest.raises(Refused, match="no revision before 1"):
        back(toys)


def test_the_revision_in_force_is_not_put_in_force_again(edited: Toys) -> None:
    with pytest.raises(Refused, match="revision 2 of note is in force already"):
        back(edited, 2)


def test_a_revision_whose_action_is_gone_is_not_put_in_force(edited: Toys) -> None:
    edited.hub.parts.clear()  # what a process that starts anew knows
    del edited.hub.actions["toy.write"]
    with pytest.raises(Invalid, match=r"note:7:10: there is no action 'toy\.write'"):
        back(edited)
    assert in_force(edited) == 2


@pytest.mark.parametrize(
    ("name", "number", "said"),
    [("note", 7, "the workflow note has no revision 7"),
     ("noet", 1, "there is no workflow noet; did you mean 'note'?")],
)  # fmt: skip
def test_what_there_is_not_is_named(edited: Toys, name: str, number: int, said: str) -> None:
    with edited.hub.store.write(BY) as session, pytest.raises(Missing) as caught:
        revisions.roll_back(session, edited.hub, name, number)
    assert str(caught.value) == said


def test_loading_the_files_again_undoes_no_roll_back(toys: Toys, tmp_path: Path) -> None:
    file = tmp_path / "note.yaml"
    for text in (NOTE, LOUD):
        file.write_text(text)
        load_folder(toys.hub, tmp_path)
    back(toys)
    assert load_folder(toys.hub, tmp_path).saved == ()
    assert in_force(toys) == 1


def test_loading_the_files_again_switches_nothing_on(toys: Toys, tmp_path: Path) -> None:
    (tmp_path / "note.yaml").write_text(NOTE)
    load_folder(toys.hub, tmp_path)
    with toys.hub.store.write(BY) as session:
        revisions.switch(session, "note", on=False)
    (tmp_path / "note.yaml").write_text(LOUD)
    assert load_folder(toys.hub, tmp_path).saved == ("note",)
    toys.order_comes()
    toys.work()
    assert toys.texts() == []


def test_a_person_who_saves_an_old_text_puts_its_revision_in_force_again(edited: Toys) -> None:
    with edited.hub.store.write(BY) as session:
        saved = keep(session, parse(read(NOTE)), NOTE, author="Mia")
    assert (saved.number, saved.outcome) == (1, "again")
    assert in_force(edited) == 1
    assert len(edited.rows(RevisionRow)) == 2


def test_saving_what_is_in_force_changes_nothing(edited: Toys) -> None:
    with edited.hub.store.write(BY) as session:
        assert keep(session, parse(read(LOUD)), LOUD).outcome == "same"
    assert in_force(edited) == 2


def test_a_workflow_that_is_switched_off_and_on_starts_again(toys: Toys) -> None:
    toys.save(NOTE)
    for on in (False, True):
        with toys.hub.store.write(BY) as session:
            revisions.switch(session, "note", on)
        toys.order_comes(ref=f"on {on}")
        toys.work()
    assert toys.texts() == ["on True"]


def test_a_merchant_sees_no_workflow(edited: Toys) -> None:
    with edited.hub.store.read(Merchant(edited.merchant)) as session:
        assert revisions.workflows(session) == []
        with pytest.raises(Missing):
            revisions.history(session, "note")


def test_the_workflows_are_listed_with_what_is_in_force(edited: Toys) -> None:
    with edited.hub.store.read(BY) as session:
        ((row, revision),) = revisions.workflows(session)
    assert (row.name, row.enabled, revision.number) == ("note", True, 2)


def test_the_difference_names_both_sides_and_the_changed_lines() -> None:
    told = revisions.difference("a\nb\nc\n", "a\nB\nc\n", ("note 1", "note 2"))
    assert told == "--- note 1\n+++ note 2\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"


def test_a_missing_last_line_feed_is_a_difference_that_can_be_seen() -> None:
    told = revisions.difference("a\nb", "a\nb\n")
    assert told.endswith("-b\n\\ No newline at end of file\n+b\n")
    assert revisions.difference("a\nb", "a\nb") == ""
