"""What a shop's refusals mean, with its own words and the field at fault."""

from __future__ import annotations

import json
from typing import Any

import pytest
import responses
from hub_woocommerce import Config, WooCommerce

from hub import Cursor, DeliveryStatus, HubError, Rejected, Retry, Unauthorized, Unknown

SHOP = "https://1.1.1.1"
"""An address that is public and needs no name server; nothing is sent to it."""
ORDERS = f"{SHOP}/wp-json/wc/v3/orders"
PAGE = "<!DOCTYPE html><title>Not here</title>"


def shop() -> WooCommerce:
    told = {"url": SHOP, "key": "ck_1", "secret": "cs_s3cret"}
    return WooCommerce(Config.model_validate(told))


def error(code: str, message: str, status: int, **data: Any) -> str:
    """Return an error as WordPress writes it."""
    return json.dumps({"code": code, "message": message, "data": {"status": status, **data}})


def news() -> DeliveryStatus:
    told = {"key": "k", "order": "42", "status": "delivered", "at": "2026-11-23T09:00:00Z"}
    return DeliveryStatus.model_validate(told)


@responses.activate
@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (401, error("woocommerce_rest_authentication_error", "Consumer key is invalid.", 401),
         Unauthorized, "Consumer key is invalid"),
        (401, error("woocommerce_rest_cannot_view", "Sorry, you cannot list resources.", 401),
         Unauthorized, "drops the Authorization header"),
        (403, error("woocommerce_rest_cannot_view", "Sorry, you cannot list resources.", 403),
         Unauthorized, "its user may not do that"),
        (403, PAGE, Unauthorized, "a firewall or a security plugin"),
        (404, PAGE, Rejected, "must not be Plain"),
        (404, error("rest_no_route", "No route was found.", 404), Rejected, "must not be Plain"),
        (301, "", Rejected, "sends calls on to another address"),
        (200, PAGE, Rejected, "must not be Plain"),
        (200, '{"a": 1}', Rejected, "is no list"),
        (429, "slow down", Retry, "429"),
        (503, PAGE, Retry, "503"),
        (500, error("internal_server_error", "There has been a critical error.", 500), Retry,
         "critical error"),
    ],
)  # fmt: skip
def test_a_refused_question_is_told_in_the_hubs_words(
    status: int, body: str, kind: type[HubError], said: str
) -> None:
    responses.get(ORDERS, body=body, status=status)
    with pytest.raises(kind, match=said) as caught:
        list(shop().pull(Cursor()))
    assert "cs_s3cret" not in str(caught.value)


@responses.activate
@pytest.mark.parametrize(
    ("params", "field"), [({"per_page": "too many"}, "per_page"), (["topic"], "topic"), (7, None)]
)
def test_a_refused_parameter_is_the_field(params: Any, field: str | None) -> None:
    body = error("rest_invalid_param", "Invalid parameter(s)", 400, params=params)
    responses.get(ORDERS, body=body, status=400)
    with pytest.raises(Rejected, match="Invalid parameter") as caught:
        list(shop().pull(Cursor()))
    assert caught.value.field == field


@responses.activate
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (500, error("internal_server_error", "There has been a critical error.", 500), Unknown),
        (502, PAGE, Unknown),
        (200, '{"id": 4', Unknown),
        (200, "[]", Unknown),
        (200, PAGE, Rejected),
        (413, error("too_large", "Too large.", 413), Rejected),
        (429, "slow down", Retry),
    ],
)
def test_a_change_that_may_have_happened_is_unknown_and_one_that_did_not_is_not(
    status: int, body: str, kind: type[HubError]
) -> None:
    responses.get(f"{ORDERS}/42", json={"id": 42, "status": "processing", "meta_data": []})
    responses.put(f"{ORDERS}/42", body=body, status=status)
    with pytest.raises(kind):
        shop().tell(news())


@responses.activate
def test_an_answer_about_another_order_is_not_believed() -> None:
    responses.get(f"{ORDERS}/42", json={"id": 7, "status": "processing"})
    with pytest.raises(Rejected, match="no order"):
        shop().tell(news())
