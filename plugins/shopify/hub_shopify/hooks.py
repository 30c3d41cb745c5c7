"""The webhooks of a shop: each of them once, at the hub's address, and mended where it is not."""

from __future__ import annotations

from typing import Any

from hub import Hook, Rejected, Subscribed
from hub_shopify.admin import Admin, UserError
from hub_shopify.documents import DROP_HOOK, HOOKS, MAKE_HOOK, MEND_HOOK

ORDER_TOPICS = ("ORDERS_CREATE", "ORDERS_UPDATED", "ORDERS_CANCELLED")
TOPICS = (
    *ORDER_TOPICS, "ORDERS_EDITED", "APP_UNINSTALLED",
    "FULFILLMENT_ORDERS_ORDER_ROUTING_COMPLETE", "FULFILLMENT_ORDERS_MOVED",
    "FULFILLMENT_ORDERS_SPLIT", "FULFILLMENT_ORDERS_MERGED", "FULFILLMENT_ORDERS_CANCELLED",
    "FULFILLMENT_ORDERS_PLACED_ON_HOLD", "FULFILLMENT_ORDERS_HOLD_RELEASED",
    "FULFILLMENT_ORDERS_RESCHEDULED",
)  # fmt: skip
"""The three topics about privacy are not among them: Shopify takes those from the app's own
configuration only."""
THIN = ["id", "admin_graphql_api_id", "updated_at"]
"""What comes of an order: enough to fetch it, and nobody's name."""
UNPROVEN = (
    "No webhooks: give the client secret of the app under Settings, which proves them. "
    "Orders are read every 15 minutes meanwhile"
)


def wanted(topic: str, url: str) -> dict[str, Any]:
    """Return the subscription of a topic as it has to be."""
    thin = {"includeFields": THIN} if topic in ORDER_TOPICS else {}
    return {"uri": url, "format": "JSON", **thin}


def own(admin: Admin, url: str) -> list[dict[str, Any]]:
    """Return this app's subscriptions at the hub's address for this connection, old ones too."""
    place, found, after = url.rsplit("/", 1)[0] + "/", [], None
    while True:
        page = admin.ask(HOOKS, {"after": after}).data["webhookSubscriptions"]
        found += [one for one in page["nodes"] if str(one["uri"]).startswith(place)]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


def subscribe(admin: Admin, hook: Hook) -> Subscribed:
    """Make what is missing, mend what points elsewhere, and drop what is there twice.

    A topic that Shopify refuses, for want of a scope, is named and keeps the others from nothing.
    """
    there: dict[str, list[dict[str, Any]]] = {}
    for one in own(admin, hook.url):
        there.setdefault(one["topic"], []).append(one)
    done = {"made": 0, "mended": 0, "dropped": 0}
    refusals: list[str] = []
    for topic in TOPICS:
        found = sorted(there.pop(topic, []), key=lambda one: one["uri"] != hook.url)
        try:
            settle(admin, topic, hook.url, found, done)
        except UserError as error:
            refusals.append(f"{topic}: {error}")
    for extra in (one for left in there.values() for one in left):
        drop(admin, extra["id"], done)
    if len(refusals) == len(TOPICS):
        raise Rejected(f"Shopify takes no webhook: {refusals[0]}", field="url")
    return Subscribed(detail=told(len(TOPICS) - len(refusals), done, refusals))


def settle(
    admin: Admin, topic: str, url: str, found: list[dict[str, Any]], done: dict[str, int]
) -> None:
    """Leave exactly one good subscription of a topic."""
    good = wanted(topic, url)
    if not found:
        variables = {"topic": topic, "hook": good}
        try:
            admin.change(MAKE_HOOK, variables, "webhookSubscriptionCreate")
        except UserError as error:
            if "taken" not in str(error):  # somebody made the same at the same time
                raise
        done["made"] += 1
        return
    if any(found[0].get(name) != value for name, value in good.items()):
        variables = {"id": found[0]["id"], "hook": good}
        admin.change(MEND_HOOK, variables, "webhookSubscriptionUpdate")
        done["mended"] += 1
    for extra in found[1:]:
        drop(admin, extra["id"], done)


def drop(admin: Admin, id: str, done: dict[str, int]) -> None:
    """Take one back; that it is gone already is no error."""
    try:
        admin.change(DROP_HOOK, {"id": id}, "webhookSubscriptionDelete")
    except UserError:
        return
    done["dropped"] += 1


def unsubscribe(admin: Admin, hook: Hook) -> None:
    """Take back every subscription at the hub's address for this connection."""
    done = {"dropped": 0}
    for one in own(admin, hook.url):
        drop(admin, one["id"], done)


def told(count: int, done: dict[str, int], refusals: list[str]) -> str:
    """Return in words what became of the webhooks."""
    changes = [f"{number} {verb}" for verb, number in done.items() if number]
    said = f"{count} webhooks in place" + (f" ({', '.join(changes)})" if changes else "")
    return f"{said}; refused: {'; '.join(refusals)}"[:900] if refusals else said
