"""Other systems read what happened: in order, without a gap, nobody else's."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from hub.access import tokens
from hub.events import append
from hub.events.catalogue import StopCompleted, WorkflowRequested
from hub.events.facts import (
    DriverFacts,
    MerchantFacts,
    OrderFacts,
    ProofFacts,
    RequestFacts,
    RouteFacts,
    StopFacts,
)
from hub.fleet.roster import add_merchant
from hub.store import System
from hub.web import create_app
from tests.workflow.conftest import Toys, toys

__all__ = ["toys"]


@pytest.fixture
def client(toys: Toys) -> FlaskClient:
    return create_app(toys.hub).test_client()


@pytest.fixture
def other(toys: Toys) -> str:
    with toys.hub.store.write(System()) as session:
        return add_merchant(session, "Bergblick").id


def key(toys: Toys, merchant: str | None = None, scope: str = "events:read") -> dict[str, str]:
    with toys.hub.store.write() as session:
        made = tokens.issue_key(session, "feed", [scope], merchant)
    return {"Authorization": f"Bearer {made}"}


def ends(toys: Toys, merchant: str, number: int) -> None:
    """Let a stop of a merchant be completed."""
    toys.happen(
        StopCompleted(
            subject=f"stp_{number}",
            merchant_id=merchant,
            stop=StopFacts(id=f"stp_{number}"),
            order=OrderFacts(id="ord_1", ref="1001"),
            merchant=MerchantFacts(id=merchant),
            route=RouteFacts(id="rte_1", stops=9),
            driver=DriverFacts(id="drv_1"),
            proof=ProofFacts(id="prf_1"),
        )
    )


def ask(client: FlaskClient, headers: dict[str, str], **query: Any) -> Any:
    answer = client.get("/api/v1/events", query_string=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_an_operator_reads_every_event_in_order_page_by_page(
    client: FlaskClient, toys: Toys, other: str
) -> None:
    for number in range(5):
        ends(toys, (toys.merchant, other)[number % 2], number)
    headers, after, seen = key(toys), 0, []
    for _ in range(3):
        page = ask(client, headers, after=after, limit=2)
        seen += [(one["seq"], one["subject"]) for one in page["events"]]
        after = page["next"]
    assert seen == [(n + 1, f"stp_{n}") for n in range(5)]
    assert (page["more"], ask(client, headers, after=after)) == (
        False, {"events": [], "next": 5, "more": False},
    )  # fmt: skip


def test_a_merchant_reads_its_own_numbered_without_a_gap(
    client: FlaskClient, toys: Toys, other: str
) -> None:
    for number in range(6):
        ends(toys, (toys.merchant, other)[number % 2], number)
    page = ask(client, key(toys, other))
    assert [(one["seq"], one["subject"]) for one in page["events"]] == [
        (1, "stp_1"), (2, "stp_3"), (3, "stp_5"),
    ]  # fmt: skip
    assert {one["merchant"] for one in page["events"]} == {other}
    assert page["next"] == 3


def test_what_is_the_operator_s_or_the_recipient_s_is_left_out(
    client: FlaskClient, toys: Toys
) -> None:
    ends(toys, toys.merchant, 1)
    toys.order_comes()
    (own, order) = ask(client, key(toys, toys.merchant))["events"]
    assert sorted(own["data"]) == ["merchant", "order", "proof", "stop"]
    assert order["data"]["order"]["ref"] == "1001"
    (full, _) = ask(client, key(toys))["events"]
    assert full["data"]["route"]["stops"] == 9
    for headers in (key(toys), key(toys, toys.merchant)):
        assert "Rosa" not in client.get("/api/v1/events", headers=headers).text


def test_types_are_chosen_and_what_is_left_out_is_passed_by(
    client: FlaskClient, toys: Toys
) -> None:
    toys.order_comes()
    ends(toys, toys.merchant, 1)
    toys.order_comes(id="ord_2")
    page = ask(client, key(toys), types="stop.completed, stop.failed")
    assert [one["type"] for one in page["events"]] == ["stop.completed"]
    assert page["next"] == 3


def test_an_event_that_has_no_number_yet_is_not_read(client: FlaskClient, toys: Toys) -> None:
    request = RequestFacts(workflow="none")
    with toys.hub.store.write(System()) as session:
        append(session, WorkflowRequested(subject="none", request=request))
    assert ask(client, key(toys)) == {"events": [], "next": 0, "more": False}
    toys.number()
    assert ask(client, key(toys))["next"] == 1


@pytest.mark.parametrize("query", [
    {"after": -1}, {"after": "x"}, {"after": 2**63}, {"limit": 0}, {"limit": 501},
    {"types": "stop.exploded"}, {"since": "2026"},
])  # fmt: skip
def test_a_question_that_makes_no_sense_is_refused(
    client: FlaskClient, toys: Toys, query: dict[str, Any]
) -> None:
    answer = client.get("/api/v1/events", query_string=query, headers=key(toys))
    assert answer.status_code == 422
    assert next(iter(query)) in answer.text


def test_only_a_key_with_the_scope_reads(client: FlaskClient, toys: Toys) -> None:
    headers = key(toys, scope="orders:read")
    assert client.get("/api/v1/events", headers=headers).status_code == 403
    assert client.get("/api/v1/events").status_code == 401
