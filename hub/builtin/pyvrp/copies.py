"""PyVRP's stops with changes: unlike its vehicles they have no `replace()`."""

from __future__ import annotations

from typing import Any

from pyvrp import Client, Shipment

SAME = (
    "delivery", "pickup", "service_duration", "tw_early", "tw_late", "release_time", "prize",
    "required", "group",
)  # fmt: skip


def client(one: Client, location: int, **changes: Any) -> Client:
    """Return a client like another, at a location."""
    told = {name: getattr(one, name) for name in SAME}
    return Client(location, **{**told, **changes})


def shipment(one: Shipment, pickup: int, delivery: int, **changes: Any) -> Shipment:
    """Return a shipment like another, between two locations."""
    told: dict[str, Any] = {
        "amount": one.amount, "prize": one.prize, "required": one.required,
        "pickup_location": pickup, "delivery_location": delivery,
    }  # fmt: skip
    for end, step in (("pickup", one.pickup), ("delivery", one.delivery)):
        for name in ("tw_early", "tw_late", "service_duration"):
            told[f"{end}_{name}"] = getattr(step, name)
    return Shipment(**{**told, **changes})
