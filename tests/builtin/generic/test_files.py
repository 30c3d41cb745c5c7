"""Every file of a folder is read once, only when it is whole, and goes on where it broke off."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from hub import Cursor, Order, RefusedRow, Rejected, Unauthorized
from hub.builtin.generic import Generic, GenericFolder
from hub.builtin.generic.settings import Config
from hub.builtin.generic.shape import FolderConfig
from tests.builtin.generic.erp import FIELDS, order
from tests.builtin.generic.test_feed import drained, refs
from tests.builtin.sftp_server import PASSWORD, USER, SftpPeer

LONG_AGO = 1_700_000_000


def written(folder: Path, name: str, *numbers: int, at: int = LONG_AGO) -> Path:
    """Put a file of orders into a folder, last changed at a second of 1970."""
    path = folder / name
    path.write_text("".join(json.dumps(order(n)) + "\n" for n in numbers))
    os.utime(path, (at, at))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty folder."""
    made = tmp_path / "in"
    made.mkdir()
    return made


def here(folder: Path, **changed: Any) -> GenericFolder:
    told = {"path": folder, "format": "lines", "fields": FIELDS, "ready": "renamed", **changed}
    return GenericFolder(FolderConfig.model_validate(told))


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let the clock be some seconds further on."""
    now = time.time() + seconds
    monkeypatch.setattr("hub.builtin.generic.files.time.time", lambda: now)


def test_files_are_read_by_age_and_each_once(folder: Path) -> None:
    written(folder, "b.jsonl", 1, 2)
    written(folder, "a.jsonl", 3, at=LONG_AGO + 5)
    found, cursor = drained(here(folder))
    assert refs(found) == ["A-00001", "A-00002", "A-00003"]
    assert drained(here(folder), cursor) == ([], cursor)
    written(folder, "c.jsonl", 4, at=LONG_AGO - 5)
    assert refs(drained(here(folder), cursor)[0]) == ["A-00004"], "an older file counts as well"


def test_a_file_that_was_replaced_is_read_again(folder: Path) -> None:
    written(folder, "a.jsonl", 1)
    _, cursor = drained(here(folder))
    written(folder, "a.jsonl", 1, 2, at=LONG_AGO + 60)
    assert refs(drained(here(folder), cursor)[0]) == ["A-00001", "A-00002"]


def test_a_file_that_may_still_be_written_waits(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = here(folder, ready="unchanged")
    path = written(folder, "a.jsonl", 1, at=int(time.time()))
    found, cursor = drained(made)
    assert found == []
    path.write_text(path.read_text() + json.dumps(order(2)) + "\n")
    later(monkeypatch, 40)
    found, cursor = drained(made, cursor)
    assert found == [], "it grew between two looks"
    later(monkeypatch, 80)
    assert refs(drained(made, cursor)[0]) == ["A-00001", "A-00002"]


def test_a_file_that_nobody_touched_for_long_is_read_at_once(folder: Path) -> None:
    written(folder, "a.jsonl", 1)
    assert refs(drained(here(folder, ready="unchanged"))[0]) == ["A-00001"]


def test_a_marker_says_that_a_file_is_whole(folder: Path) -> None:
    made = here(folder, ready="marker")
    written(folder, "a.jsonl", 1)
    found, cursor = drained(made)
    assert found == []
    (folder / "a.jsonl.done").touch()
    assert refs(drained(made, cursor)[0]) == ["A-00001"]


@pytest.mark.parametrize("name", [".a.jsonl", "a.jsonl.tmp", "a.jsonl.part", "~a.jsonl"])
def test_what_is_written_under_another_name_is_not_looked_at(folder: Path, name: str) -> None:
    written(folder, name, 1)
    assert drained(here(folder))[0] == []


def test_only_names_of_the_pattern_are_read_and_no_link_is_followed(
    folder: Path, tmp_path: Path
) -> None:
    written(folder, "Orders-1.jsonl", 1)
    written(folder, "stock.jsonl", 2)
    secret = written(tmp_path, "secret.jsonl", 3)
    (folder / "orders-2.jsonl").symlink_to(secret)
    assert refs(drained(here(folder, pattern="orders-*.jsonl"))[0]) == ["A-00001"]


def test_a_reading_that_broke_off_in_mid_file_goes_on_there(folder: Path) -> None:
    written(folder, "a.jsonl", *range(1, 351))
    made, wanted = here(folder), {f"A-{n:05}" for n in range(1, 351)}
    for cut in (1, 99, 100, 101, 250, 349, 350):
        kept: list[Any] = []
        safe = Cursor()
        for one in made.pull(Cursor()):
            if isinstance(one, Cursor):
                safe = one
                continue
            kept.append(one)
            if len(kept) == cut:
                break
        rest, _ = drained(made, safe)
        assert set(refs(kept + rest)) == wanted
        assert len(refs(rest)) == 350 - (cut - 1) // 100 * 100, "what was safe is not read again"


def test_read_files_are_moved_only_when_their_reading_was_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = here(folder, after="move")
    written(folder, "a.jsonl", 1)
    (folder / "bad.jsonl").write_text("<html>")
    os.utime(folder / "bad.jsonl", (LONG_AGO + 1, LONG_AGO + 1))
    found, cursor = drained(made)
    assert refs(found) == ["A-00001"]
    assert [one.reason[:9] for one in found if isinstance(one, RefusedRow)] == ["bad.jsonl"]
    assert sorted(path.name for path in folder.iterdir()) == ["a.jsonl", "bad.jsonl"], (
        "a mere look at what would come in moves nothing"
    )
    later(monkeypatch, 900)
    assert drained(made, Cursor())[0], "a reading that begins again finds them as well"
    found, cursor = drained(made, cursor)
    assert found == []
    assert (folder / "done" / "a.jsonl").exists()
    assert (folder / "failed" / "bad.jsonl").exists()
    assert drained(made, cursor) == ([], cursor)


def test_a_moved_file_keeps_its_name_beside_another(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = here(folder, after="move")
    cursor = Cursor()
    for turn in (1, 2):
        written(folder, "a.jsonl", turn, at=LONG_AGO + turn)
        _, cursor = drained(made, cursor)
        later(monkeypatch, 900 * turn)
        _, cursor = drained(made, cursor)
    assert sorted(path.name for path in (folder / "done").iterdir()) == ["2-a.jsonl", "a.jsonl"]


def test_a_file_that_was_moved_meanwhile_is_read_where_it_lies(folder: Path) -> None:
    path = written(folder, "a.jsonl", 1, 2)
    look = next(iter(here(folder).pull(Cursor())))
    assert isinstance(look, Cursor)
    (folder / "done").mkdir()
    path.rename(folder / "done" / "a.jsonl")
    assert refs(drained(here(folder), look)[0]) == ["A-00001", "A-00002"]


def test_a_folder_that_grows_without_end_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.builtin.generic.files.MOST_FILES", 3)
    for number in range(4):
        written(folder, f"{number}.jsonl", number)
    with pytest.raises(Rejected, match="move those that are read away"):
        drained(here(folder))


def test_a_folder_that_is_not_there_needs_a_person(tmp_path: Path) -> None:
    made = here(tmp_path / "nowhere")
    with pytest.raises(Unauthorized, match="may not read"):
        made.check()
    with pytest.raises(Unauthorized, match="may not read"):
        drained(made)


def test_a_json_document_and_a_table_are_files_as_well(folder: Path) -> None:
    (folder / "a.json").write_text(json.dumps({"orders": [order(1)]}))
    made = here(folder, format="json", records="orders")
    assert refs(drained(made)[0]) == ["A-00001"]
    (folder / "a.json").unlink()
    (folder / "b.csv").write_text("ref;name;address;city\n1;Anna;Städtle 1;Vaduz\n")
    assert refs(drained(here(folder, format="csv", fields={}))[0]) == ["1"]


def test_a_table_of_unknown_columns_waits_for_its_mapping(folder: Path) -> None:
    path = folder / "a.csv"
    path.write_text("Auftrag;Kunde\nA1;Beck\n")
    made = here(folder, format="csv", fields={})
    assert made.records()[0]["Kunde"] == "Beck"
    look = next(iter(made.pull(Cursor())))
    assert isinstance(look, Cursor)
    with pytest.raises(Rejected, match="map them on the page Mapping") as caught:
        drained(made, look)
    assert caught.value.field == "fields"
    rules = {"ref": {"path": "Auftrag"}, "recipient.name": {"path": "Kunde"}}
    mapped = here(folder, format="csv", fields={"rules": rules})
    assert refs(drained(mapped, look)[0]) == ["A1"]


def test_the_sample_is_of_the_newest_file(folder: Path) -> None:
    written(folder, "a.jsonl", 1)
    written(folder, "b.jsonl", 2, at=LONG_AGO + 1)
    assert here(folder).records()[0]["orderNo"] == "A-00002"


def there(peer: SftpPeer, path: str = "/in", **changed: Any) -> Generic:
    told = {
        "url": f"sftp://127.0.0.1:{peer.port}{path}", "user": USER, "password": PASSWORD,
        "fingerprint": peer.fingerprint, "format": "lines", "fields": FIELDS, "ready": "renamed",
        **changed,
    }  # fmt: skip
    return Generic(Config.model_validate(told))


def test_a_folder_of_an_sftp_server_is_read_and_tidied(
    sftp: SftpPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sftp.root / "in").mkdir()
    written(sftp.root / "in", "a.jsonl", *range(1, 151))
    made = there(sftp, after="move")
    made.check()
    assert made.records()[0]["orderNo"] == "A-00001"
    found, cursor = drained(made)
    assert len(refs(found)) == 150
    later(monkeypatch, 900)
    assert drained(made, cursor)[0] == []
    assert set(sftp.tree()) == {"in/done/a.jsonl"}


def test_a_single_file_of_an_sftp_server_can_be_named(sftp: SftpPeer) -> None:
    (sftp.root / "in").mkdir()
    written(sftp.root / "in", "a.jsonl", 1)
    written(sftp.root / "in", "b.jsonl", 2)
    assert refs(drained(there(sftp, "/in/b.jsonl"))[0]) == ["A-00002"]


def test_an_sftp_server_shows_its_host_key_before_it_gets_a_password(sftp: SftpPeer) -> None:
    with pytest.raises(Unauthorized, match="compare it with what its operator says") as caught:
        there(sftp, fingerprint="").check()
    assert sftp.fingerprint in str(caught.value)
    with pytest.raises(Unauthorized, match="does not let"):
        there(sftp, password="wrong-word").check()
    with pytest.raises(Rejected, match="has no folder /nowhere"):
        there(sftp, "/nowhere").check()


def test_orders_of_a_file_come_in_once_also_when_the_worker_stops_between(folder: Path) -> None:
    written(folder, "a.jsonl", *range(1, 121))
    made = here(folder)
    seen: list[str] = []
    at = Cursor()
    for _ in range(20):
        taken, after = [], at
        for one in made.pull(at):
            if isinstance(one, Order):
                taken.append(one.ref)
            if isinstance(one, Cursor) and one != at:
                seen += taken
                after = one
                break  # the worker is ended right behind each commit
        if after == at:
            break
        at = after
    assert seen == [f"A-{n:05}" for n in range(1, 121)]
