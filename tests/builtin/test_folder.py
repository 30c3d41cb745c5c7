"""The folder keeps each proof whole, once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from hub.builtin.folder import Folder, FolderConfig, safe
from hub.errors import Retry, Unauthorized
from hub.nouns import Proof, ProofFile


def proof(order: str = "#1001", content: bytes = b"jpeg") -> Proof:
    return Proof(
        key="run_1:proof:con_1",
        id="prf_1",
        order=order,
        outcome="completed",
        at=datetime(2026, 11, 23, 8, tzinfo=UTC),
        summary="Delivered.",
        record=b'{"version":1}',
        sha256="ab" * 32,
        files=(
            ProofFile(name="proof.pdf", media_type="application/pdf", sha256="1", content=b"%PDF"),
            ProofFile(name="photo-1.jpg", media_type="image/jpeg", sha256="2", content=content),
        ),
    )


def folder(path: Path) -> Folder:
    return Folder(FolderConfig(path=path))


def test_a_proof_lies_under_its_order(tmp_path: Path) -> None:
    receipt = folder(tmp_path / "new").store(proof())
    kept = tmp_path / "new" / "1001" / "prf_1"
    assert receipt.ref == str(kept)
    assert {file.name: file.read_bytes() for file in kept.iterdir()} == {
        "record.json": b'{"version":1}',
        "proof.pdf": b"%PDF",
        "photo-1.jpg": b"jpeg",
    }


def test_storing_twice_changes_nothing(tmp_path: Path) -> None:
    folder(tmp_path).store(proof())
    kept = tmp_path / "1001" / "prf_1" / "record.json"
    before = kept.stat().st_mtime_ns
    folder(tmp_path).store(proof())
    assert kept.stat().st_mtime_ns == before
    assert [path.name for path in (tmp_path / "1001").iterdir()] == ["prf_1"]


def test_half_a_proof_is_made_whole(tmp_path: Path) -> None:
    folder(tmp_path).store(proof())
    (tmp_path / "1001" / "prf_1" / "proof.pdf").unlink()
    folder(tmp_path).store(proof())
    assert (tmp_path / "1001" / "prf_1" / "proof.pdf").read_bytes() == b"%PDF"


@pytest.mark.parametrize("order", ["../../etc", "/etc/passwd", "..", "a/b\\c", "", "x" * 500, "\0"])
def test_no_order_number_leads_out_of_the_folder(tmp_path: Path, order: str) -> None:
    target = Path(folder(tmp_path / "in").store(proof(order)).ref)
    assert target.parent.parent == tmp_path / "in"
    assert len(target.parent.name) <= 80


def test_letters_of_every_language_stay_readable() -> None:
    assert safe("Bestellung Nr. 12 Müller", "order") == "Bestellung_Nr._12_Müller"


def test_the_path_has_to_be_absolute() -> None:
    with pytest.raises(ValidationError, match="not absolute"):
        FolderConfig(path=Path("proofs"))


def test_check_leaves_nothing_behind(tmp_path: Path) -> None:
    folder(tmp_path / "proofs").check()
    assert list((tmp_path / "proofs").iterdir()) == []


def test_a_path_that_is_a_file_needs_a_person(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(Unauthorized):
        folder(tmp_path / "file").check()
    with pytest.raises(Unauthorized):
        folder(tmp_path / "file").store(proof())


def test_a_disk_without_room_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hub.builtin.folder.os.fsync", full)
    with pytest.raises(Retry, match="make room"):
        folder(tmp_path).store(proof())
    assert list((tmp_path / "1001").iterdir()) == []
