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


def test_an_unknown_driver_gets_no_link(hub: Hub, world: World) -> None:
    with pytest.raises(Missing):
        link(hub, "drv_none")


def test_the_qr_code_is_one_svg_without_styles() -> None:
    code = links.qr_code("https://hub.example/driver/start/abc")
    assert tree.fromstring(code).tag.endswith("svg")
    assert "style" not in code
