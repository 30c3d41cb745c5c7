"""What write transactions do is traced where somebody asks for it."""

from pathlib import Path

import pytest
from sqlmodel import col, select

from hub.hub import Hub
from hub.store import SettingRow
from hub.store.tracing import TRACE, read, starvation


def write_settings(hub: Hub, count: int) -> None:
    with hub.store.write() as session:
        session.add_all(SettingRow(name=f"n{one}", value={}) for one in range(count))


def test_a_transaction_is_traced_with_who_opened_it_and_what_it_did(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_settings(hub, 1)
    monkeypatch.setenv(TRACE, str(tmp_path / "writes"))
    with hub.store.write() as session:
        for row in session.exec(select(SettingRow).where(col(SettingRow.name).like("n%"))):
            session.delete(row)
    write_settings(hub, 5)
    first, second = read(tmp_path / "writes")
    assert first.name.endswith("test_a_transaction_is_traced_with_who_opened_it_and_what_it_did")
    assert (first.statements, first.rows) == (2, 2)
    assert second.name.endswith("test_tracing.write_settings")
    assert (second.statements, second.rows) == (1, 5)
    assert min(first.held, second.held) > 0


def test_nobody_is_traced_who_did_not_ask(hub: Hub, tmp_path: Path) -> None:
    write_settings(hub, 1)
    assert not list(tmp_path.rglob("writes"))


def test_a_process_that_is_gone_was_kept_from_nothing() -> None:
    assert starvation(["/proc/0"]) == 0
