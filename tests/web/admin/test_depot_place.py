"""A depot's address on its way to a geocoder: what the form shows meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import select

from hub.hub import Hub
from hub.store import DepotRow, System
from tests.orders.test_geocoding import Service, run
from tests.orders.test_geocoding import connection as connection  # fixtures, shared
from tests.orders.test_geocoding import service as service

FORM = {"name": "Centre", "address": "Städtle 6, 9490 Vaduz", "place": "",
        "timezone": "Europe/Vaduz"}  # fmt: skip
NEW, PLACE = "/admin/fleet/depots/new", "/admin/fleet/place"


@pytest.fixture
def owner(sign_in: Callable[..., Any]) -> Any:
    return sign_in("owner")


def depots(hub: Hub) -> list[tuple[str, float]]:
    with hub.store.read(System()) as session:
        return [(row.name, row.lat) for row in session.exec(select(DepotRow))]


def test_the_form_waits_for_the_geocoder_with_everything_in_it(
    owner: Any, hub: Hub, service: Service, connection: str
) -> None:
    reply = owner.post(NEW, FORM)
    assert (reply.status_code, depots(hub)) == (202, [])
    assert "The address is being looked up." in reply.text
    assert 'value="Centre"' in reply.text
    asks = re.search(r'hx-get="(/admin/fleet/place\?[^"]*)"', reply.text)
    assert asks is not None
    assert "being looked up" in owner.get(asks[1]).text
    run(hub)
    found = owner.get(asks[1]).text
    assert 'name="place" type="text" value="47.141, 9.5209"' in found
    assert "That is where Städtle 6, 9490 Vaduz is." in found
    assert "hx-get" not in found, "nothing more to wait for"


def test_without_scripts_the_form_is_sent_again(
    owner: Any, hub: Hub, service: Service, connection: str
) -> None:
    owner.post(NEW, FORM)
    run(hub)
    assert owner.post(NEW, {**FORM, "looked": "yes"}).status_code == 302
    assert depots(hub) == [("Centre", 47.141)]


def test_what_the_geocoder_does_not_know_is_said_at_the_place(
    owner: Any, hub: Hub, service: Service, connection: str
) -> None:
    service.reply = []
    owner.post(NEW, FORM)
    run(hub)
    shown = owner.get(PLACE, query_string={"address": FORM["address"]}).text
    assert "Address: Nominatim geocoder does not know it; correct it" in shown
    assert re.search(r'name="place"[^>]*aria-invalid="true"', shown)
    again = owner.post(NEW, {**FORM, "looked": "yes"})
    assert (again.status_code, depots(hub)) == (422, [])
    assert f'value="{FORM["address"]}"' in again.text


def test_degrees_that_somebody_writes_meanwhile_stay(
    owner: Any, hub: Hub, service: Service, connection: str
) -> None:
    owner.post(NEW, FORM)
    asked = {"address": FORM["address"], "place": "47.2, 9.5"}
    shown = owner.get(PLACE, query_string=asked).text
    assert 'value="47.2, 9.5"' in shown
    assert "hx-get" not in shown


def test_a_name_that_cannot_be_is_said_before_anybody_is_asked(
    owner: Any, hub: Hub, service: Service, connection: str
) -> None:
    assert owner.post(NEW, {**FORM, "name": " "}).status_code == 422
    assert run(hub) == 0
