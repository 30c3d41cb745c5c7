"""Orders of the WooCommerce peer, in the shape of the recorded ones, and questions about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hub.testing.peers.woocommerce_access import Refusal

if TYPE_CHECKING:
    from hub.testing.peers.woocommerce import WooCommercePeer

STATUSES = (
    "auto-draft", "pending", "processing", "on-hold", "completed", "cancelled", "refunded",
    "failed", "checkout-draft",
)  # fmt: skip
PLACE = ("first_name", "last_name", "company", "address_1", "address_2", "city", "state",
         "postcode", "country")  # fmt: skip
HIDDEN = frozenset({"trash", "auto-draft"})
"""Statuses that `any` leaves out."""
ORDERINGS = ("date", "id", "include", "title", "slug", "modified")
PAID = frozenset({"processing", "completed"})


@dataclass(frozen=True)
class Query:
    """What a list of orders is asked for."""

    statuses: tuple[str, ...] = ("any",)
    per_page: int = 10
    start: int = 0
    orderby: str = "date"
    order: str = "desc"
    after: str = ""
    gmt: bool = False

    @classmethod
    def of(cls, told: dict[str, str], known: list[str]) -> Query:
        """Return the question; raise `Refusal` for what the recorded shop refuses."""
        statuses = tuple(told.get("status", "any").split(","))
        allowed = ["any", "trash", *known]
        if not set(statuses) <= set(allowed):
            raise invalid("status", f"status[0] is not one of {listed(allowed)}.", "not_in_enum")
        per_page = number(told, "per_page", 10)
        page = number(told, "page", 1, most=10**9)
        orderby, order = told.get("orderby", "date"), told.get("order", "desc")
        if orderby not in ORDERINGS:
            raise invalid("orderby", f"orderby is not one of {listed(ORDERINGS)}.", "not_in_enum")
        if order not in ("asc", "desc"):
            raise invalid("order", "order is not one of asc and desc.", "not_in_enum")
        start = int(told["offset"]) if "offset" in told else (page - 1) * per_page
        gmt = told.get("dates_are_gmt", "false") == "true"
        return cls(
            statuses, per_page, start, orderby, order, moment(told.get("modified_after", "")), gmt
        )

    def among(self, orders: list[dict[str, Any]], offset: timedelta) -> list[dict[str, Any]]:
        """Return the orders that fit, in the order asked for; the second asked for is left out."""
        hidden = HIDDEN if "any" in self.statuses else frozenset()
        named = set(self.statuses)
        after = self.after
        if after and not self.gmt:
            after = (datetime.fromisoformat(after) - offset).isoformat()
        found = [
            one
            for one in orders
            if (one["status"] in named or ("any" in named and one["status"] not in hidden))
            and (not after or one["date_modified_gmt"] > after)
        ]
        name = {"modified": "date_modified_gmt", "id": "id"}.get(self.orderby, "date_created_gmt")
        found.sort(key=lambda one: (one[name], one["id"]), reverse=self.order == "desc")
        return found


def moment(text: str) -> str:
    """Return a date as WooCommerce compares it: to the second, without a zone."""
    if not text:
        return ""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None, microsecond=0).isoformat()
    except ValueError:
        raise invalid("modified_after", "Invalid date.", "invalid_date") from None


def number(told: dict[str, str], name: str, usual: int, most: int = 100) -> int:
    """Return a number from 1 to `most`; raise `Refusal` in the recorded words."""
    try:
        found = int(told.get(name, usual))
    except ValueError:
        raise invalid(name, f"{name} is not of type integer.", "invalid_type") from None
    if not 1 <= found <= most:
        said = f"{name} must be between 1 (inclusive) and {most} (inclusive)"
        raise invalid(name, said, "out_of_bounds")
    return found


def invalid(name: str, said: str, code: str = "invalid_type") -> Refusal:
    """Return the refusal of one parameter."""
    details = {name: {"code": f"rest_{code}", "message": said, "data": None}}
    message = f"Invalid parameter(s): {name}"
    return Refusal(400, "rest_invalid_param", message, params={name: said}, details=details)


def missing(name: str) -> Refusal:
    """Return the refusal of a request without a parameter that it needs."""
    said = f"Missing parameter(s): {name}"
    return Refusal(400, "rest_missing_callback_param", said, params=[name])


def listed(names: Any) -> str:
    """Return names as WordPress lists them."""
    *some, last = names
    return f"{', '.join(some)}, and {last}"


def check(told: dict[str, Any], known: list[str]) -> None:
    """Raise `Refusal` for values that no order takes."""
    if "status" in told and told["status"] not in known:
        raise invalid("status", f"status is not one of {listed(known)}.", "not_in_enum")
    meta = told.get("meta_data", [])
    if not isinstance(meta, list) or not all(isinstance(one, dict) for one in meta):
        raise invalid("meta_data", "meta_data[0] is not of type object.")


def blank(id: int, peer: WooCommercePeer) -> dict[str, Any]:
    """Return an order of which nothing has been said yet."""
    api = f"{peer.home}/wp-json/wc/v3/orders"
    zero = dict.fromkeys(
        ("discount_total", "discount_tax", "shipping_total", "shipping_tax", "cart_tax", "total",
         "total_tax"), "0.00",
    )  # fmt: skip
    texts = dict.fromkeys(
        ("payment_method", "payment_method_title", "transaction_id", "customer_ip_address",
         "customer_user_agent", "customer_note", "cart_hash"), "",
    )  # fmt: skip
    lists: dict[str, Any] = {
        name: [] for name in ("meta_data", "line_items", "tax_lines", "shipping_lines", "fee_lines",
                              "coupon_lines", "refunds")
    }  # fmt: skip
    dates = {f"date_{name}{gmt}": None for name in ("completed", "paid") for gmt in ("", "_gmt")}
    links = {"self": [{"href": f"{api}/{id}"}], "collection": [{"href": api}]}
    made: dict[str, Any] = {
        "id": id, "parent_id": 0, "status": "pending", "currency": "AUD", "version": "10.9.1",
        "prices_include_tax": False, "customer_id": 0, "order_key": f"wc_order_{id}", **zero,
        **texts, **lists, **dates, "created_via": "rest-api", "number": str(id),
        "billing": {**dict.fromkeys(PLACE, ""), "email": "", "phone": ""},
        "shipping": {**dict.fromkeys(PLACE, ""), "phone": ""},
        "payment_url": f"{peer.home}/checkout/order-pay/{id}/", "is_editable": True,
        "needs_payment": False, "needs_processing": True, "currency_symbol": "$", "_links": links,
    }  # fmt: skip
    stamp(made, "created", peer.now(), peer.gmt_offset)
    return made


def stamp(order: dict[str, Any], name: str, at: datetime, offset: timedelta) -> None:
    """Write a date twice, in UTC and on the shop's clock, to the second."""
    utc = at.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    order[f"date_{name}_gmt"] = utc.isoformat()
    order[f"date_{name}"] = (utc + offset).isoformat()


def write(order: dict[str, Any], told: dict[str, Any], peer: WooCommercePeer) -> None:
    """Write values to an order; meta data replace those of the same key."""
    plain = {name: value for name, value in told.items() if name in order}
    for name in ("billing", "shipping"):
        order[name] |= plain.pop(name, {})
    for one in plain.pop("meta_data", []):
        write_meta(order["meta_data"], one, peer)
    if "line_items" in plain:
        order["line_items"] = [line(one, peer) for one in plain.pop("line_items")]
        total = sum((Decimal(one["total"]) for one in order["line_items"]), Decimal(0))
        order["total"] = f"{total:.2f}"
    order |= plain
    at = peer.now()
    by_now = order["payment_method"] != "cod" or order["status"] == "completed"
    if order["status"] in PAID and order["date_paid"] is None and by_now:
        stamp(order, "paid", at, peer.gmt_offset)
    if order["status"] == "completed" and order["date_completed"] is None:
        stamp(order, "completed", at, peer.gmt_offset)
    stamp(order, "modified", at, peer.gmt_offset)


def write_meta(known: list[dict[str, Any]], told: dict[str, Any], peer: WooCommercePeer) -> None:
    """Set one meta value: there is one row of a key."""
    for one in known:
        if one["key"] == told["key"]:
            one["value"] = told["value"]
            return
    known.append({"id": peer.new_id(), "key": told["key"], "value": told["value"]})


def line(told: dict[str, Any], peer: WooCommercePeer) -> dict[str, Any]:
    """Return an article as it is listed; `price` is a number, of one piece without tax."""
    quantity = int(told.get("quantity", 1))
    total = f"{Decimal(str(told.get('total', '0'))):.2f}"
    return {
        "id": peer.new_id(), "name": told.get("name", ""), "product_id": 10, "variation_id": 0,
        "quantity": quantity, "tax_class": "", "subtotal": total, "subtotal_tax": "0.00",
        "total": total, "total_tax": "0.00", "taxes": [], "meta_data": [],
        "sku": told.get("sku", ""), "global_unique_id": "", "price": float(total) / quantity,
        "image": {"id": "", "src": ""}, "parent_name": None,
    }  # fmt: skip


def note(id: int, order: int, text: str, seen: bool, at: datetime, home: str) -> dict[str, Any]:
    """Return a note as it is listed."""
    stamped: dict[str, Any] = {"id": id, "author": "WooCommerce"}
    stamp(stamped, "created", at, timedelta(0))
    up = f"{home}/wp-json/wc/v3/orders/{order}"
    links = {"self": [{"href": f"{up}/notes/{id}"}], "up": [{"href": up}]}
    return {**stamped, "note": text, "customer_note": seen, "_links": links}


def refund(id: int, line: int, quantity: int, amount: str, at: datetime) -> dict[str, Any]:
    """Return a refund as it is listed: with pieces below zero, and which line they were of."""
    made: dict[str, Any] = {"id": id, "amount": amount, "reason": "", "refunded_by": 1,
                            "refunded_payment": False, "meta_data": []}  # fmt: skip
    stamp(made, "created", at, timedelta(0))
    meta = [{"id": id + 1_000_000, "key": "_refunded_item_id", "value": str(line)}]
    back = {"id": id + 2_000_000, "name": "", "quantity": -quantity, "total": f"-{amount}",
            "meta_data": meta}  # fmt: skip
    return {**made, "line_items": [back]}


def trimmed(order: dict[str, Any], told: dict[str, str]) -> dict[str, Any]:
    """Return an order with the fields that were asked for."""
    names = [name for name in told.get("_fields", "").split(",") if name]
    return {name: order[name] for name in names if name in order} if names else order
