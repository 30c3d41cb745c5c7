"""What a Shopify shop holds and how its Admin API changes it: a small schema with resolvers."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

SCHEMA = """
scalar DateTime
scalar URL
scalar Decimal
type Query {
  currentAppInstallation: Installation!
  orders(first: Int, after: String, query: String, sortKey: OrderSortKeys): OrderConnection!
  order(id: ID!): Order
  fulfillmentOrder(id: ID!): FulfillmentOrder
  webhookSubscriptions(first: Int, after: String): HookConnection!
}
type Mutation {
  fulfillmentCreate(fulfillment: FulfillmentInput!): FulfillmentCreated
  fulfillmentEventCreate(fulfillmentEvent: FulfillmentEventInput!): EventCreated
  metafieldsSet(metafields: [MetafieldsSetInput!]!): MetafieldsSet
  tagsAdd(id: ID!, tags: [String!]!): TagsAdded
  webhookSubscriptionCreate(
    topic: WebhookSubscriptionTopic!, webhookSubscription: WebhookSubscriptionInput!
  ): HookMade
  webhookSubscriptionUpdate(id: ID!, webhookSubscription: WebhookSubscriptionInput!): HookMade
  webhookSubscriptionDelete(id: ID!): HookGone
}
enum OrderSortKeys { UPDATED_AT ID }
enum FulfillmentEventSortKeys { HAPPENED_AT ID }
enum EventStatus {
  ATTEMPTED_DELIVERY CONFIRMED DELAYED DELIVERED FAILURE IN_TRANSIT OUT_FOR_DELIVERY
}
scalar WebhookSubscriptionTopic
enum WebhookSubscriptionFormat { JSON XML }
interface Node { id: ID! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type Installation { accessScopes: [Scope!]! }
type Scope { handle: String! }
type Money { amount: Decimal! currencyCode: String! }
type MoneyBag { shopMoney: Money! }
type Address {
  name: String company: String address1: String address2: String zip: String city: String
  province: String countryCodeV2: String phone: String latitude: Float longitude: Float
}
type OrderConnection { nodes: [Order!]! pageInfo: PageInfo! }
type Order implements Node {
  id: ID! name: String! note: String email: String phone: String updatedAt: DateTime!
  cancelledAt: DateTime paymentGatewayNames: [String!]! tags: [String!]!
  currentTotalPriceSet: MoneyBag! totalOutstandingSet: MoneyBag! shippingAddress: Address
  fulfillmentOrders(first: Int): PartConnection!
  metafields(first: Int, namespace: String): MetafieldConnection!
}
type PartConnection { nodes: [FulfillmentOrder!]! pageInfo: PageInfo! }
type FulfillmentOrder implements Node {
  id: ID! status: String! order: Order! deliveryMethod: DeliveryMethod
  supportedActions: [Action!]!
  lineItems(first: Int): LineConnection!
  fulfillments(first: Int, reverse: Boolean): FulfillmentConnection!
}
type Action { action: String! }
type DeliveryMethod {
  methodType: String! minDeliveryDateTime: DateTime maxDeliveryDateTime: DateTime
  additionalInformation: MethodInformation
}
type MethodInformation { instructions: String phone: String }
type LineConnection { nodes: [Line!]! pageInfo: PageInfo! }
type Line implements Node {
  id: ID! sku: String productTitle: String! variantTitle: String remainingQuantity: Int!
  requiresShipping: Boolean! financialSummaries: [Summary!]!
}
type Summary { approximateDiscountedUnitPriceSet: MoneyBag! quantity: Int! }
type FulfillmentConnection { nodes: [Fulfillment!]! pageInfo: PageInfo! }
type Fulfillment implements Node {
  id: ID! status: String! trackingInfo(first: Int): [Tracking!]!
  events(first: Int, reverse: Boolean, sortKey: FulfillmentEventSortKeys): EventConnection!
}
type Tracking { company: String number: String url: URL }
type EventConnection { nodes: [Event!]! pageInfo: PageInfo! }
type Event implements Node {
  id: ID! status: EventStatus! happenedAt: DateTime! message: String latitude: Float
  longitude: Float estimatedDeliveryAt: DateTime
}
type MetafieldConnection { nodes: [Metafield!]! }
type Metafield { namespace: String! key: String! value: String! type: String! }
type HookConnection { nodes: [Hook!]! pageInfo: PageInfo! }
type Hook {
  id: ID! topic: WebhookSubscriptionTopic! uri: String! format: WebhookSubscriptionFormat!
  includeFields: [String!]!
}
type UserError { field: [String!] message: String! }
type FulfillmentCreated { fulfillment: Fulfillment userErrors: [UserError!]! }
type EventCreated { fulfillmentEvent: Event userErrors: [UserError!]! }
type MetafieldsSet { metafields: [Metafield!] userErrors: [UserError!]! }
type TagsAdded { node: Node userErrors: [UserError!]! }
type HookMade { webhookSubscription: Hook userErrors: [UserError!]! }
type HookGone { deletedWebhookSubscriptionId: ID userErrors: [UserError!]! }
input FulfillmentInput {
  lineItemsByFulfillmentOrder: [PartInput!]! trackingInfo: TrackingInput
  notifyCustomer: Boolean = false
}
input PartInput { fulfillmentOrderId: ID! fulfillmentOrderLineItems: [LineInput!] }
input LineInput { id: ID! quantity: Int! }
input TrackingInput { company: String number: String url: URL }
input FulfillmentEventInput {
  fulfillmentId: ID! status: EventStatus! happenedAt: DateTime message: String latitude: Float
  longitude: Float estimatedDeliveryAt: DateTime
}
input MetafieldsSetInput {
  ownerId: ID! namespace: String key: String! type: String value: String!
}
input WebhookSubscriptionInput {
  uri: String format: WebhookSubscriptionFormat includeFields: [String!]
}
"""
SINCE = re.compile(r"updated_at:(>=?)'([^']+)'")
STATUSES = re.compile(r"fulfillment_status:(\w+)")
DENIED = "Access denied for {name} field. Required access: `{scope}` access scope."


def now() -> str:
    """Return this second as Shopify writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def denied(name: str, scope: str) -> Exception:
    """Return the error of a field for which the app lacks a scope."""
    from graphql import GraphQLError

    text = DENIED.format(name=name, scope=scope)
    return GraphQLError(text, extensions={"code": "ACCESS_DENIED", "requiredAccess": scope})


def paged(nodes: list[Any], first: int | None) -> dict[str, Any]:
    """Return the head of a list as a connection; these are never read on."""
    most = 50 if first is None else first
    return {"nodes": nodes[:most], "pageInfo": {"hasNextPage": len(nodes) > most}}


def wrong(name: str, message: str, *field: str) -> dict[str, Any]:
    """Return a payload that says what is wrong with a change."""
    return {name: None, "userErrors": [{"field": list(field) or None, "message": message}]}


@dataclass
class Shop:
    """The state of one shop; every dict has the fields of its GraphQL type, `_` marks our own."""

    scopes: set[str] = field(default_factory=set)
    withholds: bool = False
    """Whether the app is not approved for protected customer data."""
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)
    fulfillments: dict[str, dict[str, Any]] = field(default_factory=dict)
    hooks: dict[str, dict[str, Any]] = field(default_factory=dict)
    notified: int = 0
    """How often the shop was asked to write to its customer."""
    before: dict[str, Callable[[], None]] = field(default_factory=dict)
    """Mutation -> what somebody else does just before it, once."""
    number: int = 0

    def id(self, kind: str) -> str:
        """Return a new id."""
        self.number += 1
        return f"gid://shopify/{kind}/{self.number}"

    def touch(self, order: dict[str, Any], at: str = "") -> None:
        """Note that an order changed."""
        order["updatedAt"] = at or now()

    def need(self, scope: str, name: str) -> None:
        """Raise what Shopify answers to an app without a scope."""
        if scope not in self.scopes:
            raise denied(name, scope)

    def interrupted(self, name: str) -> None:
        """Let somebody else go first, where a test wants it."""
        act = self.before.pop(name, None)
        if act is not None:
            act()

    def settle(self, part: dict[str, Any]) -> None:
        """Set the states that follow from what is left of a fulfilment order."""
        left = sum(line["remainingQuantity"] for line in part["_lines"])
        part["status"] = "IN_PROGRESS" if left else "CLOSED"
        order = part["_order"]
        open_ = any(one["status"] in ("OPEN", "IN_PROGRESS") for one in order["_parts"])
        order["_status"] = "partial" if open_ else "fulfilled"
        self.touch(order)

    def find(self, query: str) -> list[dict[str, Any]]:
        """Return the orders that a search finds, by their last change."""
        since, statuses = SINCE.search(query), set(STATUSES.findall(query))
        found = []
        for order in self.orders.values():
            if statuses and order["_status"] not in statuses:
                continue
            at = order["updatedAt"]
            if since and not (at > since[2] or (since[1] == ">=" and at == since[2])):
                continue
            found.append(order)
        return sorted(found, key=lambda one: (one["updatedAt"], one["_number"]))

    def page(self, first: int, after: str | None, query: str) -> dict[str, Any]:
        """Return one page of orders; the cursor names the last one by its place in the order."""
        found, start = self.find(query), 0
        if after:
            at, number = json.loads(base64.b64decode(after))
            keys = [(one["updatedAt"], one["_number"]) for one in found]
            start = sum(key <= (at, number) for key in keys)
        nodes = found[start : start + first]
        last = nodes[-1] if nodes else None
        text = json.dumps([last["updatedAt"], last["_number"]]) if last else ""
        return {
            "nodes": nodes,
            "pageInfo": {
                "hasNextPage": start + first < len(found),
                "endCursor": base64.b64encode(text.encode()).decode() if last else None,
            },
        }

    def fulfil(self, given: dict[str, Any]) -> dict[str, Any]:
        """Fulfil what is asked for, or say why not."""
        self.interrupted("fulfillmentCreate")
        self.need("write_merchant_managed_fulfillment_orders", "fulfillmentCreate")
        taken: list[tuple[dict[str, Any], int]] = []
        part: dict[str, Any] = {}
        for own in given["lineItemsByFulfillmentOrder"]:
            part = self.parts.get(own["fulfillmentOrderId"], {})
            if not part:
                return wrong("fulfillment", "Fulfillment order does not exist.", "fulfillment")
            if part["status"] not in ("OPEN", "IN_PROGRESS"):
                said = f"Fulfillment order {part['id'].rpartition('/')[2]} has an unfulfillable"
                return wrong("fulfillment", f"{said} status= {part['status'].lower()}.")
            lines: dict[str, dict[str, Any]] = {line["id"]: line for line in part["_lines"]}
            given_lines = own.get("fulfillmentOrderLineItems")
            asked = {id: line["remainingQuantity"] for id, line in lines.items()}
            if given_lines:
                asked = {one["id"]: one["quantity"] for one in given_lines}
            for id, quantity in asked.items():
                if id not in lines or not 0 <= quantity <= lines[id]["remainingQuantity"]:
                    return wrong("fulfillment", "Invalid fulfillment order line item quantity.")
                taken.append((lines[id], quantity))
        for one, pieces in taken:
            one["remainingQuantity"] -= pieces
        self.notified += bool(given.get("notifyCustomer"))
        return {"fulfillment": self.made(part, given.get("trackingInfo"), taken), "userErrors": []}

    def made(
        self, part: dict[str, Any], tracking: Any, taken: list[tuple[dict[str, Any], int]]
    ) -> dict[str, Any]:
        """Add a fulfilment to a fulfilment order."""
        new: dict[str, Any] = {
            "id": self.id("Fulfillment"),
            "status": "SUCCESS",
            "trackingInfo": [dict(tracking)] if tracking else [],
            "_events": [],
            "_part": part,
            "_taken": {line["id"]: quantity for line, quantity in taken},
        }
        self.fulfillments[new["id"]] = new
        part["_fulfillments"].append(new)
        self.settle(part)
        return new

    def add_event(self, given: dict[str, Any]) -> dict[str, Any]:
        """Add an event to a fulfilment; Shopify takes the same one twice."""
        self.interrupted("fulfillmentEventCreate")
        self.need("write_fulfillments", "fulfillmentEventCreate")
        found = self.fulfillments.get(given["fulfillmentId"])
        if found is None:
            return wrong("fulfillmentEvent", "Fulfillment does not exist.", "fulfillmentId")
        new = {"happenedAt": now(), **given, "id": self.id("FulfillmentEvent")}
        found["_events"].append(new)
        self.touch(found["_part"]["_order"])
        return {"fulfillmentEvent": new, "userErrors": []}

    def set_metafields(self, given: list[dict[str, Any]]) -> dict[str, Any]:
        """Set metafields of orders; the same key is written over."""
        self.need("write_orders", "metafieldsSet")
        for one in given:
            order = self.orders.get(one["ownerId"])
            if order is None:
                return wrong("metafields", "Owner does not exist.", "metafields", "0", "ownerId")
            if one["type"] == "url" and not one["value"].startswith(("https://", "http://")):
                return wrong("metafields", "Value must be a URL.", "metafields", "0", "value")
            order["_metafields"][one["key"]] = {"namespace": "", **one}
            self.touch(order)
        return {"metafields": given, "userErrors": []}

    def add_tags(self, id: str, tags: list[str]) -> dict[str, Any]:
        """Add tags to an order; one that it has is left as it is."""
        self.need("write_orders", "tagsAdd")
        order = self.orders.get(id)
        if order is None:
            return wrong("node", "Order does not exist.", "id")
        order["tags"] = list(dict.fromkeys([*order["tags"], *tags]))
        self.touch(order)
        return {"node": order, "userErrors": []}

    def make_hook(self, topic: str, given: dict[str, Any]) -> dict[str, Any]:
        """Subscribe to a topic; the same address is taken once."""
        uri = given.get("uri") or ""
        if not uri.startswith("https://"):
            said = "Address protocol http:// is not supported"
            return wrong("webhookSubscription", said, "webhookSubscription", "uri")
        if any(one["topic"] == topic and one["uri"] == uri for one in self.hooks.values()):
            said = "Address for this topic has already been taken"
            return wrong("webhookSubscription", said, "webhookSubscription", "uri")
        new = {"format": "JSON", "includeFields": [], **given, "topic": topic}
        new["id"] = self.id("WebhookSubscription")
        self.hooks[new["id"]] = new
        return {"webhookSubscription": new, "userErrors": []}

    def mend_hook(self, id: str, given: dict[str, Any]) -> dict[str, Any]:
        """Change a subscription."""
        found = self.hooks.get(id)
        if found is None:
            return wrong("webhookSubscription", "Webhook subscription does not exist", "id")
        found.update(given)
        return {"webhookSubscription": found, "userErrors": []}

    def drop_hook(self, id: str) -> dict[str, Any]:
        """End a subscription."""
        if self.hooks.pop(id, None) is None:
            said = "Webhook subscription does not exist"
            return wrong("deletedWebhookSubscriptionId", said, "id")
        return {"deletedWebhookSubscriptionId": id, "userErrors": []}
