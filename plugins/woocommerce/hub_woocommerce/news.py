"""What a shop is told of a delivery: its order's meta data, its status, and a note.

A change of meta data or status made twice is made once; notes are not, so that they are looked up
before one is added.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal

from hub import DeliveryStatus, Receipt, Rejected, Unauthorized
from hub_woocommerce.orders import DELIVERED_AT
from hub_woocommerce.shop import Shop
from hub_woocommerce.slots import meta_of, shift_of

Notes = Literal["none", "private", "customer"]
FINAL = frozenset({"completed", "cancelled", "refunded", "failed", "trash"})
"""Statuses that are never left again on the hub's account."""
UNDER_WAY = frozenset({"dispatched", "out_for_delivery", "delayed"})
ENDS = frozenset({"delivered", "partial", "failed", "cancelled"})
FOR_CUSTOMERS = frozenset({"dispatched", "out_for_delivery", "delivered"})
"""News that a customer may be sent; all else is for the people of the shop."""
SAID = {
    "attempted": "Tried in vain, and tried again",
    "partial": "Delivered in part",
    "failed": "Not delivered",
    "cancelled": "The delivery was called off",
}


@dataclass(frozen=True)
class Teller:
    """Tells one shop, as its connection says."""

    shop: Shop
    delivered_status: str
    """What a delivered order is set to; empty leaves its status alone."""
    notes: Notes

    def tell(self, news: DeliveryStatus) -> Receipt:
        """Pass the news on; what is there already is not made again."""
        path = f"/orders/{news.order}"
        if not news.order.isdecimal():
            raise Rejected(f"{news.order} is no order number of WooCommerce", "order")
        order = self.look(path, news)
        done = []
        change = self.change(order, news)
        if change:
            self.write(path, change)
            done.append(f"set to {change['status']}" if "status" in change else "meta data written")
        text = self.note(order, news)
        if text and self.add_note(path, text, note_mark(news), news):
            done.append("note added")
        return Receipt(ref=news.order, detail=", ".join(done) or "it was told already")

    def look(self, path: str, news: DeliveryStatus) -> dict[str, Any]:
        """Return the order as it is now; raise `Rejected` where the shop has no such one."""
        try:
            order = self.shop.get(path)
        except Rejected as error:
            if error.field != "id":
                raise
            said = f"order {news.number or news.order} is not in the shop any more: {error}"
            raise Rejected(said, "order") from error
        if str(order.get("id")) != news.order or not isinstance(order.get("status"), str):
            raise Rejected("the shop's answer is no order; check its address", "url")
        return order

    def change(self, order: dict[str, Any], news: DeliveryStatus) -> dict[str, Any]:
        """Return what of the order has to change, empty where nothing does."""
        known = meta_of(order)
        told = meta_told(news, known)
        meta = [{"key": k, "value": v} for k, v in told.items() if str(known.get(k, "")) != v]
        change: dict[str, Any] = {"meta_data": meta} if meta else {}
        status = order["status"]
        moves = news.status == "delivered" and self.delivered_status
        if moves and status not in FINAL and status != self.delivered_status:
            change["status"] = self.delivered_status
        return change

    def write(self, path: str, change: dict[str, Any]) -> None:
        """Change the order in one call."""
        try:
            self.shop.put(path, change)
        except Rejected as error:
            if error.field != "status":
                raise
            said = f"the shop has no status {self.delivered_status}: {error}"
            raise Rejected(said, "delivered_status") from error
        except Unauthorized as error:  # it could be read a moment ago, so the key itself works
            raise Rejected(f"the key may not write orders: {error}", "key") from error

    def note(self, order: dict[str, Any], news: DeliveryStatus) -> str:
        """Return the note that the news makes, empty for none.

        News that come after the end of what they tell of are not noted any more.
        """
        if self.notes == "none" or news.status == "delayed":
            return ""
        if news.status in UNDER_WAY and (not news.tracking_url or is_over(meta_of(order), news)):
            return ""
        return sentence(news, shift_of(order))

    def add_note(self, path: str, text: str, mark: str, news: DeliveryStatus) -> bool:
        """Add a note unless it is there; say whether it was added."""
        notes = self.shop.list(f"{path}/notes")
        if any(mark in str(one.get("note", "")) for one in notes if isinstance(one, dict)):
            return False
        seen = self.notes == "customer" and news.status in FOR_CUSTOMERS
        try:
            self.shop.post(f"{path}/notes", {"note": f"{text} {mark}", "customer_note": seen})
        except Unauthorized as error:
            raise Rejected(f"the key may not write notes: {error}", "key") from error
        return True


def meta_told(news: DeliveryStatus, known: dict[str, Any]) -> dict[str, str]:
    """Return the meta data that the news makes; late ones only fill in what is missing."""
    told = {"_hub_tracking_url": news.tracking_url, "_hub_pod_url": news.proof_url}
    late = is_over(known, news) or str(known.get("_hub_status_at", "")) > stamp(news.at)
    if late:
        told = {key: value for key, value in told.items() if not known.get(key)}
    else:
        told |= {"_hub_status": news.status, "_hub_status_at": stamp(news.at)}
        told["_hub_eta"] = stamp(news.eta) if news.eta and news.status in UNDER_WAY else ""
    if news.status == "delivered":
        told[DELIVERED_AT] = str(known.get(DELIVERED_AT) or stamp(news.at))
    return {key: value for key, value in told.items() if value or known.get(key)}


def is_over(known: dict[str, Any], news: DeliveryStatus) -> bool:
    """Say whether the shop already knows how the delivery ended, of which the news is a part."""
    if known.get(DELIVERED_AT) and news.status != "delivered":
        return True
    ended = str(known.get("_hub_status", "")) in ENDS
    return ended and str(known.get("_hub_status_at", "")) > stamp(news.at)


def stamp(at: datetime) -> str:
    """Return an instant in UTC to the second, which sorts as text."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def note_mark(news: DeliveryStatus) -> str:
    """Return what tells a note from all others; the tracking link is noted once per order."""
    key = f"{news.order} under way" if news.status in UNDER_WAY else news.key
    return f"[{hashlib.sha256(key.encode()).hexdigest()[:10]}]"


def sentence(news: DeliveryStatus, shift: timedelta) -> str:
    """Return the news in words, with the time on the shop's own clock."""
    at = local(news.at, shift)
    if news.status in UNDER_WAY:
        by = f" with {news.carrier}" if news.carrier else ""
        eta = f", expected {local(news.eta, shift)}" if news.eta else ""
        return f"On its way{by}{eta}: {news.tracking_url}"
    if news.status == "delivered":
        to = f" to {news.received_by}" if news.received_by else ""
        proof = f" Proof of delivery: {news.proof_url}" if news.proof_url else ""
        return f"Delivered{to} on {at}.{proof}"
    why = f": {news.reason}" if news.reason else ""
    short = [line for line in news.lines if line.handed_over < line.ordered]
    left = "; ".join(f"{one.handed_over} of {one.ordered} {one.name}" for one in short[:20])
    handed = f" Handed over: {left}." if left and news.status == "partial" else ""
    proof = f" Proof of delivery: {news.proof_url}" if news.proof_url else ""
    return f"{SAID[news.status]} on {at}{why}.{handed}{proof}"


def local(at: datetime, shift: timedelta) -> str:
    """Return an instant as people of the shop read it."""
    zone = timezone(shift) if abs(shift) < timedelta(hours=24) else UTC
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}" + ("" if shift else " UTC")
