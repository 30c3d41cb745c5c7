"""A driver's link signs one phone in, once."""

from __future__ import annotations

import xml.etree.ElementTree as tree

import pytest

from hub.access import tokens
from hub.driving import links
from hub.errors import Forbidden, Missing
from hub.hub import Hub
from hub.store import DriverRow, System
from hub.testing.fixtures import World


def link(hub: Hub, driver: str) -> str:
    with hub.store.write(System()) as session:
        return links.driver_link(hub, session, driver).rsplit("/", 1)[1]


def test_a_link_leads_to_the_public_address(hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        url = links.driver_link(hub, session, world.driver)
    assert url.startswith(hub.settings.public_url + "/driver/start/")


def test_looking_at_a_link_does_not_use_it_up(hub: Hub, world: World) -> None:
    token = link(hub, world.driver)
    with hub.store.read(System()) as session:
        assert links.welcome(session, token).name == "Lea Frick"
        assert links.welcome(session, token).name == "Lea Frick"


def test_a_link_signs_in_one_phone(hub: Hub, world: World) -> None:
    token = link(hub, world.driver)
    with hub.store.write(System()) as session:
        device, driver = links.enrol(session, token)
    assert driver.id == world.driver
    with hub.store.read(System()) as session:
        assert tokens.check(session, "driver_device", device) == world.driver
    with pytest.raises(Forbidden), hub.store.write(System()) as session:
        links.enrol(session, token)


def test_a_lost_phone_can_be_signed_out(hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        device, _ = links.enrol(session, link_in(hub, session, world.driver))
        links.sign_out(session, world.driver)
    with pytest.raises(Forbidden), hub.store.read(System()) as session:
        tokens.check(session, "driver_device", device)


def link_in(hub: Hub, session: object, driver: str) -> str:
    return links.driver_link(hub, session, driver).rsplit("/", 1)[1]  # type: ignore[arg-type]


def test_a_driver_who_is_switched_off_gets_no_link(hub: Hub, world: World) -> None:
    token = link(hub, world.driver)
    with hub.store.write(System()) as session:
        session.get_one(DriverRow, world.driver).active = False
    with pytest.raises(Forbidden):
        link(hub, world.driver)
    with pytest.raises(Forbidden), hub.store.write(System()) as session:
        links.enrol(session, token)


def test_switching_a_driver_off_ends_the_phone_and_says_what_to_do(hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        device, _ = links.enrol(session, link_in(hub, session, world.driver))
        open_link = link_in(hub, session, world.driver)
        assert links.phone_of(session, device) == world.driver
        links.switch_off(session, world.driver)
    with hub.store.read(System()) as session:
        with pytest.raises(Forbidden, match="Lea Frick is switched off; ask the dispatcher"):
            links.phone_of(session, device)
        with pytest.raises(Forbidden, match="not valid"):
            links.welcome(session, open_link)


def test_a_driver_who_is_switched_on_again_needs_a_new_link(hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        device, _ = links.enrol(session, link_in(hub, session, world.driver))
        links.switch_off(session, world.driver)
        links.switch_on(session, world.driver)
    with hub.store.write(System()) as session:
        with pytest.raises(Forbidden, match="ask the dispatcher for a new link"):
            links.phone_of(session, device)
        fresh, _ = links.enrol(session, link_in(hub, session, world.driver))
        assert links.phone_of(session, fresh) == world.driver


def test_a_phone_of_a_driver_who_is_marked_inactive_is_refused_with_a_token_that_is_open(
    hub: Hub, world: World
) -> None:
    with hub.store.write(System()) as session:
        device, driver = links.enrol(session, link_in(hub, session, world.driver))
        driver.active = False
    with hub.store.read(System()) as session, pytest.raises(Forbidden, match="switched off"):
        links.phone_of(session, device)


def test_an_unknown_driver_cannot_be_switched(hub: Hub, world: World) -> None:
    for switch in (links.switch_off, links.switch_on):
        with hub.store.write(System()) as session, pytest.raises(Missing, match="drv_none"):
            switch(session, "drv_none")


def test_an_unknown_driver_gets_no_link(hub: Hub, world: World) -> None:
    with pytest.raises(Missing):
        link(hub, "drv_none")


def test_the_qr_code_is_one_svg_without_styles() -> None:
    code = links.qr_code("https://hub.example/driver/start/abc")
    assert tree.fromstring(code).tag.endswith("svg")
    assert "style" not in code
