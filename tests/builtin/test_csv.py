"""The CSV source: the template, and everything that can be wrong with a file."""

import csv as plain_csv
import io
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from hub.builtin.csv import Csv, CsvConfig
from hub.errors import Refused
from hub.nouns import Cursor, Order, RefusedRow

HEADER = "ref,name,phone,address,postcode,city,lat,lon,service_date,window_start,window_end"
LINES = HEADER + ",cash_due,currency,invoice,item,sku,quantity"
GOOD = "A1,Anna Beck,+423 232 11 11,Aeulestrasse 1,9490,Vaduz,47.14,9.52,2026-11-23,10:00,12:00"


def read(path: Path, cursor: str = "", **settings: object) -> list[Order | RefusedRow]:
    """Return what the source yields from `path`, without the cursors."""
    source = Csv(CsvConfig.model_validate({"path": path, **settings}))
    return [one for one in source.pull(Cursor(value=cursor)) if not isinstance(one, Cursor)]


def write(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "orders.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def table(header: list[str], rows: Iterable[dict[str, str]]) -> str:
    out = io.StringIO()
    writer = plain_csv.DictWriter(out, header, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def one(found: list[Order | RefusedRow]) -> Order:
    assert len(found) == 1, found
    assert isinstance(found[0], Order), found[0]
    return found[0]


def refusal(found: list[Order | RefusedRow]) -> RefusedRow:
    assert len(found) == 1, found
    assert isinstance(found[0], RefusedRow), found[0]
    return found[0]


def test_a_row_of_the_template_becomes_an_order(tmp_path: Path) -> None:
    order = one(read(write(tmp_path, f"{LINES}\n{GOOD},25.50,CHF,INV-7,Käse,K-1,2\n")))
    assert order.ref == "A1"
    assert order.recipient.phone == "+423 232 11 11"
    assert order.location is not None
    assert (order.location.lat, order.location.lon) == (47.14, 9.52)
    assert order.service_date == date(2026, 11, 23)
    assert (order.window_start_local, order.window_end_local) == ("10:00", "12:00")
    assert order.cash_due is not None
    assert (order.cash_due.amount, order.cash_due.currency) == (Decimal("25.50"), "CHF")
    assert order.invoice == "INV-7"
    assert [(line.name, line.sku, line.quantity) for line in order.lines] == [("Käse", "K-1", 2)]


def test_rows_with_the_same_ref_are_the_lines_of_one_order(tmp_path: Path) -> None:
    rows = f"{GOOD},,,,Käse,,2\n{'A1' + ',' * 13},Honig,,1\n"
    order = one(read(write(tmp_path, f"{LINES}\n{rows}")))
    assert [(line.name, line.quantity) for line in order.lines] == [("Käse", 2), ("Honig", 1)]


def test_an_order_whose_rows_contradict_each_other_is_refused_once(tmp_path: Path) -> None:
    other = GOOD.replace("Vaduz", "Schaan")
    found = refusal(read(write(tmp_path, f"{HEADER}\n{GOOD}\n{other}\n")))
    assert (found.line, found.field) == (3, "city")


def test_rows_of_an_order_in_two_places_of_the_file_are_refused(tmp_path: Path) -> None:
    found = read(write(tmp_path, f"{HEADER}\n{GOOD}\n{GOOD.replace('A1', 'A2', 1)}\n{GOOD}\n"))
    assert [type(entry).__name__ for entry in found] == ["Order", "Order", "RefusedRow"]
    assert "further up" in found[2].reason  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("column", "text", "said"),
    [
        ("service_date", "23/11/2026", "2026-11-23"),
        ("service_date", "2026-02-30", "2026-11-23"),
        ("window_start", "25:00", "14:30"),
        ("window_end", "09:00", "before it starts"),
        ("lat", "1000", "-90 and 90"),
        ("lat", "nan", "-90 and 90"),
        ("lat", "", "both coordinates"),
        ("quantity", "-2", "from 1"),
        ("quantity", "1e9", "from 1"),
        ("quantity", "two", "from 1"),
        ("cash_due", "-5", "at least 0"),
        ("cash_due", "free", "12.50"),
        ("phone", "4.23232E+10", "text"),
        ("ref", "", "number of its own"),
        ("name", "x" * 301, "at most 300"),
    ],
)
def test_a_wrong_cell_is_refused_with_line_column_and_what_to_write(
    tmp_path: Path, column: str, text: str, said: str
) -> None:
    header = LINES.split(",")
    good = dict(zip(header, f"{GOOD},25.50,CHF,INV-7,Käse,K-1,2".split(","), strict=True))
    content = table(header, [good, {**good, "ref": "A2", column: text}])
    found = read(write(tmp_path, content))
    assert isinstance(found[0], Order)
    refused = found[1]
    assert isinstance(refused, RefusedRow)
    assert (refused.line, refused.field) == (3, column)
    assert said in refused.reason


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
def test_every_common_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    content = f"{HEADER}\n{GOOD.replace('Anna', 'Zoë')}\n".encode(encoding)
    assert one(read(write(tmp_path, content))).recipient.name == "Zoë Beck"


def test_encodings_may_be_mixed_within_one_line(tmp_path: Path) -> None:
    row = GOOD.encode().replace(b"Anna", "Zoë".encode("cp1252")).replace(b"Vaduz", "Wädi".encode())
    order = one(read(write(tmp_path, HEADER.encode() + b"\n" + row)))
    assert (order.recipient.name, order.address.city) == ("Zoë Beck", "Wädi")


def test_nul_bytes_are_dropped_and_the_row_is_kept(tmp_path: Path) -> None:
    row = GOOD.replace("Anna", "An\x00na")
    order = one(read(write(tmp_path, f"{HEADER}\n{row}\n")))
    assert order.recipient.name == "Anna Beck"


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_line_ending_is_read(tmp_path: Path, ending: str) -> None:
    assert len(read(write(tmp_path, ending.join((HEADER, GOOD, GOOD.replace("A1", "A2")))))) == 2


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_recognised(tmp_path: Path, delimiter: str) -> None:
    text = f"{HEADER}\n{GOOD}\n".replace(",", delimiter)
    assert one(read(write(tmp_path, text))).address.city == "Vaduz"


def test_a_line_that_names_the_delimiter_is_obeyed(tmp_path: Path) -> None:
    text = "sep=;\n" + f"{HEADER}\n{GOOD}\n".replace(",", ";")
    assert one(read(write(tmp_path, text))).ref == "A1"


def test_formulas_stay_text_and_text_marks_are_taken_off(tmp_path: Path) -> None:
    row = GOOD.replace("Anna Beck", "=HYPERLINK(1)").replace("+423", "'+423")
    row = row.replace("9490", '="0949"')
    order = one(read(write(tmp_path, f"{HEADER}\n{row}\n")))
    assert order.recipient.name == "=HYPERLINK(1)"
    assert order.recipient.phone == "+423 232 11 11"
    assert order.address.postcode == "0949"


def test_a_quote_that_is_never_closed_costs_its_own_row_only(tmp_path: Path) -> None:
    broken = GOOD.replace("Anna", '"Anna')
    found = read(write(tmp_path, f"{HEADER}\n{broken}\n{GOOD.replace('A1', 'A2')}\n"))
    assert isinstance(found[0], RefusedRow)
    assert found[0].line == 2
    assert isinstance(found[1], Order)


def test_quotes_that_do_not_match_cost_their_own_row_only(tmp_path: Path) -> None:
    broken = GOOD.replace("Anna Beck", '"Anna" Beck')
    found = read(write(tmp_path, f"{HEADER}\n{broken}\n{GOOD.replace('A1', 'A2')}\n"))
    assert isinstance(found[0], RefusedRow)
    assert "twice" in found[0].reason
    assert isinstance(found[1], Order)


def test_a_quoted_cell_may_hold_line_breaks_and_lines_are_counted_as_they_stand(
    tmp_path: Path,
) -> None:
    odd = GOOD.replace("Anna Beck", '"Anna\nBeck"')
    bad = GOOD.replace("A1", "A2").replace("47.14", "999")
    found = read(write(tmp_path, f"{HEADER}\n{odd}\n{bad}\n"))
    assert isinstance(found[0], Order)
    assert isinstance(found[1], RefusedRow)
    assert found[1].line == 4


def test_a_line_without_end_is_named_and_not_held_in_memory(tmp_path: Path) -> None:
    import tracemalloc

    path = write(tmp_path, f"{HEADER}\n{GOOD}\n")
    with path.open("ab") as file:
        for _ in range(60):
            file.write(b"x" * 1_000_000)
        file.write(f"\n{GOOD.replace('A1', 'A2')}\n".encode())
    tracemalloc.start()
    found = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [type(entry).__name__ for entry in found] == ["Order", "RefusedRow", "Order"]
    assert "longer than" in found[1].reason  # type: ignore[union-attr]
    assert peak < 10_000_000


def test_a_large_file_is_read_without_holding_it_in_memory(tmp_path: Path) -> None:
    import tracemalloc

    rows = ({"ref": f"A{n}", "city": "Vaduz", "notes": "x" * 4000} for n in range(1500))
    path = write(tmp_path, table(["ref", "city", "notes"], rows))
    source = Csv(CsvConfig(path=path))
    tracemalloc.start()
    read_in = sum(isinstance(entry, Order) for entry in source.pull(Cursor()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert read_in == 1500
    assert path.stat().st_size > 6_000_000
    assert peak < 1_500_000


def test_too_many_cells_are_named(tmp_path: Path) -> None:
    found = refusal(read(write(tmp_path, f"{HEADER}\n{GOOD},surplus\n")))
    assert "12 cells where the header has 11" in found.reason


def test_unknown_columns_are_noted_and_no_error(tmp_path: Path) -> None:
    path = write(tmp_path, f"{HEADER},Colour\n{GOOD},red\n")
    assert one(read(path)).ref == "A1"
    layout = Csv(CsvConfig(path=path)).inspect()
    assert layout.note() == "columns that are not read: Colour"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"a,b,c\n1,2,3\n", "no known form"),
        (b"PK\x03\x04rest", "Excel"),
        (b"%PDF-1.7", "PDF"),
    ],
)
def test_a_file_that_is_no_list_of_orders_is_refused_whole(
    tmp_path: Path, content: bytes, said: str
) -> None:
    with pytest.raises(Refused, match=said):
        read(write(tmp_path, content))


def test_reading_goes_on_behind_a_cursor(tmp_path: Path) -> None:
    rows = "\n".join(GOOD.replace("A1", f"A{n}", 1) for n in range(1, 6))
    path = write(tmp_path, f"{HEADER}\n{rows}\n")
    source = Csv(CsvConfig(path=path))
    cursors = [entry for entry in source.pull(Cursor()) if isinstance(entry, Cursor)]
    rest = read(path, cursors[2].value)
    assert [order.ref for order in rest if isinstance(order, Order)] == ["A4", "A5"]


def test_an_amount_below_nothing_says_so(tmp_path: Path) -> None:
    rows = table(["ref", "city", "cash_due"], [{"ref": "A1", "city": "Vaduz", "cash_due": "-5"}])
    fault = refusal(read(write(tmp_path, rows)))
    assert fault.reason == "'-5' is less than 0; an amount is at least 0"


@pytest.mark.parametrize(
    ("text", "amount"),
    [("12.50", "12.50"), ("12,50", "12.50"), ("1'234.50", "1234.50"), ("1.234,50", "1234.50"),
     ("1,234", "1234"), ("CHF 7", "7"), ("7 EUR", "7")],
)  # fmt: skip
def test_amounts_are_read_as_people_write_them(tmp_path: Path, text: str, amount: str) -> None:
    rows = table(["ref", "city", "cash_due"], [{"ref": "A1", "city": "Vaduz", "cash_due": text}])
    order = one(read(write(tmp_path, rows)))
    assert order.cash_due is not None
    assert order.cash_due.amount == Decimal(amount)
