"""The CSV source reads what Shopify and WooCommerce export."""

import csv as plain_csv
import io
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from hub.builtin.csv import Csv, CsvConfig
from hub.nouns import Cursor, Order, RefusedRow

SHOPIFY = next(
    plain_csv.reader(
        [
            "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,"
            "Accepts Marketing,Currency,Subtotal,Shipping,Taxes,Total,Discount Code,"
            "Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,"
            "Lineitem price,Lineitem compare at price,Lineitem sku,Lineitem requires shipping,"
            "Lineitem taxable,Lineitem fulfillment status,Billing Name,Billing Street,"
            "Billing Address1,Billing Address2,Billing Company,Billing City,Billing Zip,"
            "Billing Province,Billing Country,Billing Phone,Shipping Name,Shipping Street,"
            "Shipping Address1,Shipping Address2,Shipping Company,Shipping City,Shipping Zip,"
            "Shipping Province,Shipping Country,Shipping Phone,Notes,Note Attributes,Cancelled at,"
            "Payment Method,Payment Reference,Refunded Amount,Vendor,Outstanding Balance,Employee,"
            "Location,Device ID,Id,Tags,Risk Level,Source,Lineitem discount,Tax 1 Name,"
            "Tax 1 Value,Tax 2 Name,Tax 2 Value,Tax 3 Name,Tax 3 Value,Tax 4 Name,Tax 4 Value,"
            "Tax 5 Name,Tax 5 Value,Phone,Receipt Number,Duties,Billing Province Name,"
            "Shipping Province Name,Payment ID,Payment Terms Name,Next Payment Due At,"
            "Payment References"
        ]
    )
)
FIRST = {
    "Name": "#1001", "Email": "anna@example.li", "Financial Status": "pending",
    "Fulfillment Status": "unfulfilled", "Currency": "CHF", "Total": "48.50",
    "Lineitem quantity": "2", "Lineitem name": "Bergkäse", "Lineitem sku": "K-1",
    "Lineitem requires shipping": "true", "Shipping Name": "Anna Beck",
    "Shipping Street": "Aeulestrasse 1, Hof", "Shipping Address1": "Aeulestrasse 1",
    "Shipping Address2": "Hof", "Shipping City": "Vaduz", "Shipping Zip": "'9490",
    "Shipping Country": "LI", "Shipping Phone": "'+423 232 11 11", "Notes": "Ring twice",
    "Note Attributes": "Delivery-Date: 2026-11-23\nDelivery-Time: 10:00 - 12:00\n"
    "Invoice: INV-1001\nLatitude: 47.14\nLongitude: 9.52",
    "Payment Method": "Cash on Delivery (COD)", "Outstanding Balance": "48.50",
}  # fmt: skip
SECOND = {"Name": "#1001", "Lineitem quantity": "1", "Lineitem name": "Honig",
          "Lineitem requires shipping": "true"}  # fmt: skip


def read(
    tmp_path: Path, rows: Iterable[dict[str, str]], header: list[str], **settings: object
) -> list[Order | RefusedRow]:
    """Return what the source yields from `rows` under `header`, without the cursors."""
    out = io.StringIO()
    writer = plain_csv.DictWriter(out, header, restval="")
    writer.writeheader()
    writer.writerows(rows)
    path = tmp_path / "orders.csv"
    path.write_text(out.getvalue())
    source = Csv(CsvConfig.model_validate({"path": path, **settings}))
    return [one for one in source.pull(Cursor()) if not isinstance(one, Cursor)]


def one(found: list[Order | RefusedRow]) -> Order:
    assert len(found) == 1, found
    assert isinstance(found[0], Order), found[0]
    return found[0]


def refusal(found: list[Order | RefusedRow]) -> RefusedRow:
    assert len(found) == 1, found
    assert isinstance(found[0], RefusedRow), found[0]
    return found[0]


def test_a_shopify_export_is_read_with_lines_wishes_and_cash(tmp_path: Path) -> None:
    assert len(SHOPIFY) == 79
    order = one(read(tmp_path, [FIRST, SECOND], SHOPIFY))
    assert order.ref == "#1001"
    assert order.recipient.model_dump() == {
        "name": "Anna Beck", "phone": "+423 232 11 11", "email": "anna@example.li",
    }  # fmt: skip
    assert order.address.text() == "Aeulestrasse 1, Hof, 9490 Vaduz, LI"
    assert order.location is not None
    assert order.location.lat == 47.14
    assert [(line.name, line.quantity) for line in order.lines] == [("Bergkäse", 2), ("Honig", 1)]
    assert order.service_date == date(2026, 11, 23)
    assert (order.window_start_local, order.window_end_local) == ("10:00", "12:00")
    assert order.cash_due is not None
    assert order.cash_due.amount == Decimal("48.50")
    assert order.invoice == "INV-1001"
    assert order.notes == "Ring twice"


def test_a_paid_shopify_order_has_no_cash_to_collect(tmp_path: Path) -> None:
    paid = {**FIRST, "Financial Status": "paid", "Payment Method": "Shopify Payments"}
    assert one(read(tmp_path, [paid], SHOPIFY)).cash_due is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"Cancelled at": "2026-11-20 10:00:00 +0100"}, "Cancelled at"),
        ({"Financial Status": "refunded"}, "Financial Status"),
        ({"Fulfillment Status": "fulfilled"}, "Fulfillment Status"),
        ({"Note Attributes": "Checkout-Method: pickup"}, "Note Attributes"),
        ({"Note Attributes": "Delivery-Date: soon"}, "Note Attributes"),
        ({"Note Attributes": "Delivery-Time: 12:00 - 10:00"}, "Note Attributes"),
        ({"Note Attributes": "Latitude: 1000\nLongitude: 9"}, "Note Attributes"),
        ({"Lineitem requires shipping": "false"}, "Lineitem name"),
    ],
)
def test_a_shopify_order_that_is_not_to_be_delivered_says_why(
    tmp_path: Path, change: dict[str, str], field: str
) -> None:
    found = refusal(read(tmp_path, [{**FIRST, **change}], SHOPIFY))
    assert (found.line, found.field) == (2, field)


def test_windows_of_twelve_hours_are_read(tmp_path: Path) -> None:
    wish = {"Note Attributes": "Delivery-Time: 10:00 AM - 2:30 PM"}
    order = one(read(tmp_path, [{**FIRST, **wish}], SHOPIFY))
    assert (order.window_start_local, order.window_end_local) == ("10:00", "14:30")


WOO = {
    "order_id": "501", "order_number": "501", "date": "2026-11-20 09:12:00",
    "status": "processing", "order_total": "42.00", "order_currency": "CHF",
    "payment_method": "cod", "payment_method_title": "Cash on delivery",
    "billing_first_name": "Urs", "billing_last_name": "Frick",
    "billing_email": "urs@example.li", "billing_phone": "+423 777 00 00",
    "shipping_first_name": "Rita", "shipping_last_name": "Frick",
    "shipping_address_1": "Landstrasse 5", "shipping_postcode": "9494",
    "shipping_city": "Schaan", "shipping_country": "LI", "customer_note": "Back door",
}  # fmt: skip


@pytest.mark.parametrize(
    "items",
    [
        {"line_item_1": "name:Brot|product_id:7|sku:B-1|quantity:2|total:12.00",
         "line_item_2": "name:Honig|product_id:8|sku:|quantity:1|total:30.00"},
        {"line_items": "name:Brot|product_id:7|sku:B-1|quantity:2;name:Honig|quantity:1"},
        {"line_items": '[{"name":"Brot","sku":"B-1","quantity":2},{"name":"Honig","quantity":1}]'},
    ],
)  # fmt: skip
def test_a_woocommerce_export_with_items_in_columns_is_read(
    tmp_path: Path, items: dict[str, str]
) -> None:
    row = {**WOO, **items}
    order = one(read(tmp_path, [row], list(row)))
    assert order.ref == "501"
    assert order.recipient.name == "Rita Frick"
    assert order.recipient.phone == "+423 777 00 00"
    assert order.address.text() == "Landstrasse 5, 9494 Schaan, LI"
    assert order.cash_due is not None
    assert order.cash_due.amount == Decimal("42.00")
    assert [(line.name, line.quantity) for line in order.lines] == [("Brot", 2), ("Honig", 1)]


def test_a_woocommerce_export_with_a_row_per_item_is_read(tmp_path: Path) -> None:
    first = {**WOO, "item_name": "Brot", "item_sku": "B-1", "item_quantity": "2"}
    second = {**first, "item_name": "Honig", "item_sku": "", "item_quantity": "1"}
    order = one(read(tmp_path, [first, second], list(first)))
    assert [(line.name, line.sku, line.quantity) for line in order.lines] == [
        ("Brot", "B-1", 2),
        ("Honig", "", 1),
    ]


def test_the_advanced_woocommerce_export_is_read_with_rows_that_leave_the_order_empty(
    tmp_path: Path,
) -> None:
    first = {
        "Order Number": "77", "Order Status": "Processing", "Order Date": "2026-11-20 10:00",
        "Customer Note": "", "First Name (Billing)": "Urs", "Last Name (Billing)": "Frick",
        "Address 1&2 (Billing)": "Landstrasse 5", "City (Billing)": "Schaan",
        "Postcode (Billing)": "9494", "Country Code (Billing)": "LI",
        "Phone (Billing)": "+4237770000", "First Name (Shipping)": "",
        "Address 1&2 (Shipping)": "", "City (Shipping)": "", "Payment Method Title": "Card",
        "Order Total Amount": "20", "SKU": "B-1", "Item #": "1", "Item Name": "Brot",
        "Quantity (- Refund)": "2", "Item Cost": "5",
    }  # fmt: skip
    second = {"SKU": "", "Item #": "2", "Item Name": "Honig", "Quantity (- Refund)": "1"}
    gone = {"SKU": "", "Item #": "3", "Item Name": "Senf", "Quantity (- Refund)": "0"}
    order = one(read(tmp_path, [first, second, gone], list(first)))
    assert order.ref == "77"
    assert order.address.text() == "Landstrasse 5, 9494 Schaan, LI"
    assert order.cash_due is None
    assert [(line.name, line.quantity) for line in order.lines] == [("Brot", 2), ("Honig", 1)]


@pytest.mark.parametrize("state", ["cancelled", "wc-refunded", "Failed", "completed"])
def test_a_woocommerce_order_that_is_over_is_left_out(tmp_path: Path, state: str) -> None:
    row = {**WOO, "status": state}
    assert refusal(read(tmp_path, [row], list(row))).field == "status"


def test_fulfilled_orders_are_taken_when_that_is_wanted(tmp_path: Path) -> None:
    row = {**WOO, "status": "completed"}
    assert one(read(tmp_path, [row], list(row), fulfilled=True)).ref == "501"
