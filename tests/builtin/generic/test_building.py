"""One record becomes one order, and each field says by itself what is wrong with it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.builtin.generic.building import attempt, order_of
from hub.builtin.generic.fields import TARGETS, Fields
from hub.nouns import Cancelled, Order, RefusedRow

RECORD: dict[str, Any] = {
    "no": 1001, "state": "Open", "customer": {"first": "Anna", "last": "Beck", "fullName": None},
    "to": {"street": "Städtle 49", "zip": "09490", "city": "Vaduz", "lat": Decimal("47.14"),
           "lon": Decimal("9.52")},
    "when": "23.11.2026", "from": "9:00", "until": "12:30", "minutes": 5,
    "cod": Decimal("12.50"), "cur": "chf", "tags": ["fragile", "cold"], "dotted.name": "here",
    "items": [
        {"t": "Tea", "q": 2, "p": Decimal("4.35"), "id": 7}, {"t": "Gone", "q": 0},
    ],
}  # fmt: skip


def made(record: Any = None, **rules: str) -> Any:
    """Return what a record becomes by rules written path or path|how."""
    told = {"ref": "no", **{name.replace("__", "."): rule for name, rule in rules.items()}}
    cut = {name: rule.partition("|") for name, rule in told.items()}
    fields = Fields.model_validate(
        {"rules": {name: {"path": path, "how": how} for name, (path, _, how) in cut.items()}}
    )
    return order_of(RECORD if record is None else record, fields, 3)


def test_every_field_lands_where_it_belongs() -> None:
    order = made(
        number="no", recipient__name="customer.first + customer.last", address__line1="to.street",
        address__postcode="to.zip", address__city="to.city", address__country="=LI",
        location__lat="to.lat", location__lon="to.lon", service_date="when",
        window__start="from", window__end="until", service_time="minutes", cash_due="cod",
        currency="cur", notes="tags", kind="=Abholung", lines="items", line__name="t",
        line__quantity="q", line__price="p?", line__ref="id?", depot="dotted.name",
    )  # fmt: skip
    assert isinstance(order, Order)
    assert (order.ref, order.number, order.kind) == ("1001", "1001", "collection")
    assert order.recipient.name == "Anna Beck"
    assert order.address.text() == "Städtle 49, 09490 Vaduz, LI"
    assert order.location is not None
    assert (order.location.lat, order.location.lon) == (47.14, 9.52)
    assert order.service_date == date(2026, 11, 23)
    assert (order.window_start_local, order.window_end_local) == ("09:00", "12:30")
    assert order.service_time == 300
    assert order.cash_due is not None
    assert (order.cash_due.amount, order.cash_due.currency) == (Decimal("12.50"), "CHF")
    assert (order.notes, order.depot) == ("fragile, cold", "here")
    [line] = order.lines
    assert (line.name, line.quantity, line.ref) == ("Tea", 2, "7")
    assert line.price is not None
    assert line.price.amount == Decimal("4.35")


def test_a_missing_path_names_the_field_and_the_path() -> None:
    row = made({**RECORD, "customer": {}}, recipient__name="customer.fullName")
    assert isinstance(row, RefusedRow)
    assert row.reason.startswith("recipient.name: the record has no customer.fullName")
    assert (row.field, row.ref, row.line) == ("recipient.name", "1001", 3)


def test_a_path_that_may_be_missing_leaves_the_field_empty() -> None:
    order = made(recipient__name="customer.fullName?", notes="nothing.there?")
    assert (order.recipient.name, order.notes) == ("", "")


@pytest.mark.parametrize(("value", "how", "wanted"), [
    ("2026-11-23", "", "2026-11-23"), ("23/11/2026", "dmy", "2026-11-23"),
    ("11/23/2026", "mdy", "2026-11-23"), (1795392000, "unix", "2026-11-23"),
    (1795392000000, "unixms", "2026-11-23"), ("2026-11-23T10:00:00Z", "", "2026-11-23"),
])  # fmt: skip
def test_dates_are_read_as_they_are_written(value: Any, how: str, wanted: str) -> None:
    order = made({"no": 1, "d": value}, service_date=f"d|{how}")
    assert str(order.service_date) == wanted


@pytest.mark.parametrize(("value", "how", "wanted"), [
    ("1.250,00", "comma", "1250.00"), ("1250", "cents", "12.5"), (Decimal("12.50"), "", "12.50"),
    ("CHF 12", "", "12"),
])  # fmt: skip
def test_amounts_are_exact_however_they_are_written(value: Any, how: str, wanted: str) -> None:
    order = made({"no": 1, "a": value}, cash_due=f"a|{how}", currency="=CHF")
    assert order.cash_due.amount == Decimal(wanted)


@pytest.mark.parametrize(("value", "how", "wanted"), [
    (5, "", 300), ("0,5", "hours", 1800), (90, "seconds", 90),
])  # fmt: skip
def test_the_time_at_the_door_is_kept_in_seconds(value: Any, how: str, wanted: int) -> None:
    assert made({"no": 1, "t": value}, service_time=f"t|{how}").service_time == wanted


@pytest.mark.parametrize("text", ["9:00-12:00", "09:00 – 12:00", "9:00 to 12:00", "9:00 bis 12:00"])
def test_one_text_may_hold_both_ends_of_a_window(text: str) -> None:
    order = made({"no": 1, "w": text}, window__start="w|before", window__end="w|after")
    assert (order.window_start_local, order.window_end_local) == ("09:00", "12:00")


def test_a_window_of_instants_keeps_their_zone_and_gives_the_day() -> None:
    record = {"no": 1, "a": "2026-11-23T09:00:00+01:00", "b": "2026-11-23T12:00:00+01:00"}
    order = made(record, window__start="a", window__end="b")
    assert order.window.start.isoformat() == "2026-11-23T09:00:00+01:00"
    assert order.service_date == date(2026, 11, 23)


@pytest.mark.parametrize(("rules", "field", "said"), [
    ({"cash_due": "cod"}, "cash_due", "has no currency"),
    ({"kind": "state"}, "kind", "none of delivery"),
    ({"service_date": "state"}, "service_date", "is no date"),
    ({"service_date": "when|mdy"}, "service_date", "is no|month must be|differ"),
    ({"location__lat": "to.lat"}, "location.lon", "both coordinates"),
    ({"window__start": "until", "window__end": "from"}, "window.end", "before it starts"),
    ({"notes": "to"}, "notes", "is an object"),
    ({"lines": "to", "line__name": "t"}, "lines", "has no list at to"),
    ({"lines": "items", "line__name": "x"}, "line.name", "article 1: the record has no x"),
    ({"lines": "items", "line__name": "t", "line__quantity": "t"}, "line.quantity", "no whole"),
    ({"service_time": "=1000000"}, "service_time", "not between nothing and a day"),
    ({"ref": "customer.fullName"}, "ref", "is empty"),
])  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_field(
    rules: dict[str, str], field: str, said: str
) -> None:
    import re

    row = made(**rules)
    assert isinstance(row, RefusedRow)
    assert row.field == field
    assert re.search(said, row.reason), row.reason


def test_a_status_calls_an_order_off_leaves_it_aside_or_lets_it_in() -> None:
    told = {"rules": {"ref": {"path": "no"}, "status": {"path": "state"}}}
    fields = Fields.model_validate({**told, "cancelled": ["VOID"], "wanted": ["open"]})
    assert isinstance(order_of(RECORD, fields, 1), Order)
    assert order_of({**RECORD, "state": "void"}, fields, 1) == Cancelled(
        ref="1001", reason="its status is void"
    )
    assert order_of({**RECORD, "state": "draft"}, fields, 1) is None


@pytest.mark.parametrize("record", [None, 7, "text", [1], True])
def test_what_is_no_record_is_refused(record: Any) -> None:
    assert isinstance(order_of(record, Fields.model_validate({"rules": {"ref": {"path": "a"}}}), 1),
                      RefusedRow)  # fmt: skip


def test_each_field_is_tried_by_itself() -> None:
    fields = Fields.model_validate({"rules": {
        "ref": {"path": "no"}, "notes": {"path": "gone"}, "kind": {"path": "state"},
        "service_date": {"path": "when"},
    }})  # fmt: skip
    tried = attempt(RECORD, fields)
    assert set(tried.faults) == {"notes", "kind"}
    assert tried.values["service_date"] == date(2026, 11, 23)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30) | st.decimals(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(VALUES, st.sampled_from([t.name for t in TARGETS]), st.data())
def test_no_value_whatever_raises_anything(value: Any, name: str, data: st.DataObject) -> None:
    target = next(t for t in TARGETS if t.name == name)
    how = data.draw(st.sampled_from([way for way, _ in target.ways] or [""]))
    rules: dict[str, Any] = {"ref": {"path": "no"}, name: {"path": "v", "how": how}}
    if target.is_of_line:
        rules["lines"] = {"path": "items"}
    record = {"no": 1, "v": value, "items": [{"v": value}]}
    found = order_of(record, Fields.model_validate({"rules": rules}), 1)
    assert found is None or isinstance(found, Order | RefusedRow | Cancelled)
