"""Every document that is sent to Shopify, against Shopify's own published schemas."""

from __future__ import annotations

import gzip
import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import hub_shopify
import pytest
from hub_shopify import VERSION
from hub_shopify.documents import DOCUMENTS
from hub_shopify.hooks import TOPICS
from hub_shopify.news import EVENTS

from hub.testing.peers.shopify_schema import cost, parsed

BESIDE = Path(__file__).parents[4] / "shared" / "peers"
SCHEMAS = Path(os.environ.get("HUB_PEERS") or BESIDE) / "shopify"
VERSIONS = [VERSION, "2026-10"]
needs_schemas = pytest.mark.skipif(
    not SCHEMAS.exists(), reason="no Shopify schemas in ../shared/peers/shopify"
)


@cache
def schema(version: str) -> Any:
    from graphql import build_client_schema

    with gzip.open(SCHEMAS / f"admin_{version}.json.gz", "rt", encoding="utf-8") as file:
        told = json.load(file)
    # The published schema breaks a rule of its own about what is deprecated.
    return build_client_schema(told.get("data", told), assume_valid=True)


def name_of(document: str) -> str:
    found = re.search(r"(?:query|mutation) (\w+)", document)
    assert found is not None
    return found[1]


@needs_schemas
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_a_document_is_valid_and_uses_nothing_deprecated(document: str, version: str) -> None:
    from graphql import NoDeprecatedCustomRule, parse, specified_rules, validate

    rules = [*specified_rules, NoDeprecatedCustomRule]
    found = validate(schema(version), parse(document), rules)
    assert [error.message for error in found] == []


@needs_schemas
@pytest.mark.parametrize("version", VERSIONS)
def test_the_words_that_go_into_variables_are_shopifys_own(version: str) -> None:
    types = schema(version).type_map
    assert set(TOPICS) <= set(types["WebhookSubscriptionTopic"].values)
    assert set(EVENTS.values()) <= set(types["FulfillmentEventStatus"].values)
    inputs = {
        "FulfillmentInput": {"lineItemsByFulfillmentOrder", "trackingInfo", "notifyCustomer"},
        "FulfillmentTrackingInput": {"company", "number", "url"},
        "FulfillmentEventInput": {
            "fulfillmentId", "status", "happenedAt", "message", "latitude", "longitude",
            "estimatedDeliveryAt",
        },
        "MetafieldsSetInput": {"ownerId", "namespace", "key", "type", "value"},
        "WebhookSubscriptionInput": {"uri", "format", "includeFields"},
    }  # fmt: skip
    for name, fields in inputs.items():
        own = types[name].fields
        assert fields <= set(own)
        assert [field for field in fields if own[field].deprecation_reason] == []


def test_no_document_lies_outside_the_list() -> None:
    text = "".join(path.read_text() for path in Path(hub_shopify.__file__).parent.glob("*.py"))
    written = set(re.findall(r"^(?:SCOPES = \")?(?:query|mutation) (\w+)", text, re.MULTILINE))
    assert written == {name_of(document) for document in DOCUMENTS}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_the_loopback_shop_knows_every_document(document: str) -> None:
    sizes = {"first": 50, "parts": 5, "lines": 20}
    found, wrong = parsed(document)
    assert wrong == ()
    assert 1 <= cost(found, sizes) <= 1_000
