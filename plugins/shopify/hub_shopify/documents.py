"""Every GraphQL document that is sent to Shopify; tests hold each against its published schemas."""

from __future__ import annotations

SCOPES = "query Scopes { currentAppInstallation { accessScopes { handle } } }"

ORDER_FIELDS = """
fragment OrderFields on Order {
  id name note email phone updatedAt cancelledAt paymentGatewayNames
  currentTotalPriceSet { shopMoney { amount currencyCode } }
  totalOutstandingSet { shopMoney { amount currencyCode } }
  shippingAddress {
    name company address1 address2 zip city province countryCodeV2 phone latitude longitude
  }
  fulfillmentOrders(first: $parts) {
    pageInfo { hasNextPage }
    nodes {
      id status
      deliveryMethod {
        methodType minDeliveryDateTime maxDeliveryDateTime
        additionalInformation { instructions phone }
      }
      fulfillments(first: 2, reverse: true) { nodes { status trackingInfo(first: 1) { number } } }
      lineItems(first: $lines) {
        pageInfo { hasNextPage }
        nodes {
          id sku productTitle variantTitle remainingQuantity requiresShipping
          financialSummaries { approximateDiscountedUnitPriceSet {
            shopMoney { amount currencyCode }
          } }
        }
      }
    }
  }
}
"""

ORDERS = f"""
query Orders($first: Int!, $after: String, $query: String!, $parts: Int!, $lines: Int!) {{
  orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {{
    pageInfo {{ hasNextPage endCursor }}
    nodes {{ ...OrderFields }}
  }}
}}
{ORDER_FIELDS}
"""

ONE_ORDER = f"""
query OneOrder($id: ID!, $parts: Int!, $lines: Int!) {{
  order(id: $id) {{ ...OrderFields }}
}}
{ORDER_FIELDS}
"""

ORDER_OF_PART = f"""
query OrderOfPart($id: ID!, $parts: Int!, $lines: Int!) {{
  fulfillmentOrder(id: $id) {{ order {{ ...OrderFields }} }}
}}
{ORDER_FIELDS}
"""

STANDING = """
query Standing($id: ID!) {
  fulfillmentOrder(id: $id) {
    id status
    supportedActions { action }
    order {
      id name tags
      metafields(first: 10, namespace: "hub") { nodes { key value } }
    }
    lineItems(first: 250) { nodes { id remainingQuantity } }
    fulfillments(first: 10, reverse: true) {
      nodes {
        id status
        trackingInfo(first: 1) { number }
        events(first: 100, reverse: true, sortKey: HAPPENED_AT) {
          nodes { id status happenedAt }
        }
      }
    }
  }
}
"""

FULFIL = """
mutation Fulfil($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) {
    fulfillment { id status }
    userErrors { field message }
  }
}
"""

TELL_EVENT = """
mutation TellEvent($event: FulfillmentEventInput!) {
  fulfillmentEventCreate(fulfillmentEvent: $event) {
    fulfillmentEvent { id status happenedAt }
    userErrors { field message }
  }
}
"""

SET_METAFIELDS = """
mutation SetMetafields($metafields: [MetafieldsSetInput!]!) {
  metafieldsSet(metafields: $metafields) {
    metafields { key }
    userErrors { field message }
  }
}
"""

ADD_TAGS = """
mutation AddTags($id: ID!, $tags: [String!]!) {
  tagsAdd(id: $id, tags: $tags) {
    node { id }
    userErrors { field message }
  }
}
"""

HOOKS = """
query Hooks($after: String) {
  webhookSubscriptions(first: 100, after: $after) {
    pageInfo { hasNextPage endCursor }
    nodes { id topic uri format includeFields }
  }
}
"""

MAKE_HOOK = """
mutation MakeHook($topic: WebhookSubscriptionTopic!, $hook: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $hook) {
    webhookSubscription { id }
    userErrors { field message }
  }
}
"""

MEND_HOOK = """
mutation MendHook($id: ID!, $hook: WebhookSubscriptionInput!) {
  webhookSubscriptionUpdate(id: $id, webhookSubscription: $hook) {
    webhookSubscription { id }
    userErrors { field message }
  }
}
"""

DROP_HOOK = """
mutation DropHook($id: ID!) {
  webhookSubscriptionDelete(id: $id) {
    deletedWebhookSubscriptionId
    userErrors { field message }
  }
}
"""

DOCUMENTS = (
    SCOPES, ORDERS, ONE_ORDER, ORDER_OF_PART, STANDING, FULFIL, TELL_EVENT, SET_METAFIELDS,
    ADD_TAGS, HOOKS, MAKE_HOOK, MEND_HOOK, DROP_HOOK,
)  # fmt: skip
