"""Delivery slots that customers chose at checkout, as the well-known plugins keep them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hub_woocommerce import Config, slots_of
from hub_woocommerce.orders import Reader
from hub_woocommerce.slots import Slot, Slots, read_day, read_slot

from hub import Order

DAY = date(2026, 11, 23)
UNIX = int(datetime(2026, 11, 23, tzinfo=UTC).timestamp())


def slot(meta: dict[str, Any], **values: Any) -> Slot:
    """Return what is read of an order with this meta data."""
    pairs = [{"id": n, "key": key, "value": value} for n, (key, value) in enumerate(meta.items())]
    return Slots().read({"meta_data": pairs, **values})


@pytest.mark.parametrize(
    "meta",
    [
        {"jckwds_date": "23/11/2026", "jckwds_date_ymd": "20261123",
         "jckwds_timeslot": "10:00 am - 12:00 pm"},
        {"_orddd_lite_timestamp": str(UNIX), "_orddd_time_slot": "10:00 AM - 12:00 PM"},
        {"_orddd_timestamp": UNIX, "_orddd_time_slot": "10:00 - 12:00"},
        {"ywcdd_order_delivery_date": "2026-11-23", "ywcdd_order_slot_from": "10:00",
         "ywcdd_order_slot_to": "12:00"},
        {"ywcdd_order_delivery_date": "2026-11-23", "ywcdd_order_slot_from": str(UNIX + 36_000),
         "ywcdd_order_slot_to": str(UNIX + 43_200)},
        {"_delivery_date": "2026-11-23",
         "_delivery_time_frame": {"time_from": "10:00", "time_to": "12:00"}},
        {"delivery_date": "2026-11-23", "delivery_time": "10:00 - 12:00"},
        {"pi_system_delivery_date": "2026/11/23", "pi_delivery_time": "10:00 AM - 12:00 PM"},
        {"dokan_delivery_time_date": "2026-11-23", "dokan_delivery_time_slot": "10:00 - 12:00"},
        {"byconsolewooodt_delivery_date": "November 23, 2026",
         "byconsolewooodt_delivery_time": "10:00 AM - 12:00 PM"},
        {"Delivery Date": "23 November, 2026", "Time Slot": "10:00 \N{EN DASH} 12:00"},
    ],
)  # fmt: skip
def test_the_plugins_forms_are_read(meta: dict[str, Any]) -> None:
    assert slot(meta) == Slot(DAY, "10:00", "12:00")


@pytest.mark.parametrize(
    ("text", "dmy", "mdy"),
    [
        ("2026-11-23", DAY, DAY), ("2026-11-23T00:00:00", DAY, DAY), ("23.11.26", DAY, None),
        ("05/06/2026", date(2026, 6, 5), date(2026, 5, 6)), ("11/23/2026", None, DAY),
        ("Monday 23rd November 2026", DAY, DAY), ("31/31/2026", None, None),
        ("soon", None, None), ("", None, None),
    ],
)  # fmt: skip
def test_dates_are_read_in_the_shops_own_order(
    text: str, dmy: date | None, mdy: date | None
) -> None:
    assert read_day(text, "dmy", timedelta(0)) == dmy
    assert read_day(text, "mdy", timedelta(0)) == mdy


@pytest.mark.parametrize("hours", [-8, 1, 11])
def test_a_unix_time_is_the_day_on_which_it_is_midnight_in_utc_or_in_the_shop(hours: int) -> None:
    shift = timedelta(hours=hours)
    assert read_day(str(UNIX), "dmy", shift) == DAY
    assert read_day(str(UNIX - hours * 3600), "dmy", shift) == DAY
    assert read_day(str(UNIX + 13 * 3600 + 1800), "dmy", timedelta(0)) == DAY


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("10:00 - 12:00", "10:00", "12:00"), ("10:00 AM \N{EN DASH} 12:00 PM", "10:00", "12:00"),
        ("8 - 10 pm", "20:00", "22:00"), ("11 - 1 pm", "11:00", "13:00"),
        ("12:00 AM - 2:00 AM", "00:00", "02:00"), ("22:00 - 00:00", "22:00", "23:59"),
        ("16.00 - 18.30", "16:00", "18:30"), ("10:00 Uhr - 12:00 Uhr", "10:00", "12:00"),
        ("36000 - 43200", "10:00", "12:00"), ("2 pm", "14:00", ""), ("10:00", "10:00", ""),
        ("12:00 - 10:00", "", ""), ("morning", "", ""), ("ASAP", "", ""), ("25:00 - 26:00", "", ""),
        ("10:00, 12:00 or 14:00", "", ""), ("", "", ""),
    ],
)  # fmt: skip
def test_times_are_read(text: str, start: str, end: str) -> None:
    assert read_slot(text) == (start, end)


def record(meta: dict[str, Any]) -> dict[str, Any]:
    """Return an order with meta data."""
    place = {"first_name": "A", "last_name": "B", "company": "", "address_1": "Street 1",
             "address_2": "", "city": "Vaduz", "state": "", "postcode": "9490", "country": "LI",
             "phone": ""}  # fmt: skip
    pairs = [{"key": key, "value": value} for key, value in meta.items()]
    return {
        "id": 1, "status": "processing", "currency": "CHF", "total": "1.00", "line_items": [],
        "billing": {**place, "email": ""}, "shipping": place, "payment_method": "",
        "date_paid_gmt": None, "customer_note": "Ring twice", "meta_data": pairs,
    }  # fmt: skip


def order(meta: dict[str, Any], **settings: str) -> Order:
    """Return an order as it is read with these settings."""
    told = {"url": "https://shop.example", "key": "k", "secret": "s", **settings}
    slots = slots_of(Config.model_validate(told))
    (found,) = Reader(("processing",), slots, lambda _: []).read_page([record(meta)])
    assert isinstance(found, Order)
    return found


def test_a_slot_becomes_the_day_and_the_window_of_the_order() -> None:
    found = order({"_delivery_date": "2026-11-23", "delivery_time": "10:00 - 12:00"})
    assert (found.service_date, found.notes) == (DAY, "Ring twice")
    assert (found.window_start_local, found.window_end_local) == ("10:00", "12:00")


def test_what_cannot_be_read_stands_in_the_notes_and_the_order_comes() -> None:
    found = order({"_delivery_date": "next week", "delivery_time": "morning"})
    assert (found.service_date, found.window_start_local) == (None, "")
    assert found.notes == "Ring twice\nDelivery slot: next week, morning"
    half = order({"_delivery_date": "2026-11-23", "delivery_time": {"odd": []}})
    assert (half.service_date, half.notes) == (DAY, "Ring twice")


def test_keys_of_ones_own_count_first_and_none_reads_no_slots() -> None:
    meta = {"_delivery_date": "2026-12-24", "lieferung": "6/5/2026", "von": "8:00", "bis": "9:00"}
    found = order(meta, slot_date_keys="lieferung", slot_time_keys="von+bis", slot_day_order="mdy")
    assert found.service_date == date(2026, 6, 5)
    assert (found.window_start_local, found.window_end_local) == ("08:00", "09:00")
    assert order(meta, slot_date_keys="none").service_date is None
