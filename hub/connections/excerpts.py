"""What of a request may be shown: its shape, and none of its personal or secret values."""

from __future__ import annotations

import json
from typing import Any

from hub.nouns import Incoming

HEADERS = frozenset({"content-type", "content-length", "user-agent", "accept"})
"""Headers that are shown; of others that speak of an event, see `is_plain`."""
ABOUT = ("topic", "event", "resource", "delivery-id", "webhook-id", "triggered-at", "api-version")
"""How the names of headers end that say what a delivery is about."""
PLAIN = frozenset(
    {
        "id", "admin_graphql_api_id", "number", "order_number", "status", "state", "type", "topic",
        "event", "kind", "currency", "version", "total", "quantity", "financial_status",
        "fulfillment_status", "resource_type", "created_at", "updated_at", "cancelled_at",
        "date_created_gmt", "date_modified_gmt", "parent_id",
    }
)  # fmt: skip
"""Fields of JSON that speak of a thing and never of a person, and are shown as they are."""
LONGEST_VALUE, MOST_ITEMS, DEEPEST, LONGEST_BODY = 80, 20, 6, 4000


def excerpt(request: Incoming) -> str:
    """Return the request as lines for people: plain headers, and the body with values covered."""
    lines = [
        f"{name}: {value[:LONGEST_VALUE]}"
        for name, value in sorted(request.headers.items())
        if is_plain(name)
    ]
    return "\n".join([*lines, "", shape(request.body)]).strip()


def is_plain(name: str) -> bool:
    """Say whether a header's value may be shown."""
    return name in HEADERS or name.endswith(ABOUT)


def shape(body: bytes) -> str:
    """Return a JSON body with every value covered that may be personal; else only its size."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return f"({len(body):,} bytes)"
    text = json.dumps(covered(found), indent=1, ensure_ascii=False)
    return text if len(text) <= LONGEST_BODY else text[:LONGEST_BODY] + "\n…"


def covered(value: Any, name: str = "", depth: int = 0) -> Any:
    """Return JSON with what may be personal covered; names of fields are kept."""
    if isinstance(value, dict):
        if depth >= DEEPEST:
            return "…"
        kept = list(value.items())[: 3 * MOST_ITEMS]
        return {str(key)[:60]: covered(inner, str(key), depth + 1) for key, inner in kept}
    if isinstance(value, list):
        if depth >= DEEPEST:
            return "…"
        inner = [covered(one, "", depth + 1) for one in value[:MOST_ITEMS]]
        return [*inner, "…"] if len(value) > MOST_ITEMS else inner
    if value is None or isinstance(value, bool):
        return value
    if name in PLAIN and len(str(value)) <= LONGEST_VALUE:
        return value
    return f"(text, {len(value)})" if isinstance(value, str) else "(number)"
