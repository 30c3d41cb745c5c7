"""The page Privacy: requests, their copies, and who may see which."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hub.fleet.roster import add_merchant
from hub.nouns import Location, Order
from hub.orders.intake import take
from hub.store import AuditRow, OrderRow, PrivacyRow, System
from hub.workflow.parts import assemble
from tests.workflow.conftest import Toys

HOME = "/admin/privacy"


@pytest.fixture
def order(toys: Toys) -> str:
    """Return the order of a person."""
    assemble(toys.hub)
    said = Order(
        ref="1001", recipient={"name": "Rosa Beck", "email": "rosa@example.li"},
        location=Location(lat=47.1, lon=9.5),
    )  # fmt: skip
    with toys.hub.store.write(System()) as session:
        return take(toys.hub, session, toys.merchant, "csv", said).id


def test_before_anybody_asked_the_page_says_what_comes(
    toys: Toys, sign_in: Callable[..., Any]
) -> None:
    assert "Nobody has asked yet" in sign_in("owner").get(HOME).text


def test_a_copy_is_asked_for_and_fetched(
    toys: Toys, order: str, sign_in: Callable[..., Any]
) -> None:
    owner = sign_in("owner")
    owner.post(HOME, {"kind": "export", "email": "ROSA@example.li"})
    toys.work()
    (row,) = toys.rows(PrivacyRow)
    assert f"{HOME}/{row.id}/copy.json" in owner.get(HOME).text
    answer = owner.get(f"{HOME}/{row.id}/copy.json")
    assert json.loads(answer.text)["orders"][0]["name"] == "Rosa Beck"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "privacy.fetched" in [one.action for one in toys.rows(AuditRow)]


def test_who_names_nobody_is_told_and_what_was_typed_stays(
    toys: Toys, order: str, sign_in: Callable[..., Any]
) -> None:
    answer = sign_in("owner").post(HOME, {"kind": "erase"})
    assert answer.status_code == 422
    assert "ame the person" in answer.text
    assert toys.rows(PrivacyRow) == []


def test_a_merchant_asks_about_its_own_orders_and_sees_its_own_requests(
    toys: Toys, order: str, sign_in: Callable[..., Any]
) -> None:
    with toys.hub.store.write(System()) as session:
        other = add_merchant(session, "Rheinwein").id
    stranger = sign_in("merchant", other)
    stranger.post(HOME, {"kind": "erase", "email": "rosa@example.li", "merchant": toys.merchant})
    toys.work()
    (row,) = toys.rows(PrivacyRow)
    assert (row.merchant, row.text) == (other, "0 orders erased.")
    assert toys.rows(OrderRow)[0].name == "Rosa Beck"
