"""The executable schema of the Shopify peer, and what its queries cost."""

from __future__ import annotations

from functools import cache
from typing import Any

from hub.testing.peers.shopify_graph import SCHEMA, Shop, denied, paged

MOST = 1000
"""Points that one query may be reckoned at, as at Shopify."""
WORKS = ("OPEN", "IN_PROGRESS")


def shop_of(info: Any) -> Shop:
    """Return the shop that is asked."""
    found: Shop = info.context
    return found


def private(name: str) -> Any:
    """Return the resolver of a field that only approved apps may see."""

    def resolve(order: dict[str, Any], info: Any) -> Any:
        if shop_of(info).withholds:
            raise denied(name, "protected customer data")
        return order.get(name)

    return resolve


def parts(order: dict[str, Any], info: Any, first: int | None = None) -> Any:
    """Return the fulfilment orders of an order."""
    shop_of(info).need("read_merchant_managed_fulfillment_orders", "fulfillmentOrders")
    return paged(order["_parts"], first)


def orders(_: Any, info: Any, first: int, query: str = "", **given: Any) -> Any:
    """Return a page of orders."""
    shop_of(info).need("read_orders", "orders")
    return shop_of(info).page(first, given.get("after"), query)


def actions(part: dict[str, Any], _: Any) -> list[dict[str, str]]:
    """Return what may be done with a fulfilment order."""
    known = {"ON_HOLD": ["RELEASE_HOLD"], "SCHEDULED": ["MARK_AS_OPEN"]}
    named = ["CREATE_FULFILLMENT", "HOLD"] if part["status"] in WORKS else []
    return [{"action": name} for name in named or known.get(part["status"], [])]


def turned(name: str) -> Any:
    """Return the resolver of a connection that may be asked for backwards."""

    def resolve(
        owner: dict[str, Any], _: Any, first: int | None = None, reverse: bool = False, **__: Any
    ) -> Any:
        nodes = owner[name]
        if name == "_events":
            nodes = sorted(nodes, key=lambda one: str(one["happenedAt"]))
        return paged(nodes[::-1] if reverse else nodes, first)

    return resolve


RESOLVERS: dict[str, dict[str, Any]] = {
    "Query": {
        "currentAppInstallation": lambda _, info: {
            "accessScopes": [{"handle": one} for one in sorted(shop_of(info).scopes)]
        },
        "orders": orders,
        "order": lambda _, info, id: shop_of(info).orders.get(id),
        "fulfillmentOrder": lambda _, info, id: shop_of(info).parts.get(id),
        "webhookSubscriptions": lambda _, info, first, after=None: paged(
            list(shop_of(info).hooks.values()), first
        ),
    },
    "Mutation": {
        "fulfillmentCreate": lambda _, info, fulfillment: shop_of(info).fulfil(fulfillment),
        "fulfillmentEventCreate": lambda _, info, fulfillmentEvent: shop_of(info).add_event(
            fulfillmentEvent
        ),
        "metafieldsSet": lambda _, info, metafields: shop_of(info).set_metafields(metafields),
        "tagsAdd": lambda _, info, id, tags: shop_of(info).add_tags(id, tags),
        "webhookSubscriptionCreate": lambda _, info, topic, webhookSubscription: shop_of(
            info
        ).make_hook(topic, webhookSubscription),
        "webhookSubscriptionUpdate": lambda _, info, id, webhookSubscription: shop_of(
            info
        ).mend_hook(id, webhookSubscription),
        "webhookSubscriptionDelete": lambda _, info, id: shop_of(info).drop_hook(id),
    },
    "Order": {
        "shippingAddress": private("shippingAddress"),
        "email": private("email"),
        "phone": private("phone"),
        "fulfillmentOrders": parts,
        "metafields": lambda order, info, first=None, namespace=None: paged(
            [one for one in order["_metafields"].values() if one["namespace"] == namespace], first
        ),
    },
    "FulfillmentOrder": {
        "order": lambda part, info: part["_order"],
        "supportedActions": actions,
        "lineItems": turned("_lines"),
        "fulfillments": turned("_fulfillments"),
    },
    "Fulfillment": {
        "events": turned("_events"),
        "trackingInfo": lambda one, info, first=None: one["trackingInfo"],
    },
}


@cache
def schema() -> Any:
    """Return the schema with its resolvers; graphql-core is needed for tests only."""
    from graphql import build_schema

    made = build_schema(SCHEMA)
    for kind, fields in RESOLVERS.items():
        for name, resolve in fields.items():
            made.type_map[kind].fields[name].resolve = resolve  # type: ignore[attr-defined]
    made.type_map["Node"].resolve_type = lambda *_: "Order"  # type: ignore[attr-defined]
    return made


@cache
def parsed(text: str) -> tuple[Any, tuple[str, ...]]:
    """Return a document, and what is wrong with it."""
    from graphql import GraphQLError, parse, validate

    try:
        document = parse(text)
    except GraphQLError as error:
        return None, (str(error),)
    return document, tuple(error.message for error in validate(schema(), document))


def run(shop: Shop, document: Any, variables: dict[str, Any]) -> dict[str, Any]:
    """Execute a document; return `data` and, where there are any, `errors`."""
    from graphql import execute_sync

    done = execute_sync(schema(), document, variable_values=variables, context_value=shop)
    return dict(done.formatted)


def cost(document: Any, variables: dict[str, Any]) -> int:
    """Return the points that a document is reckoned at.

    Shopify does not publish how large it takes a page to be. Here it is a quarter of what would be
    so many objects, and a list within a list counts once; a change counts 10.
    """
    pieces = {
        one.name.value: one for one in document.definitions if one.kind == "fragment_definition"
    }

    def objects(node: Any, inside: bool) -> float:
        total = 0.0
        for one in node.selection_set.selections if node.selection_set else ():
            if one.kind == "fragment_spread":
                total += objects(pieces[one.name.value], inside)
                continue
            first = next((a.value for a in one.arguments or () if a.name.value == "first"), None)
            if first is not None and not inside:
                total += 2 + size(first, variables) * objects(one, True) / 4
            elif one.selection_set:
                total += 1 + objects(one, inside)
        return total

    root = document.definitions[0]
    changes = root.operation.value == "mutation"
    return 10 if changes else max(1, round(objects(root, False)))


def size(value: Any, variables: dict[str, Any]) -> int:
    """Return the number in an argument `first`."""
    name = getattr(value, "name", None)
    return int(variables[name.value]) if name is not None else int(value.value)
