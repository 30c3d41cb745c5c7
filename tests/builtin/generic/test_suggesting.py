"""Paths are guessed by the names that systems use, and never from what is somebody else's."""

from __future__ import annotations

from typing import Any

from hub.builtin.generic.building import order_of
from hub.builtin.generic.fields import Fields, Rule
from hub.builtin.generic.suggesting import suggest
from hub.nouns import Order


def paths(*records: Any, table: bool = False, **known: str) -> dict[str, str]:
    """Return what is suggested."""
    rules = {name: Rule(path=path) for name, path in known.items()}
    return {name: rule.path for name, rule in suggest(list(records), rules, table).items()}


SHOP = {
    "id": 9, "order_number": "#1001", "status": "paid",
    "billing_address": {"name": "Bill Payer", "street": "Elsewhere 1", "zip": "1", "city": "X"},
    "shipping_address": {"first_name": "Anna", "last_name": "Beck", "address1": "Städtle 1",
                         "zip": "9490", "city": "Vaduz", "country_code": "LI"},
    "customer": {"email": "a@example.com"}, "currency": "CHF",
    "line_items": [{"id": 5, "title": "Tea", "quantity": 2, "sku": "T", "price": "4.35"}],
}  # fmt: skip


def test_where_it_goes_counts_and_never_who_pays() -> None:
    found = paths(SHOP)
    assert found["ref"] == "order_number"
    assert found["recipient.name"] == "shipping_address.first_name + shipping_address.last_name"
    assert found["address.line1"] == "shipping_address.address1"
    assert found["address.country"] == "shipping_address.country_code?"
    assert not any(path.startswith("billing") for path in found.values())
    assert (found["lines"], found["line.name"], found["line.ref"]) == ("line_items", "title", "id?")


def test_what_is_suggested_makes_an_order() -> None:
    fields = Fields(rules=suggest([SHOP], {}, False))
    order = order_of(SHOP, fields, 1)
    assert isinstance(order, Order)
    assert order.address.text() == "Städtle 1, 9490 Vaduz, LI"
    assert [(line.name, line.quantity) for line in order.lines] == [("Tea", 2)]


def test_the_columns_of_a_table_are_orders_and_articles() -> None:
    row = {
        "Auftragsnr": "7", "Empfänger": "Beck", "Straße": "Städtle 1", "PLZ": "9490",
        "Ort": "Vaduz", "Artikel": "Tee", "Menge": "2", "Bemerkung": "läuten",
    }  # fmt: skip
    found = paths({**row, "rows": [row]}, table=True)
    assert found == {
        "ref": "Auftragsnr", "recipient.name": "Empfänger", "address.line1": "Straße",
        "address.postcode": "PLZ", "address.city": "Ort", "notes": "Bemerkung?",
        "line.name": "Artikel", "line.quantity": "Menge",
    }  # fmt: skip


def test_what_somebody_filled_in_is_left_alone() -> None:
    found = paths(SHOP, ref="id", lines="line_items")
    assert "ref" not in found
    assert "lines" not in found
    assert found["line.name"] == "title"


def test_a_record_of_strange_names_suggests_nothing() -> None:
    assert paths({"x1": 1, "y": {"z": [1, 2]}}) == {}
    assert paths() == {}
    assert paths("text") == {}
