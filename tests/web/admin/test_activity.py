"""The tabs Activity, Rejected and Webhooks of a connection."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlmodel import select

from hub import orders, workflow
from hub.connections import activity
from hub.hub import Hub
from hub.nouns import Delivery, Incoming
from hub.queue import entry
from hub.store import (
    ActivityRow,
    ConnectionRow,
    InboxRow,
    MerchantRow,
    OrderRow,
    RejectedRow,
    System,
)
from hub.testing.fixtures import World
from hub.testing.receivers import install, signed
from hub.web.admin.activity import SHOWN
from hub.workflow import incoming


class Shop:
    """A connection that takes webhooks, and what was delivered to it."""

    def __init__(self, hub: Hub, merchant: str) -> None:
        orders.register(hub)
        workflow.register(hub)
        self.hub, self.connector = hub, install(hub)
        with hub.store.write(System()) as session:
            row = hub.connections.save(session, "bell", {}, merchant=merchant, title="Käserei")
            self.id = row.id
        self.path = f"/admin/connections/{self.id}"

    def deliver(self, *items: Any) -> str:
        body, headers = signed(*items, topic="orders/new")
        request = Incoming(body=body, headers=headers, at=self.hub.store.clock.wall())
        with self.hub.store.read(System()) as session:
            row = session.get_one(ConnectionRow, self.id)
        kept = incoming.kept(self.hub.keys, row, request, Delivery(topic="orders/new"))
        with self.hub.store.write() as session:
            incoming.write(session, [kept])
        return max(row.id for row in self.rows(InboxRow))

    def work(self) -> None:
        while entry.run(self.hub, "outward", "test"):
            pass

    def rows(self, table: type[Any]) -> list[Any]:
        with self.hub.store.read(System()) as session:
            return list(session.exec(select(table).order_by(table.id)))


@pytest.fixture
def shop(hub: Hub, world: World) -> Shop:
    return Shop(hub, world.merchant)


def order(ref: str, **values: Any) -> dict[str, Any]:
    return {"order": {"ref": ref, "recipient": {"name": "Rosa Beck"}, **values}}


def test_the_log_shows_the_newest_first_and_one_kind_alone(
    shop: Shop, sign_in: Callable[..., Any]
) -> None:
    shop.deliver(order("1001"))
    shop.work()
    with shop.hub.store.write(System()) as session:
        row = session.get_one(ConnectionRow, shop.id)
        activity.note(session, row, "out", "check", "retry", text="it is down")
    owner = sign_in("owner")
    page = owner.get(f"{shop.path}/activity").text
    assert page.index("it is down") < page.index("orders/new: 1 order")
    assert "it is down" not in owner.get(f"{shop.path}/activity?what=delivery").text
    done = owner.get(f"{shop.path}/activity?outcome=done").text
    assert "orders/new: 1 order" in done
    assert "it is down" not in done
    assert "Nothing like that" in owner.get(f"{shop.path}/activity?outcome=forged").text


def test_a_long_log_is_shown_by_pages(shop: Shop, sign_in: Callable[..., Any]) -> None:
    with shop.hub.store.write(System()) as session:
        row = session.get_one(ConnectionRow, shop.id)
        for number in range(SHOWN + 1):
            activity.note(session, row, "out", "check", "ok", text=f"number {number:03}.")
    owner = sign_in("owner")
    first = owner.get(f"{shop.path}/activity").text
    assert len(re.findall(r"number \d{3}\.", first)) == SHOWN
    assert "Older" in first
    second = owner.get(f"{shop.path}/activity?page=2").text
    assert "number 000." in second
    assert "Older" not in second


def test_an_exchange_shows_its_shape_and_nothing_personal(
    shop: Shop, sign_in: Callable[..., Any]
) -> None:
    shop.deliver(order("1001"))
    (found,) = shop.rows(ActivityRow)
    page = sign_in("owner").get(f"{shop.path}/activity/{found.id}").text
    assert "x-topic: orders/new" in page
    assert "(text, 9)" in page
    assert "Rosa" not in page
    assert "x-signature" not in page


def test_a_delivery_is_taken_in_again_with_one_click(
    shop: Shop, sign_in: Callable[..., Any]
) -> None:
    def fail(_: Incoming) -> None:
        raise ValueError("not yet")

    shop.connector.during = staticmethod(fail)
    delivery = shop.deliver(order("1001"))
    shop.deliver(order("1002"))
    shop.work()
    shop.connector.during = None
    owner = sign_in("owner")
    assert "2 deliveries could not be taken in" in owner.get(f"{shop.path}/activity").text
    assert owner.post(f"{shop.path}/deliveries/{delivery}/replay").status_code == 302
    shop.work()
    assert [row.ref for row in shop.rows(OrderRow)] == ["1001"]
    assert owner.post(f"{shop.path}/deliveries/replay-failed").status_code == 302
    shop.work()
    assert [row.ref for row in shop.rows(OrderRow)] == ["1001", "1002"]
    assert "could not be taken in" not in owner.get(f"{shop.path}/activity").text


def test_a_rejected_record_is_laid_by_and_put_back(shop: Shop, sign_in: Callable[..., Any]) -> None:
    shop.deliver(order("1001", depot="Nowhere"))
    shop.work()
    (one,) = shop.rows(RejectedRow)
    owner, path = sign_in("owner"), f"{shop.path}/rejected"
    assert "there is no depot" in owner.get(path).text
    owner.post(f"{path}/{one.id}/dismiss")
    assert "Nothing is rejected" in owner.get(path).text
    assert "there is no depot" in owner.get(f"{path}?state=dismissed").text
    owner.post(f"{path}/{one.id}/restore")
    assert "there is no depot" in owner.get(path).text


def test_a_rejected_record_is_tried_again_with_one_click(
    shop: Shop, sign_in: Callable[..., Any], world: World
) -> None:
    shop.deliver(order("1001", depot="Vaduz 2"))
    shop.work()
    with shop.hub.store.write(System()) as session:
        from hub.store import DepotRow

        session.get_one(DepotRow, world.depot).name = "Vaduz 2"
    (one,) = shop.rows(RejectedRow)
    owner = sign_in("owner")
    assert owner.post(f"{shop.path}/rejected/{one.id}/retry").status_code == 302
    shop.work()
    assert [row.ref for row in shop.rows(OrderRow)] == ["1001"]
    assert [row.state for row in shop.rows(RejectedRow)] == ["resolved"]


def test_the_address_is_shown_once_and_opens_the_connection(
    shop: Shop, sign_in: Callable[..., Any]
) -> None:
    owner, path = sign_in("owner"), f"{shop.path}/webhooks"
    assert "Make an address" in owner.get(path).text
    address = made(owner.post(f"{path}/address").text)
    assert address not in owner.get(path).text
    body, headers = signed(order("1001"))
    assert owner.client.post(address, data=body, headers=headers).status_code == 200
    again = owner.post(f"{path}/address").text
    assert made(again) != address
    assert "The one before works until" in again
    body, headers = signed(order("1002"))
    assert owner.client.post(address, data=body, headers=headers).status_code == 200
    owner.post(f"{path}/end")
    for one in (address, made(again)):
        body, headers = signed(order("1003"))
        assert owner.client.post(one, data=body, headers=headers).status_code == 404


def made(page: str) -> str:
    """Return the path of the address that a page shows."""
    found = re.search(r'value="([^"]+/hooks/con_[^"]+)"', page)
    assert found
    return urlsplit(found[1]).path


def test_signatures_that_do_not_hold_are_told_on_the_tab(
    shop: Shop, sign_in: Callable[..., Any]
) -> None:
    owner = sign_in("owner")
    address = made(owner.post(f"{shop.path}/webhooks/address").text)
    for _ in range(3):
        owner.client.post(address, data=b"[]", headers={"x-signature": "guess"})
    page = owner.get(f"{shop.path}/webhooks").text
    assert "Signatures did not hold" in page
    assert re.search(r"Wrong signature, 24 h</dt><dd>3<", page)


def test_a_connector_that_takes_no_requests_says_so(
    shop: Shop, sign_in: Callable[..., Any]
) -> None:
    with shop.hub.store.write(System()) as session:
        other = shop.hub.connections.save(session, "straight", {}).id
    owner, path = sign_in("owner"), f"/admin/connections/{other}/webhooks"
    assert "No webhooks for this connection" in owner.get(path).text
    assert owner.post(f"{path}/address").status_code == 422


def test_a_merchant_looks_after_its_own_connections_only(
    shop: Shop, sign_in: Callable[..., Any], world: World
) -> None:
    delivery = shop.deliver(order("1001", depot="Nowhere"))
    shop.work()
    (one,), (seen,) = shop.rows(RejectedRow), shop.rows(ActivityRow)
    with shop.hub.store.write(System()) as session:
        other = MerchantRow(name="Rheinwein", slug="rheinwein")
        session.add(other)
        session.flush()
    stranger = sign_in("merchant", other.id)
    for path in ("activity", f"activity/{seen.id}", "rejected", "webhooks"):
        assert stranger.get(f"{shop.path}/{path}").status_code == 404
    for path in (
        f"deliveries/{delivery}/replay", "deliveries/replay-failed", "webhooks/address",
        "webhooks/end", f"rejected/{one.id}/retry", f"rejected/{one.id}/dismiss",
    ):  # fmt: skip
        assert stranger.post(f"{shop.path}/{path}").status_code == 404
    with shop.hub.store.write(System()) as session:
        from hub.store import UserRow

        session.exec(select(UserRow)).one().merchant = world.merchant
    for path in ("activity", f"activity/{seen.id}", "rejected", "webhooks"):
        assert stranger.get(f"{shop.path}/{path}").status_code == 200
    assert stranger.post(f"{shop.path}/rejected/{one.id}/dismiss").status_code == 302


def test_records_of_one_connection_are_not_found_under_another(
    shop: Shop, sign_in: Callable[..., Any]
) -> None:
    delivery = shop.deliver(order("1001", depot="Nowhere"))
    shop.work()
    (one,), (seen,) = shop.rows(RejectedRow), shop.rows(ActivityRow)
    with shop.hub.store.write(System()) as session:
        other = shop.hub.connections.save(session, "bell", {}).id
    owner, path = sign_in("owner"), f"/admin/connections/{other}"
    assert owner.get(f"{path}/activity/{seen.id}").status_code == 404
    assert owner.post(f"{path}/rejected/{one.id}/dismiss").status_code == 404
    assert owner.post(f"{path}/deliveries/{delivery}/replay").status_code == 422


@pytest.mark.parametrize("role", ["dispatcher", "accountant"])
def test_others_are_not_let_in(shop: Shop, sign_in: Callable[..., Any], role: str) -> None:
    assert sign_in(role).get(f"{shop.path}/activity").status_code == 403
