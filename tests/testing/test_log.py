"""The raw log: what it keeps, and how it counts what was done twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hub.testing.peers import RawLog, duplicates
from hub.testing.peers.log import Entry, entries

NEAR = Entry("2026-11-23T07:00:00Z", "sms", "POST", "/messages", 201, "k1", "stp_1", "near")


def written(path: Path, *found: Entry) -> Path:
    log = RawLog(path)
    for entry in found:
        log.write(entry)
    log.close()
    return path


def test_an_entry_reads_back_as_it_was_written(tmp_path: Path) -> None:
    path = written(tmp_path / "sms.jsonl", replace(NEAR, sent={"text": "Grüezi\nzäme"}))
    assert list(entries(path)) == [replace(NEAR, sent={"text": "Grüezi\nzäme"})]


def test_one_effect_per_stop_and_kind_is_no_duplicate(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.jsonl", NEAR, replace(NEAR, kind="done"), replace(NEAR, stop="stp_2")
    )
    assert duplicates(path) == 0


def test_an_injected_second_effect_is_counted(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", NEAR, replace(NEAR, key="another run"))
    assert duplicates(path) == 1
    written(path, replace(NEAR, key="yet another run"))
    assert duplicates(path) == 2


def test_a_repeat_that_was_answered_from_memory_is_no_duplicate(tmp_path: Path) -> None:
    assert duplicates(written(tmp_path / "a.jsonl", NEAR, replace(NEAR, repeat=True))) == 0


def test_a_refused_request_and_mere_reading_are_no_duplicates(tmp_path: Path) -> None:
    refused, reading = replace(NEAR, status=422), replace(NEAR, kind="")
    assert duplicates(written(tmp_path / "a.jsonl", NEAR, refused, reading, reading)) == 0


def test_a_directory_is_counted_over_all_its_logs_by_service(tmp_path: Path) -> None:
    written(tmp_path / "sms.jsonl", NEAR, NEAR)
    written(tmp_path / "xero.jsonl", replace(NEAR, service="xero"))
    assert duplicates(tmp_path) == 1


def test_a_line_that_a_crash_cut_short_spoils_no_other(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", NEAR)
    with path.open("ab") as file:
        file.write(b'{"at": "2026')
    written(path, replace(NEAR, stop="stp_2"))
    assert [entry.stop for entry in entries(path)] == ["stp_1", "stp_2"]


def test_a_log_that_is_not_there_has_no_duplicates(tmp_path: Path) -> None:
    assert duplicates(tmp_path / "none.jsonl") == 0
