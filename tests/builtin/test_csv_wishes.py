"""What an order asks of who brings it, out of the hub's own template of a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.builtin.csv import Csv, CsvConfig
from hub.nouns import Cursor, Order, RefusedRow


def read(tmp_path: Path, header: str, *rows: str) -> list[Order | RefusedRow]:
    path = tmp_path / "orders.csv"
    path.write_text("\n".join((f"ref,city,{header}", *rows)) + "\n")
    found = Csv(CsvConfig(path=path)).pull(Cursor())
    return [one for one in found if not isinstance(one, Cursor)]


def test_every_wish_has_its_column(tmp_path: Path) -> None:
    (order,) = read(
        tmp_path,
        "windows,skills,priority,driver,turn,on_board_minutes,pair,order_load_pallets",
        'A1,Vaduz,"8:00-10:00; 2:00 PM - 4:00 PM","Cold Chain, lift",High,Lea Frick,first,90,P7,2',
    )
    assert isinstance(order, Order)
    assert order.windows == ("08:00-10:00", "14:00-16:00")
    assert (order.skills, order.priority) == (("cold-chain", "lift"), 20)
    assert (order.driver, order.turn, order.on_board, order.pair) == (
        "Lea Frick", "first", 5400, "P7",
    )  # fmt: skip
    assert order.loads == {"pallets": 2}


def test_each_article_has_its_own_loads(tmp_path: Path) -> None:
    (order,) = read(
        tmp_path, "item,quantity,load_kg,order_load_kg", "A1,Vaduz,Sack,2,12.5,", "A1,,Box,1,,"
    )
    assert isinstance(order, Order)
    assert [line.loads for line in order.lines] == [{"kg": 12.5}, {}]


def test_an_order_that_asks_nothing_is_the_same_as_before(tmp_path: Path) -> None:
    (order,) = read(tmp_path, "skills,priority,windows", "A1,Vaduz,,,")
    assert isinstance(order, Order)
    assert not order.model_fields_set & {"skills", "priority", "windows", "turn", "pair"}


def test_skills_are_words_of_any_language(tmp_path: Path) -> None:
    (order,) = read(tmp_path, "skills", "A1,Vaduz,Kühlung;Hebebühne 2")
    assert isinstance(order, Order)
    assert order.skills == ("kühlung", "hebebühne-2")


def test_a_window_of_another_day_than_the_order_is_refused(tmp_path: Path) -> None:
    (row,) = read(
        tmp_path,
        "service_date,window_start,window_end",
        "A1,Vaduz,2026-12-01,2026-12-02T10:00,2026-12-02T12:00",
    )
    assert isinstance(row, RefusedRow)
    assert (row.field, row.reason) == (
        "window_start", "is on another day than the order, which is of 2026-12-01",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("windows", "morning", "'morning' is no window; write 08:00-10:00"),
        ("skills", "#1", "'#1' is no skill"),
        ("priority", "urgent", "'urgent' is none of low, normal, high, must"),
        ("priority", "101", "is no whole number from 0 to 100"),
        ("turn", "second", "'second' is neither first nor last"),
        ("on_board_minutes", "0", "is no whole number from 1 to 1,440"),
        ("order_load_kg", "heavy", "'heavy' is no load from 0 to 1,000,000"),
        ("order_load_kg", "nan", "'nan' is no load"),
    ],
)
def test_a_cell_that_cannot_be_read_names_its_row_and_column(
    tmp_path: Path, column: str, cell: str, said: str
) -> None:
    (row,) = read(tmp_path, column, f"A1,Vaduz,{cell}")
    assert isinstance(row, RefusedRow)
    assert (row.line, row.field) == (2, column)
    assert said in row.reason
