"""Connections without scripts: the set-up step by step, the tabs, and who sees which."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from hub.errors import Unauthorized
from hub.hub import Hub
from hub.nouns import Cursor, Order, RefusedRow
from hub.queue import entry
from hub.store import ConnectionRow, EventRow, MerchantRow, OrderRow, PreviewRow
from hub.testing.fixtures import World
from hub.workflow.parts import assemble, load_workflows
from tests import needs

pytestmark = needs.plugins("sms", "woocommerce")
CANARY = "canary-5ecret-of-the-shop"
KEYS = {
    "title": "Hofladen", "config.url": "https://1.1.1.1", "config.key": f"{CANARY}-key",
    "config.secret": CANARY,
}  # fmt: skip


@pytest.fixture
def owner(sign_in: Callable[..., Any], hub: Hub) -> Any:
    assemble(hub)
    return sign_in("owner")


@pytest.fixture
def shop(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Let WooCommerce hand over what is put in the list, without a network."""
    records: list[Any] = [Order.model_validate({"ref": "7", "recipient": {"name": "Anna Beck"}})]

    def pull(self: Any, cursor: Cursor) -> Iterator[Any]:
        yield from () if cursor.value else records
        yield Cursor(value="1")

    kind = hub.plugins.connector("woocommerce")
    monkeypatch.setattr(kind, "check", lambda self: None)
    monkeypatch.setattr(kind, "pull", pull)
    return records


def worker(hub: Hub) -> None:
    entry.run(hub, "outward", "test")


def only(hub: Hub) -> ConnectionRow:
    with hub.store.read() as session:
        return session.exec(select(ConnectionRow)).one()


def begin(browser: Any, hub: Hub, merchant: str) -> str:
    """Do the first step; return the address of the connection."""
    answer = browser.post("/admin/connections/new/woocommerce", {**KEYS, "merchant": merchant})
    assert answer.status_code == 302, answer.text
    return f"/admin/connections/{only(hub).id}"


def finish(browser: Any, hub: Hub, merchant: str) -> str:
    """Set a shop up; return the address of the connection."""
    place = begin(browser, hub, merchant)
    worker(hub)
    assert browser.post(f"{place}/setup/enable").status_code == 302
    worker(hub)
    return place


def test_a_shop_is_set_up_by_plain_forms(owner, hub: Hub, world: World, shop: list[Any]) -> None:
    shop.append(RefusedRow(line=2, reason="order 8 has no address"))
    place = begin(owner, hub, world.merchant)
    assert (only(hub).state, only(hub).enabled) == ("not_set_up", False)
    waiting = owner.get(f"{place}/setup/test").text
    assert "Calling WooCommerce" in waiting
    assert '<noscript><meta http-equiv="refresh"' in waiting, "it looks again without scripts"
    worker(hub)
    assert "Anna Beck" in owner.get(f"{place}/setup/test").text
    assert owner.post(f"{place}/setup/review").location.endswith("/setup/review")
    worker(hub)
    page = owner.get(f"{place}/setup/review").text
    assert "order 8 has no address" in page
    assert "Out of 2 records" in page
    owner.post(f"{place}/setup/enable")
    assert "Its first orders are being read" in owner.get(place).text
    worker(hub)
    with hub.store.read() as session:
        assert session.exec(select(OrderRow.ref)).all() == ["7"]
    assert owner.get(f"{place}/setup/test").location == place, "a set-up is finished once"


def test_orders_always_belong_to_a_merchant(owner, hub: Hub, world: World) -> None:
    answer = owner.post("/admin/connections/new/woocommerce", KEYS)
    assert answer.status_code == 422
    assert "Choose whose orders these are" in answer.text
    assert CANARY not in answer.text


def test_what_was_not_tested_is_not_enabled(owner, hub: Hub, world: World, shop: list[Any]) -> None:
    place = begin(owner, hub, world.merchant)
    assert owner.post(f"{place}/setup/enable").status_code == 422
    worker(hub)
    owner.post(f"{place}/setup/connect", KEYS)
    assert owner.post(f"{place}/setup/enable").status_code == 422, "the settings are others now"
    assert only(hub).state == "not_set_up"


@pytest.mark.spills("a connector whose error tells its secret, which the page has to cover")
def test_a_test_that_fails_says_what_to_do(
    owner, hub: Hub, world: World, shop: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: object) -> None:
        raise Unauthorized(f"the shop does not know {CANARY}")

    monkeypatch.setattr(hub.plugins.connector("woocommerce"), "check", refuse)
    place = begin(owner, hub, world.merchant)
    worker(hub)
    page = owner.get(f"{place}/setup/test").text
    assert "refused the credentials" in page
    assert "the shop does not know •••" in page
    assert CANARY not in page


def test_the_same_service_is_connected_several_times(owner, hub: Hub, world: World) -> None:
    for _ in range(2):
        owner.post("/admin/connections/new/woocommerce", {**KEYS, "merchant": world.merchant})
    with hub.store.read() as session:
        assert len(session.exec(select(ConnectionRow)).all()) == 2


def test_a_message_channel_is_set_up_with_the_workflows_that_will_use_it(
    owner, hub: Hub, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_workflows(hub)
    monkeypatch.setattr(hub.plugins.connector("sms"), "check", lambda self: None)
    given = {"config.url": "https://sms.example.com", "config.token": CANARY}
    owner.post("/admin/connections/new/sms", given)
    place = f"/admin/connections/{only(hub).id}"
    worker(hub)
    owner.post(f"{place}/setup/review")
    page = owner.get(f"{place}/setup/review").text
    assert "driver-near" in page
    with hub.store.read() as session:
        assert [row.stage for row in session.exec(select(PreviewRow))] == ["test"]


def test_a_merchant_sets_up_its_own_and_sees_nobody_else_s(
    sign_in, hub: Hub, world: World, shop: list[Any]
) -> None:
    assemble(hub)
    with hub.store.write() as session:
        other = MerchantRow(name="Rheinbrot", slug="rheinbrot")
        session.add(other)
        session.flush()
        given = {"url": "https://sms.example.com", "token": "token"}
        hidden = [
            hub.connections.save(session, "sms", given, title="Operator's gateway").id,
            hub.connections.save(
                session, "sms", given, merchant=other.id, title="Rheinbrot's gateway"
            ).id,
        ]
    browser = sign_in("merchant", world.merchant)
    assert 'href="/admin/connections"' in browser.get("/m").text
    browser.post("/admin/connections/new/woocommerce", {**KEYS, "merchant": other.id})
    page = browser.get("/admin/connections").text
    assert "Hofladen" in page
    assert "gateway</a></h3>" not in page
    with hub.store.read() as session:
        mine = session.exec(select(ConnectionRow).where(ConnectionRow.title == "Hofladen")).one()
    assert mine.merchant == world.merchant, "whatever the form says"
    tabs = ("", "/settings", "/usage", "/advanced", "/diagnostics", "/card", "/setup/connect",
            "/mapping", "/setup/test", "/setup/review")  # fmt: skip
    deeds = ("/settings", "/check", "/pull", "/switch", "/undo", "/rename", "/remove", "/restore",
             "/mapping", "/mapping/preview", "/sample", "/setup/connect", "/setup/test",
             "/setup/review", "/setup/enable")  # fmt: skip
    for id in hidden:
        place = f"/admin/connections/{id}"
        assert {path: browser.get(place + path).status_code for path in tabs} == dict.fromkeys(
            tabs, 404
        )
        assert {path: browser.post(place + path).status_code for path in deeds} == dict.fromkeys(
            deeds, 404
        )


def test_a_merchant_cannot_reach_into_the_hub_s_machine(
    sign_in, hub: Hub, world: World, tmp_path: Path
) -> None:
    assemble(hub)
    with hub.store.write() as session:
        path = {"path": str(tmp_path)}
        id = hub.connections.save(session, "folder", path, merchant=world.merchant).id
    browser = sign_in("merchant", world.merchant)
    page = browser.get("/admin/connections").text
    assert "/new/folder" not in page
    assert "/new/ortools" not in page
    assert "/new/sms" in page
    for kind in ("folder", "csv", "ortools"):
        assert browser.get(f"/admin/connections/new/{kind}").status_code == 403
        assert browser.post(f"/admin/connections/new/{kind}").status_code == 403
    place = f"/admin/connections/{id}/settings"
    assert "the operator changes its settings" in browser.get(place).text
    assert browser.post(place, {"config.path": "/etc"}).status_code == 403
    assert only(hub).config["path"] == str(tmp_path)


def test_the_list_puts_the_most_urgent_first_and_is_searched(
    owner, hub: Hub, world: World, tmp_path: Path
) -> None:
    with hub.store.write() as session:
        given = {"url": "https://sms.example.com", "token": "token"}
        save = hub.connections.save
        draft = save(session, "sms", given, title="Draft", draft=True)
        slow = save(session, "sms", given, title="Slow")
        out = save(session, "folder", {"path": str(tmp_path)}, title="Expired")
        slow.state, slow.reason = "degraded", "no answer"
        out.state, out.reason = "action_needed", "the token has expired"
        assert draft.state == "not_set_up"
    page = owner.get("/admin/connections").text
    strip = page[page.index('class="attention"') : page.index("</ul>")]
    assert strip.index("Expired") < strip.index("Slow") < strip.index("Draft")
    for query, names in {
        "state=degraded": {"Slow"}, "kind=pod_sinks": {"Expired"}, "q=sms+slow": {"Slow"},
        "owner=operator": {"Draft", "Slow", "Expired"}, "owner=" + world.merchant: set(),
    }.items():  # fmt: skip
        shown = owner.get(f"/admin/connections?{query}").text
        assert {n for n in ("Draft", "Slow", "Expired") if f">{n}</a></h3>" in shown} == names


def test_settings_are_kept_for_a_day_and_taken_back(
    owner, hub: Hub, world: World, shop: list[Any]
) -> None:
    place = finish(owner, hub, world.merchant)
    owner.post(f"{place}/settings", {**KEYS, "config.url": "https://8.8.8.8", "config.secret": ""})
    assert hub.connections.settings(only(hub))["secret"] == CANARY
    assert "8.8.8.8" in only(hub).config["url"]
    assert "Undo the change" in owner.get(f"{place}/settings").text
    owner.post(f"{place}/undo")
    assert "1.1.1.1" in only(hub).config["url"]
    assert "Undo the change" not in owner.get(f"{place}/settings").text


def test_rules_are_tried_on_the_sample_before_they_are_kept(
    owner, hub: Hub, world: World, shop: list[Any]
) -> None:
    place = finish(owner, hub, world.merchant)
    rules = {"prefix": "Fresh goods.", "minutes": "12", "depot": world.depot, "days": "source"}
    tried = owner.post(f"{place}/mapping/preview", rules).text
    assert "This is only tried" in tried
    assert "<strong>Fresh goods.</strong>" in tried
    assert "<strong>Vaduz</strong>" in tried
    assert only(hub).mapping == {}
    part = owner.post(f"{place}/mapping/preview", rules, environ_base={"HTTP_HX_REQUEST": "true"})
    assert "<html" not in part.text
    assert "<strong>12</strong>" in part.text
    owner.post(f"{place}/mapping", rules)
    assert only(hub).mapping == {
        "prefix": "Fresh goods.", "service_time": 720, "depot": world.depot,
    }  # fmt: skip
    for wrong in {"minutes": "soon"}, {"depot": "Nowhere"}, {"lead": "99"}, {"days": "never"}:
        assert owner.post(f"{place}/mapping", wrong).status_code == 422


def test_a_tab_is_shown_only_where_it_says_something(owner, hub: Hub, tmp_path: Path) -> None:
    with hub.store.write() as session:
        id = hub.connections.save(session, "folder", {"path": str(tmp_path)}).id
    page = owner.get(f"/admin/connections/{id}").text
    assert "/usage" in page
    assert "/mapping" not in page
    assert owner.get(f"/admin/connections/{id}/mapping").status_code == 422


def test_who_paused_a_connection_is_named(owner, hub: Hub, tmp_path: Path) -> None:
    with hub.store.write() as session:
        id = hub.connections.save(session, "folder", {"path": str(tmp_path)}).id
    owner.post(f"/admin/connections/{id}/switch", {"enabled": ""})
    assert "Paused by owner" in owner.get(f"/admin/connections/{id}").text
    assert only(hub).paused_at is not None
    owner.post(f"/admin/connections/{id}/switch", {"enabled": "yes"})
    assert (only(hub).paused_at, only(hub).paused_by) == (None, "")


def test_a_removal_says_what_it_means_first_and_can_be_undone(
    owner, hub: Hub, world: World, shop: list[Any]
) -> None:
    place = finish(owner, hub, world.merchant)
    asked = owner.get(f"{place}/advanced?remove=yes").text
    assert "Its orders are read no more" in asked
    owner.post(f"{place}/remove")
    assert owner.get(place).status_code == 404
    page = owner.get("/admin/connections").text
    assert "Removed in the last 24 hours" in page
    assert f'id="{only(hub).id}"' not in page
    owner.post(f"{place}/restore")
    assert owner.get(place).status_code == 200
    with hub.store.read() as session:
        told = session.exec(select(EventRow.type).where(EventRow.type == "connection.changed"))
        assert len(told.all()) == 4, "set up, enabled, removed and brought back"


@pytest.mark.spills("secrets are put where they do not belong, which the diagnostics have to cover")
def test_no_secret_is_in_the_diagnostics_or_on_any_page(
    owner, hub: Hub, world: World, shop: list[Any]
) -> None:
    place = finish(owner, hub, world.merchant)
    with hub.store.write() as session:
        row = session.get_one(ConnectionRow, only(hub).id)
        row.state, row.reason = "degraded", f"401 for Bearer {CANARY}"
        row.config = {**row.config, "url": f"https://me:{CANARY}@shop.example/?key={CANARY}"}
    answer = owner.get(f"{place}/diagnostics")
    assert "attachment" in answer.headers["Content-Disposition"]
    told = json.loads(answer.text)
    assert told["settings"]["url"] == "https://shop.example/?(hidden)"
    assert told["settings"]["secret"] == "(hidden)"
    assert told["connection"]["shown"] == "degraded"
    assert told["plugin"]["distribution"] == "hub-woocommerce"
    assert CANARY not in answer.text
    for tab in ("/usage", "/advanced", "/mapping"):
        assert CANARY not in owner.get(place + tab).text


def test_a_connection_whose_plugin_is_gone_still_has_its_pages(owner, hub: Hub) -> None:
    with hub.store.write() as session:
        given = {"url": "https://sms.example.com", "token": "token"}
        row = hub.connections.save(session, "sms", given)
        row.connector = "vanished"
    for tab in ("", "/settings", "/usage", "/advanced", "/diagnostics"):
        assert owner.get(f"/admin/connections/{row.id}{tab}").status_code == 200
    page = owner.get("/admin/connections").text
    assert "Not installed any more" in page
    assert "install its package and restart the hub" in page


def test_the_page_of_plugins_names_their_connections(owner, hub: Hub, tmp_path: Path) -> None:
    with hub.store.write() as session:
        hub.connections.save(session, "folder", {"path": str(tmp_path)}, title="Archive")
    page = owner.get("/admin/plugins").text
    assert ">Archive</a>" in page
    assert "pip install hub-" in page
