"""The page of merchants: the list, the form, and who may use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import select

from hub.hub import Hub
from hub.store import MerchantRow, System
from hub.testing.fixtures import World

PATH = "/admin/merchants"
SignIn = Callable[..., Any]


@pytest.fixture
def owner(sign_in: SignIn) -> Any:
    return sign_in("owner")


def test_a_newcomer_is_led_to_the_form(owner: Any) -> None:
    assert f'href="{PATH}"' in owner.get("/admin/settings").text
    assert f'href="{PATH}#add"' in owner.get("/admin/imports").text
    assert f'href="{PATH}#add"' in owner.get("/admin/messages/limits").text
    page = owner.get(PATH).text
    assert "No merchant yet" in page
    assert 'id="add"' in page


def test_a_merchant_is_added_with_a_slug_made_of_its_name(owner: Any, hub: Hub) -> None:
    form = {"name": "Käserei Süd", "slug": "", "currency": "eur", "phone": "+423 230 00 00"}
    reply = owner.post(PATH, form, follow_redirects=True)
    assert "Käserei Süd is there. Commands and files call it kaserei-sud." in reply.text
    with hub.store.read(System()) as session:
        row = session.exec(select(MerchantRow)).one()
    assert (row.slug, row.currency, row.accent) == ("kaserei-sud", "EUR", "#1f6feb")
    assert row.phone == "+423 230 00 00"


@pytest.mark.parametrize(
    ("form", "field", "said"),
    [
        ({"name": "Alpenkraut"}, "slug", "There is a merchant alpenkraut already."),
        ({"name": " "}, "name", "A name has 1 to 100 printable characters."),
        ({"name": "X", "slug": "Big One"}, "slug", "&#39;Big One&#39; is no slug"),
        ({"name": "X", "currency": "francs"}, "currency", "Currency: "),
        ({"name": "X", "accent": "red"}, "accent", "&#39;red&#39; is no colour"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    owner: Any, world: World, form: dict[str, str], field: str, said: str
) -> None:
    reply = owner.post(PATH, {"phone": "+423 1", **form})
    assert reply.status_code == 422
    assert reply.text.count(said) == 2  # above the form, and under the field
    assert f'name="{field}"' in reply.text.split('aria-invalid="true"')[0].rpartition("<input")[2]
    assert 'value="+423 1"' in reply.text


def test_a_slug_is_suggested_until_somebody_writes_another(owner: Any) -> None:
    asked = {"name": "Käserei Süd", "slug": "kas", "suggested": "kas"}
    assert 'name="slug" value="kaserei-sud"' in owner.get(f"{PATH}/slug", query_string=asked).text
    asked["slug"] = "cheese"
    assert owner.get(f"{PATH}/slug", query_string=asked).status_code == 204


def test_a_dispatcher_sees_the_merchants_and_adds_none(sign_in: SignIn, world: World) -> None:
    dispatcher = sign_in("dispatcher")
    page = dispatcher.get(PATH).text
    assert "Alpenkraut" in page
    assert 'id="add"' not in page
    assert dispatcher.post(PATH, {"name": "X"}).status_code == 403
