"""Workflows come from files, each text is kept once, and a bad file stops nobody else."""

from pathlib import Path

from hub.store import RevisionRow, System, WorkflowRow
from hub.workflow.library import load_folder
from hub.workflow.parts import load_workflows

from .conftest import Toys
from .test_engine import NOTE


def test_a_folder_is_saved_once_however_often_it_is_loaded(toys: Toys, tmp_path: Path) -> None:
    (tmp_path / "note.yaml").write_text(NOTE)
    assert load_folder(toys.hub, tmp_path).saved == ("note",)
    assert load_folder(toys.hub, tmp_path).saved == ()
    assert [row.number for row in toys.rows(RevisionRow)] == [1]


def test_a_changed_file_becomes_a_new_revision_in_force(toys: Toys, tmp_path: Path) -> None:
    (tmp_path / "note.yaml").write_text(NOTE)
    load_folder(toys.hub, tmp_path)
    (tmp_path / "note.yaml").write_text(NOTE + "# changed\n")
    load_folder(toys.hub, tmp_path)
    first, second = toys.rows(RevisionRow)
    assert (first.text, second.number) == (NOTE, 2)
    with toys.hub.store.read(System()) as session:
        assert session.get_one(WorkflowRow, "note").revision == second.id


def test_a_file_that_was_loaded_before_does_not_undo_a_later_revision(
    toys: Toys, tmp_path: Path
) -> None:
    (tmp_path / "note.yaml").write_text(NOTE)
    load_folder(toys.hub, tmp_path)
    toys.save(NOTE.replace("> 100", "> 200"))
    load_folder(toys.hub, tmp_path)
    with toys.hub.store.read(System()) as session:
        revision = session.get_one(WorkflowRow, "note").revision
        assert "> 200" in session.get_one(RevisionRow, revision).text


def test_a_file_with_mistakes_is_refused_by_name_and_the_rest_load(
    toys: Toys, tmp_path: Path
) -> None:
    (tmp_path / "bad.yaml").write_text("workflow: bad\non: 1\n")
    (tmp_path / "twice.yaml").write_text(NOTE)
    (tmp_path / "note.yaml").write_text(NOTE)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe")
    loaded = load_folder(toys.hub, tmp_path)
    assert loaded.saved == ("note",)
    said = "\n".join(map(str, loaded.refused))
    assert f"{tmp_path}/bad.yaml:2:5: input should be a valid list" in said
    assert "binary.yaml:1:1: the file is not UTF-8" in said
    assert "twice.yaml:1:1: the workflow 'note' is already in note.yaml" in said


def test_an_own_workflow_replaces_the_shipped_one_of_its_name(toys: Toys) -> None:
    from hub.workflow.parts import assemble

    assemble(toys.hub)
    own = toys.hub.settings.directory / "workflows"
    own.mkdir()
    (own / "near.yaml").write_text(NOTE.replace("workflow: note", "workflow: driver-near"))
    loaded = load_workflows(toys.hub)
    assert loaded.refused == ()
    assert sorted(loaded.saved) == ["delivered", "driver-near", "order-received", "shop-updates"]
    assert load_workflows(toys.hub).saved == ()
    texts = {row.workflow: row.text for row in toys.rows(RevisionRow)}
    assert "toy.write" in texts["driver-near"]
