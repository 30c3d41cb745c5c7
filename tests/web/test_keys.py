"""The page of API keys: the operator's, and each merchant's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from hub.access import tokens
from hub.hub import Hub
from hub.store import ApiKeyRow, UserRow
from hub.testing.fixtures import World
from hub.web import create_app


def make(browser: Any, **form: Any) -> str:
    """Make a key and return it as the page shows it."""
    page = browser.post("/admin/keys", {"name": "Till", "scope": ["orders:read"], **form})
    assert page.status_code == 200, page.text
    found = re.search(r'value="(hub_[\w-]+)"', page.text)
    assert found
    return found[1]


def row_of(hub: Hub) -> ApiKeyRow:
    with hub.store.read() as session:
        return session.exec(select(ApiKeyRow)).one()


def test_a_key_is_shown_once_works_and_is_revoked_for_good(
    sign_in: Callable[..., Any], hub: Hub
) -> None:
    owner = sign_in("owner")
    key = make(owner)
    page = owner.get("/admin/keys").text
    assert key not in page
    assert "never used" in page
    client, headers = create_app(hub).test_client(), {"Authorization": f"Bearer {key}"}
    assert client.get("/api/v1/orders", headers=headers).status_code == 200
    page = owner.get("/admin/keys").text
    assert "last used" in page
    assert "by owner" in page
    owner.post(f"/admin/keys/{row_of(hub).id}/revoke")
    assert client.get("/api/v1/orders", headers=headers).status_code == 401
    assert "Revoked" in owner.get("/admin/keys").text


def test_a_merchant_makes_keys_for_itself_alone_and_with_its_scopes(
    sign_in: Callable[..., Any], hub: Hub, world: World
) -> None:
    merchant = sign_in("merchant", world.merchant)
    make(merchant, merchant="mer_somebody_else")
    row = row_of(hub)
    assert row.merchant == world.merchant
    with hub.store.read() as session:
        assert row.made_by == session.exec(select(UserRow.id)).one()
    page = merchant.post("/admin/keys", {"name": "x", "scope": ["routes:write"]})
    assert page.status_code == 422
    assert "There is no scope" in page.text


def test_an_expired_key_is_refused_with_what_to_do(sign_in: Callable[..., Any], hub: Hub) -> None:
    key = make(sign_in("owner"), days="30")
    row = row_of(hub)
    assert row.expires_at is not None
    assert abs(row.expires_at - row.created_at - timedelta(days=30)) < timedelta(seconds=1)
    with hub.store.write() as session:
        session.get_one(ApiKeyRow, row.id).expires_at = session.wall
    client = create_app(hub).test_client()
    answer = client.get("/api/v1/orders", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 401
    assert "has expired; make a new one" in answer.text


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"name": "", "scope": ["orders:read"]}, "what the key is for"),
        ({"name": "x"}, "at least one thing"),
        ({"name": "x", "scope": ["orders:read"], "days": "9999"}, "times that are offered"),
        ({"name": "x", "scope": ["everything"]}, "There is no scope"),
    ],
)
def test_a_key_that_cannot_be_is_told(
    sign_in: Callable[..., Any], hub: Hub, form: dict[str, Any], why: str
) -> None:
    page = sign_in("owner").post("/admin/keys", form)
    assert page.status_code == 422
    assert why in page.text
    with hub.store.read() as session:
        assert session.exec(select(ApiKeyRow)).all() == []


def test_the_page_says_what_every_scope_opens() -> None:
    from hub.web.admin.keys import OPENS

    assert set(OPENS) == tokens.SCOPES
