"""Programs set up their own webhooks: with the scope, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from hub.access import tokens
from hub.fleet.roster import add_merchant
from hub.store import System
from hub.web import create_app
from tests.outgoing.conftest import Post, Receiver, verified
from tests.outgoing.conftest import post as post  # fixtures, shared
from tests.outgoing.conftest import receiver as receiver

PATH = "/api/v1/webhooks"


@pytest.fixture
def client(post: Post) -> FlaskClient:
    return create_app(post.hub).test_client()


def key(post: Post, merchant: str | None = None, scope: str = "webhooks:write") -> dict[str, str]:
    with post.hub.store.write() as session:
        made = tokens.issue_key(session, "hooks", [scope], merchant)
    return {"Authorization": f"Bearer {made}"}


def add(client: FlaskClient, headers: dict[str, str], url: str, **more: Any) -> Any:
    answer = client.post(PATH, json={"url": url, **more}, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json


def test_an_endpoint_is_added_used_changed_and_removed(
    post: Post, client: FlaskClient, receiver: Receiver
) -> None:
    headers = key(post)
    made = add(client, headers, receiver.url, types=["stop.arrived"], description="ERP")
    post.happen()
    post.send()
    assert verified(made["secret"], *receiver.requests[0])
    one = f"{PATH}/{made['id']}"
    assert "secret" not in client.get(one, headers=headers).json
    changed = client.patch(one, json={"enabled": False, "types": []}, headers=headers).json
    assert (changed["enabled"], changed["types"], changed["description"]) == (False, [], "ERP")
    fresh = client.post(f"{one}/secret", headers=headers).json
    assert fresh["secret"] != made["secret"]
    assert client.post(f"{one}/test", headers=headers).status_code == 202
    again = client.post(f"{one}/replay", json={"after": 0, "until": 9}, headers=headers)
    assert (again.status_code, again.json) == (202, {"events": 1})
    assert client.delete(one, headers=headers).status_code == 204
    assert client.get(PATH, headers=headers).json == {"webhooks": []}


def test_a_merchants_key_reaches_its_own_only(
    post: Post, client: FlaskClient, receiver: Receiver
) -> None:
    with post.hub.store.write(System("")) as session:
        other = add_merchant(session, "Bergblick").id
    theirs = add(client, key(post), receiver.url, merchant=other)["id"]
    headers = key(post, post.world.merchant)
    own = add(client, headers, receiver.url, merchant=other)
    assert own["merchant"] == post.world.merchant
    listed = client.get(PATH, headers=headers).json
    assert [row["id"] for row in listed["webhooks"]] == [own["id"]]
    one = f"{PATH}/{theirs}"
    answers = [
        client.get(one, headers=headers),
        client.patch(one, json={"enabled": False}, headers=headers),
        client.delete(one, headers=headers),
        client.post(f"{one}/secret", headers=headers),
        client.post(f"{one}/test", headers=headers),
        client.post(f"{one}/replay", json={"after": 0, "until": 1}, headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [404] * len(answers)


@pytest.mark.parametrize(("given", "field"), [
    ({"url": "http://example.com"}, "url"), ({"url": "https://10.1.1.1"}, "url"),
    ({"url": "https://example.com", "types": ["nope"]}, "types"), ({}, "url"),
    ({"url": "https://example.com", "secret": "mine"}, "secret"),
])  # fmt: skip
def test_what_makes_no_sense_is_refused_by_its_field(
    post: Post, client: FlaskClient, given: dict[str, Any], field: str
) -> None:
    answer = client.post(PATH, json=given, headers=key(post))
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["errors"][0]["field"] == field


def test_only_a_key_with_the_scope_may(post: Post, client: FlaskClient) -> None:
    assert client.get(PATH, headers=key(post, scope="events:read")).status_code == 403
    assert client.get(PATH).status_code == 401
