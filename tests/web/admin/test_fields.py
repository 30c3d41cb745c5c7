"""Fields are mapped on a live sample: tried while typing, suggested, kept and taken back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from hub.hub import Hub
from hub.queue import entry
from hub.store import ConnectionRow, OrderRow
from hub.testing.conformance import ScriptedPeer
from hub.testing.fixtures import World
from hub.testing.peers import Reply
from hub.workflow.parts import assemble
from tests import needs
from tests.web.conftest import Browser

HTMX = {"HTTP_HX_REQUEST": "true"}


def record(number: int, **more: Any) -> dict[str, Any]:
    """Return an order as a German ERP tells it."""
    return {
        "Belegnummer": f"A-{number}", "Status": "offen",
        "Kunde": {"Name": f"Anna Beck {number}", "Telefon": "+4237920001"},
        "Lieferadresse": {"Strasse": "Städtle", "Hausnummer": str(number), "PLZ": "9490",
                          "Ort": "Vaduz", "Land": "LI"},
        "Lieferdatum": "23.11.2026", "Zeitfenster": "9:00–12:00",
        "Positionen": [{"Bezeichnung": "Herb tea", "Menge": 2, "Einzelpreis": 4.35}],
        "Waehrung": "CHF", "Nachnahme": 12.5, **more,
    }  # fmt: skip


@pytest.fixture
def erp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedPeer]:
    """Run an ERP on loopback that has a hundred orders, one of which has no customer."""
    made = ScriptedPeer(tmp_path / "peer")
    orders: list[Any] = [record(number) for number in range(1, 101)]
    orders[1] = record(2, Kunde={"Telefon": "1"})
    made.reply = lambda _: Reply(content=json.dumps({"belege": orders}).encode())
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


@pytest.fixture
def begun(sign_in: Any, hub: Hub, world: World, erp: ScriptedPeer) -> tuple[Browser, str]:
    """Have a connection whose test went well, and its set-up page."""
    assemble(hub)
    owner = sign_in("owner")
    given = {
        "title": "ERP", "merchant": world.merchant, "config.url": f"{erp.url}/api/belege",
        "config.format": "json", "config.records": "belege",
    }  # fmt: skip
    owner.post("/admin/connections/new/generic", given)
    worker(hub)
    return owner, f"/admin/connections/{only(hub).id}"


def worker(hub: Hub) -> None:
    """Do what is due for the worker that calls other systems."""
    while entry.run(hub, "outward", "test"):
        hub.connections.spoilt = ""  # the ERP answers in threads of this very process


def only(hub: Hub) -> ConnectionRow:
    with hub.store.read() as session:
        return session.exec(select(ConnectionRow)).one()


def refs(hub: Hub) -> list[str]:
    with hub.store.read() as session:
        return sorted(session.exec(select(OrderRow.ref)))


MAPPED = {
    "path.ref": "Belegnummer", "path.recipient.name": "Kunde.Name",
    "path.address.line1": "Lieferadresse.Strasse + Lieferadresse.Hausnummer",
    "path.address.postcode": "Lieferadresse.PLZ", "path.address.city": "Lieferadresse.Ort",
    "path.address.country": "=LI", "path.service_date": "Lieferdatum",
    "path.lines": "Positionen", "path.line.name": "Bezeichnung", "path.line.quantity": "Menge",
}  # fmt: skip


def test_the_test_shows_that_there_are_records_and_leads_to_the_mapping(
    begun: tuple[Browser, str],
) -> None:
    owner, place = begun
    page = owner.get(f"{place}/setup/test").text
    assert "It works" in page
    assert f'href="{place}/setup/map"' in page
    shown = owner.get(f"{place}/setup/map").text
    assert "Lieferadresse.Strasse" in shown
    assert "Anna Beck 1" in shown


def test_a_mapping_is_tried_while_typing_and_nothing_is_kept(
    begun: tuple[Browser, str], hub: Hub
) -> None:
    owner, place = begun
    part = owner.post(f"{place}/fields/try", MAPPED, environ_base=HTMX).text
    assert "Anna Beck 1" in part
    assert "Städtle 1" in part
    assert "2026-11-23" in part
    assert 'hx-swap-oob="true"' in part
    assert "<html" not in part
    assert "fields" not in only(hub).config or only(hub).config["fields"]["rules"] == {}


def test_without_scripts_a_button_shows_the_same_page_with_what_it_gives(
    begun: tuple[Browser, str],
) -> None:
    owner, place = begun
    page = owner.post(f"{place}/fields/try", MAPPED).text
    assert "This is only tried" in page
    assert 'value="Kunde.Name"' in page
    assert "Anna Beck 1" in page


def test_a_field_says_in_words_what_is_wrong_with_it(begun: tuple[Browser, str]) -> None:
    owner, place = begun
    wrong = {**MAPPED, "path.recipient.name": "Kunde.fullName", "path.line.quantity": "Bezeichnung"}
    part = owner.post(f"{place}/fields/try", wrong, environ_base=HTMX).text
    assert "the record has no Kunde.fullName" in part
    assert "is no whole number" in part
    assert "0 of 20 records" in part


def test_a_single_bad_record_of_the_sample_is_counted_and_named(begun: tuple[Browser, str]) -> None:
    owner, place = begun
    part = owner.post(f"{place}/fields/try", MAPPED, environ_base=HTMX).text
    assert "19 of 20 records make an order" in part
    assert "recipient.name: the record has no Kunde.Name" in part


def test_another_record_of_the_sample_can_be_looked_at(begun: tuple[Browser, str]) -> None:
    owner, place = begun
    part = owner.post(f"{place}/fields/try", {**MAPPED, "record": "4"}, environ_base=HTMX).text
    assert "Anna Beck 5" in part


def test_names_suggest_the_paths_also_in_german_and_leave_what_is_filled(
    begun: tuple[Browser, str], hub: Hub
) -> None:
    owner, place = begun
    page = owner.post(f"{place}/fields/suggest", {"path.notes": "=Ring twice"}).text
    for path in (
        "Belegnummer", "Kunde.Name", "Lieferadresse.Strasse + Lieferadresse.Hausnummer",
        "Lieferadresse.PLZ", "Lieferadresse.Ort", "Lieferdatum?", "Zeitfenster?", "Positionen",
        "Bezeichnung", "Menge", "Einzelpreis?", "Nachnahme?", "Waehrung?", "=Ring twice",
    ):  # fmt: skip
        assert f'value="{path}"' in page, path
    assert "were suggested by their names" in page
    assert not only(hub).config["fields"]["rules"], "a suggestion is kept by nobody but a person"


def test_what_is_kept_is_mapped_and_ninety_nine_of_a_hundred_come_in(
    begun: tuple[Browser, str], hub: Hub
) -> None:
    owner, place = begun
    owner.post(f"{place}/fields", {**MAPPED, "then": "review"})
    worker(hub)
    review = owner.get(f"{place}/setup/review").text
    assert "recipient.name: the record has no Kunde.Name" in review
    owner.post(f"{place}/setup/enable")
    worker(hub)
    assert len(refs(hub)) == 99
    assert "recipient.name" in owner.get(f"{place}/rejected").text


def test_a_change_of_the_mapping_can_be_taken_back(begun: tuple[Browser, str], hub: Hub) -> None:
    owner, place = begun
    owner.post(f"{place}/fields", MAPPED)
    owner.post(f"{place}/fields", {"path.ref": "Status"})
    assert set(only(hub).config["fields"]["rules"]) == {"ref"}
    assert "Undo the change" in owner.get(f"{place}/setup/map").text
    owner.post(f"{place}/undo", {"back": "map"})
    assert len(only(hub).config["fields"]["rules"]) == len(MAPPED)


def test_saving_the_settings_keeps_the_mapping(
    begun: tuple[Browser, str], hub: Hub, erp: ScriptedPeer
) -> None:
    owner, place = begun
    owner.post(f"{place}/fields", MAPPED)
    owner.post(f"{place}/setup/enable")
    page = owner.get(f"{place}/settings").text
    assert "config.fields" not in page
    owner.post(
        f"{place}/settings",
        {"title": "ERP", "config.url": f"{erp.url}/other", "config.records": "belege"},
    )
    assert only(hub).config["url"].endswith("/other")
    assert len(only(hub).config["fields"]["rules"]) == len(MAPPED)


def test_a_pasted_record_is_mapped_by(begun: tuple[Browser, str]) -> None:
    owner, place = begun
    owner.post(f"{place}/fields/sample", {"record_text": '{"doc": {"no": "77"}, "sum": 1.50}'})
    page = owner.get(f"{place}/setup/map").text
    assert "doc.no" in page
    assert "1.50" in page
    wrong = owner.post(f"{place}/fields/sample", {"record_text": "[1]"})
    assert wrong.status_code == 422
    assert "paste an object with fields" in wrong.text


@pytest.mark.parametrize("path", ["{{ 7*7 }}", "__class__.__mro__", "=${7*7}", "a'; drop table x"])
def test_nothing_that_is_typed_is_ever_evaluated(begun: tuple[Browser, str], path: str) -> None:
    owner, place = begun
    part = owner.post(f"{place}/fields/try", {**MAPPED, "path.notes": path}, environ_base=HTMX)
    assert part.status_code == 200
    assert "49" not in part.text.replace("9490", "")


def test_what_is_no_mapping_is_refused_with_its_field(begun: tuple[Browser, str]) -> None:
    owner, place = begun
    answer = owner.post(f"{place}/fields", {"path.ref": "x" * 501})
    assert answer.status_code == 422
    assert "Number of the order" in answer.text
    bad = owner.post(f"{place}/fields", {"path.ref": "id", "how.ref": "eval"})
    assert bad.status_code == 422


@needs.plugins("woocommerce")
def test_other_shops_have_the_page_as_it_was(
    sign_in: Any, hub: Hub, world: World, erp: ScriptedPeer
) -> None:
    given = {"url": erp.url, "key": "ck_1", "secret": "cs_1"}
    with hub.store.write() as session:
        id = hub.connections.save(session, "woocommerce", given, merchant=world.merchant).id
    page = sign_in("owner").get(f"/admin/connections/{id}/mapping").text
    assert "Which field comes from where" not in page
    assert "A live sample" in page
    answer = sign_in("ops").post(f"/admin/connections/{id}/fields", MAPPED)
    assert answer.status_code == 422


def test_a_merchant_maps_its_own_system_but_sets_up_no_folder_of_the_hubs_machine(
    sign_in: Any, hub: Hub, world: World, erp: ScriptedPeer
) -> None:
    given = {"url": erp.url, "records": "belege"}
    with hub.store.write() as session:
        id = hub.connections.save(session, "generic", given, merchant=world.merchant).id
        own = {"path": "/srv/orders"}
        save = hub.connections.save
        folder = save(session, "generic_folder", own, merchant=world.merchant).id
    merchant = sign_in("merchant", merchant=world.merchant)
    assert merchant.post(f"/admin/connections/{id}/fields", MAPPED).status_code == 302
    listed = merchant.get("/admin/connections").text
    assert '/new/generic"' in listed
    assert "/new/generic_folder" not in listed
    assert merchant.get("/admin/connections/new/generic_folder").status_code == 403
    assert merchant.post(f"/admin/connections/{folder}/fields", MAPPED).status_code == 403
    assert "The operator of the hub keeps this mapping" in (
        merchant.get(f"/admin/connections/{folder}/mapping").text
    )


def test_reading_everything_once_more_begins_at_the_start(
    begun: tuple[Browser, str], hub: Hub
) -> None:
    owner, place = begun
    owner.post(f"{place}/fields", MAPPED)
    owner.post(f"{place}/setup/enable")
    worker(hub)
    assert only(hub).cursor
    owner.post(f"{place}/fields", {**MAPPED, "path.notes": "=Ring", "anew": "yes"})
    worker(hub)
    with hub.store.read() as session:
        assert set(session.exec(select(OrderRow.notes))) == {"Ring"}
    assert len(refs(hub)) == 99


def test_the_form_begins_with_the_address_and_folds_what_few_need(
    sign_in: Any, hub: Hub, world: World, erp: ScriptedPeer
) -> None:
    page = sign_in("owner").get("/admin/connections/new/generic").text
    places = [page.index(text) for text in (
        'name="config.url"', 'name="config.format"', "How the hub signs in", "Webhooks in",
        "News out", "Files and tables", "Save and test",
    )]  # fmt: skip
    assert places == sorted(places)
    assert page.count('<details class="more"') == page.count("</details>") == 5
    given = {"url": erp.url, "auth": "bearer", "token": "t" * 20}
    with hub.store.write() as session:
        id = hub.connections.save(session, "generic", given, merchant=world.merchant).id
    kept = sign_in("ops").get(f"/admin/connections/{id}/settings").text
    opened = kept.partition("How the hub signs in")[0].rpartition("<details")[2]
    assert "open" in opened, "what was set is seen at once"
    assert "t" * 20 not in kept
