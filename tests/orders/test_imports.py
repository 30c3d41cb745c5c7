"""Files of orders: read in short steps, resumed without duplicates, reported row by row."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from sqlmodel import select

from hub import orders
from hub.errors import Missing, Refused
from hub.events.catalogue import catalogue
from hub.hub import Hub
from hub.orders import imports
from hub.queue.work import LeaseLost, claim
from hub.store import (
    DepotRow,
    EventRow,
    ImportErrorRow,
    ImportRow,
    Merchant,
    MerchantRow,
    Operator,
    OrderRow,
    System,
    WorkRow,
)
from hub.testing.fixtures import World

HEADER = "ref,name,address,postcode,city,lat,lon,item,quantity"


def file_of(count: int, *broken: int) -> bytes:
    """Return a file of orders A1, A2 ... in which some have a latitude of 1000."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADER.split(","))
    for n in range(1, count + 1):
        lat = "1000" if n in broken else "47.14"
        writer.writerow([f"A{n}", "Anna", f"Gasse {n}", "9490", "Vaduz", lat, "9.52", "Käse", 1])
    return out.getvalue().encode()


@pytest.fixture(autouse=True)
def _handlers(hub: Hub) -> None:
    orders.register(hub)


def start(hub: Hub, world: World, content: bytes) -> str:
    return imports.start(hub, Operator("dispatcher"), world.merchant, "orders.csv", content)


def run(hub: Hub) -> None:
    """Do the heavy work that is due, as a worker does."""
    while claims := claim(hub.store, "heavy", "worker"):
        hub.handlers[claims[0].kind](hub, claims[0])


def get(hub: Hub, id: str) -> ImportRow:
    with hub.store.read(System()) as session:
        return session.get_one(ImportRow, id)


def count(hub: Hub, table: Any) -> int:
    with hub.store.read(System()) as session:
        return len(session.exec(select(table)).all())


def counts(row: ImportRow) -> tuple[int, int, int, int, int]:
    return row.rows, row.created, row.updated, row.unchanged, row.refused


def test_good_rows_are_kept_and_bad_ones_are_named(hub: Hub, world: World) -> None:
    id = start(hub, world, file_of(30, 7, 20))
    assert get(hub, id).state == "waiting"
    run(hub)
    row = get(hub, id)
    assert (row.state, row.form) == ("done", "template")
    assert counts(row) == (30, 28, 0, 0, 2)
    assert row.bytes_done == row.bytes_total > 0
    with hub.store.read(System()) as session:
        errors, more = imports.errors(session, id)
    assert [(error.line, error.field) for error in errors] == [(8, "lat"), (21, "lat")]
    assert more == 0
    assert count(hub, OrderRow) == 28


def test_the_end_of_an_import_is_told_in_numbers(hub: Hub, world: World) -> None:
    id = start(hub, world, file_of(3, 2))
    run(hub)
    with hub.store.read(System()) as session:
        event = session.exec(select(EventRow).where(EventRow.type == "import.finished")).one()
    assert event.type in catalogue()
    assert event.data["import_"] == {
        "id": id, "rows": 3, "created": 2, "updated": 0, "unchanged": 0, "refused": 1,
    }  # fmt: skip


def test_the_same_file_again_creates_nothing(hub: Hub, world: World) -> None:
    start(hub, world, file_of(20))
    run(hub)
    again = start(hub, world, file_of(20))
    run(hub)
    assert counts(get(hub, again)) == (20, 0, 0, 20, 0)
    assert count(hub, OrderRow) == 20


def test_an_import_that_was_cut_off_goes_on_without_duplicates(
    hub: Hub, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = start(hub, world, file_of(60, 31))
    real, done = imports.take_all, []

    def die_in_the_third_chunk(*args: Any) -> Any:
        result = real(*args)
        done.append(len(result))
        if len(done) == 3:
            raise KeyboardInterrupt  # after the rows, before the commit
        return result

    monkeypatch.setattr(imports, "take_all", die_in_the_third_chunk)
    with pytest.raises(KeyboardInterrupt):
        run(hub)
    halfway = get(hub, id)
    assert 0 < halfway.rows == count(hub, OrderRow) < 60
    monkeypatch.setattr(imports, "take_all", real)
    with hub.store.write(System()) as session:
        lease = session.exec(select(WorkRow)).one()
        lease.lease_until = session.wall
    run(hub)
    assert counts(get(hub, id)) == (60, 59, 0, 0, 1)
    assert count(hub, OrderRow) == 59
    assert count(hub, ImportErrorRow) == 1


def test_a_worker_that_lost_its_lease_writes_nothing_more(hub: Hub, world: World) -> None:
    id = start(hub, world, file_of(10))
    (held,) = claim(hub.store, "heavy", "slow")
    with hub.store.write(System()) as session:
        session.exec(select(WorkRow)).one().lease_token = "another"
    with pytest.raises(LeaseLost):
        imports.work(hub, held)
    assert (get(hub, id).rows, count(hub, OrderRow)) == (0, 0)


def test_a_long_import_lets_other_work_go_first_and_comes_back(
    hub: Hub, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "TURN", 0.0)
    id = start(hub, world, file_of(25))
    (first,) = claim(hub.store, "heavy", "worker")
    imports.work(hub, first)
    assert 0 < get(hub, id).rows < 25
    run(hub)
    assert counts(get(hub, id)) == (25, 25, 0, 0, 0)


def test_more_refusals_than_anybody_reads_are_counted(
    hub: Hub, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "MOST_ERRORS", 5)
    id = start(hub, world, file_of(12, *range(1, 13)))
    run(hub)
    with hub.store.read(System()) as session:
        errors, more = imports.errors(session, id)
    assert (len(errors), more, get(hub, id).refused) == (5, 7, 12)


def test_a_file_of_an_unknown_form_is_refused_whole_with_the_reason(hub: Hub, world: World) -> None:
    id = start(hub, world, b"colour,size\nred,3\n")
    run(hub)
    row = get(hub, id)
    assert row.state == "refused"
    assert "colour, size" in row.reason


def test_columns_that_are_not_read_are_noted(hub: Hub, world: World) -> None:
    id = start(hub, world, b"ref,city,Colour\nA1,Vaduz,red\n")
    run(hub)
    assert get(hub, id).note == "columns that are not read: Colour"


def test_a_depot_is_found_in_any_case_and_with_blanks_around_it(hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        session.add(DepotRow(name="Eschen", lat=47.2110, lon=9.5220))
    id = start(hub, world, b"ref,city,depot\nA1,Vaduz, vADUZ \nA2,Vaduz,ESCHEN\n")
    run(hub)
    assert (get(hub, id).created, get(hub, id).refused) == (2, 0)
    with hub.store.read(System()) as session:
        orders = {row.ref: row.depot for row in session.exec(select(OrderRow))}
        names = {row.id: row.name for row in session.exec(select(DepotRow))}
    assert {ref: names[depot or ""] for ref, depot in orders.items()} == {
        "A1": "Vaduz", "A2": "Eschen",
    }  # fmt: skip


def test_an_order_that_the_hub_refuses_is_reported_with_its_line(hub: Hub, world: World) -> None:
    id = start(hub, world, b"ref,city,depot\nA1,Vaduz,Vaduz\nA2,Vaduz,Nowhere\n")
    run(hub)
    with hub.store.read(System()) as session:
        ((error,), _) = imports.errors(session, id)
    assert (error.line, error.field) == (3, "depot")
    assert "there are Vaduz" in error.reason


def test_an_empty_or_too_large_file_is_refused_at_once(
    hub: Hub, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "LARGEST_FILE", 10)
    for content in (b"", b"x" * 11):
        with pytest.raises(Refused):
            start(hub, world, content)


def test_nobody_imports_for_a_merchant_that_is_not_theirs(hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        other = MerchantRow(name="Other", slug="other")
        session.add(other)
    with pytest.raises(Missing):
        imports.start(hub, Merchant(other.id), world.merchant, "x.csv", file_of(1))


def test_write_transactions_of_an_import_stay_small(hub: Hub, world: World) -> None:
    def sizes() -> Iterator[int]:
        size = imports.FIRST_CHUNK
        for seconds in (0.001, 0.001, 0.5, 0.02):
            size = imports.next_size(size, size, seconds)
            yield size

    assert list(sizes()) == [20, 40, 5, 5]


def test_a_files_name_is_shown_without_its_folders(hub: Hub, world: World) -> None:
    id = imports.start(hub, System(), world.merchant, "C:\\x\\..\\Nov\x00.csv", file_of(1))
    assert get(hub, id).filename == "Nov.csv"
