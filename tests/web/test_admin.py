"""The owner's pages: connections, plugins, imports, dead letters, messages."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, Field, SecretStr
from sqlmodel import select

from hub.errors import Unauthorized
from hub.hub import Hub
from hub.queue.work import claim
from hub.store import (
    ConnectionRow,
    EffectRow,
    EventRow,
    ImportErrorRow,
    ImportRow,
    MerchantRow,
    MessageRow,
    PluginRow,
    RevisionRow,
    RunRow,
    StepRow,
    WorkflowRow,
    WorkRow,
)
from hub.testing.days import DAY, NOW, fill_day
from hub.testing.fixtures import MORNING, World, set_time
from hub.web.admin import forms
from hub.workflow import checks
from hub.workflow.parts import assemble


@pytest.fixture
def owner(sign_in: Callable[..., Any], hub: Hub) -> Any:
    assemble(hub)
    return sign_in("owner")


def add_folder(hub: Hub, path: str, merchant: str | None = None) -> str:
    with hub.store.write() as session:
        kept = hub.connections.save(session, "folder", {"path": path}, merchant=merchant)
        return kept.id


def work(hub: Hub, queue: str) -> None:
    for one in claim(hub.store, queue, "test", 10):
        hub.handlers[one.kind](hub, one)


def row_of(hub: Hub, table: Any, id: str) -> Any:
    with hub.store.read() as session:
        return session.get_one(table, id)


class Settings(BaseModel):
    """One field of every kind."""

    url: str = Field(title="Address", description="Where it is")
    token: SecretStr
    pages: int = 3
    consent: bool = False
    tags: list[str] = []
    region: str | None = None


def test_a_form_has_a_field_for_every_setting_and_shows_no_secret() -> None:
    made = {
        one.name: one
        for one in forms.fields(
            Settings, {"url": "https://x", "token": "hush", "tags": ["a", "b"]}, True
        )
    }
    assert {name: one.kind for name, one in made.items()} == {
        "url": "text", "token": "password", "pages": "number", "consent": "checkbox",
        "tags": "lines", "region": "text",
    }  # fmt: skip
    assert (made["url"].label, made["url"].hint, made["url"].required) == (
        "Address",
        "Where it is",
        True,
    )
    assert (made["token"].value, made["token"].kept, made["token"].required) == ("", True, False)
    assert (made["pages"].value, made["tags"].value) == ("3", "a\nb")


def test_what_a_browser_sends_becomes_settings() -> None:
    sent = {
        "config.url": " https://x ",
        "config.token": "hush",
        "config.tags": "a\n\n b ",
        "config.pages": "",
    }
    assert forms.settings(Settings, sent) == {
        "url": "https://x", "token": "hush", "consent": False, "tags": ["a", "b"],
    }  # fmt: skip


def test_a_connection_is_checked_in_a_worker_and_its_card_says_so(
    owner, hub: Hub, tmp_path
) -> None:
    id = add_folder(hub, str(tmp_path))
    owner.post(f"/admin/connections/{id}/check")
    assert "Checking" in owner.get("/admin/connections").text
    work(hub, "outward")
    page = owner.get(f"/admin/connections/{id}/card").text
    assert "Healthy" in page
    assert "Checking" not in page
    assert row_of(hub, ConnectionRow, id).checked_at is not None


def test_a_wrong_setting_is_marked_at_its_field_and_nothing_is_stored(owner, hub: Hub) -> None:
    response = owner.post("/admin/connections/new/folder", {"config.path": "not/absolute"})
    assert response.status_code == 422
    assert 'aria-invalid="true"' in response.text
    assert "not/absolute" in response.text, "what was typed is not lost"
    with hub.store.read() as session:
        assert session.exec(select(ConnectionRow)).all() == []


def test_a_stored_secret_is_never_shown_and_kept_when_left_empty(owner, hub: Hub) -> None:
    given = {
        "config.url": "https://tracking.example.com",
        "config.token": "very secret",
    }
    owner.post("/admin/connections/new/traccar", given)
    with hub.store.read() as session:
        row = session.exec(select(ConnectionRow)).one()
    settings = f"/admin/connections/{row.id}/settings"
    assert "very secret" not in owner.get(settings).text
    owner.post(settings, {**given, "config.token": "", "config.url": "https://other.example.com"})
    kept = hub.connections.settings(row_of(hub, ConnectionRow, row.id))
    assert (kept["token"], kept["url"]) == ("very secret", "https://other.example.com")


def test_a_check_that_is_refused_asks_for_reconnection(
    owner, hub: Hub, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: object) -> None:
        raise Unauthorized("the token has expired")

    id = add_folder(hub, str(tmp_path))
    monkeypatch.setattr(hub.plugins.connector("folder"), "check", refuse)
    owner.post(f"/admin/connections/{id}/check")
    work(hub, "outward")
    row = row_of(hub, ConnectionRow, id)
    assert (row.state, row.reason) == ("action_needed", "the token has expired")
    page = owner.get("/admin/connections").text
    assert "Has to be reconnected: the token has expired" in page


def test_any_other_failure_of_a_check_is_told_and_the_connection_stays_in_use(
    owner, hub: Hub, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall(self: object) -> None:
        raise KeyError("no such thing")

    id = add_folder(hub, str(tmp_path))
    monkeypatch.setattr(hub.plugins.connector("folder"), "check", fall)
    owner.post(f"/admin/connections/{id}/check")
    work(hub, "outward")
    row = row_of(hub, ConnectionRow, id)
    assert row.state == "degraded"
    assert "KeyError" in row.reason
    with hub.store.read() as session:
        assert (
            session.exec(select(WorkRow.state).where(WorkRow.kind == checks.KIND)).one() == "done"
        )


def test_a_switch_turns_a_connection_off_and_releases_its_work_when_on(
    owner, hub: Hub, world: World, tmp_path
) -> None:
    id = add_folder(hub, str(tmp_path))
    effect = parked(hub, world, id)
    owner.post(f"/admin/connections/{id}/switch", {"enabled": ""})
    assert row_of(hub, ConnectionRow, id).enabled is False
    assert "1 record waits" in owner.get("/admin/connections").text
    owner.post(f"/admin/connections/{id}/switch", {"enabled": "yes"})
    assert row_of(hub, ConnectionRow, id).enabled is True
    assert row_of(hub, EffectRow, effect).state == "pending"


def test_htmx_gets_the_card_alone(owner, hub: Hub, tmp_path) -> None:
    id = add_folder(hub, str(tmp_path))
    token = {"X-CSRFToken": "", "HX-Request": "true"}
    assert "<html" not in owner.get(f"/admin/connections/{id}/card", headers=token).text


def test_a_plugin_is_switched_off_for_all_its_connections(owner, hub: Hub, tmp_path) -> None:
    add_folder(hub, str(tmp_path))
    owner.post("/admin/plugins/folder/switch", {"enabled": ""})
    assert row_of(hub, PluginRow, "folder").enabled is False
    assert "is switched off" in owner.get("/admin/connections").text
    owner.post("/admin/plugins/folder/switch", {"enabled": "yes"})
    assert row_of(hub, PluginRow, "folder").enabled is True


def test_a_plugin_that_cannot_be_loaded_is_named_with_its_error(owner, hub: Hub) -> None:
    hub.plugins.plugins["csv"].error = "ImportError: no module named boom"
    assert "ImportError: no module named boom" in owner.get("/admin/plugins").text


def test_a_file_is_imported_and_its_mistakes_are_listed_by_line(
    owner, hub: Hub, world: World
) -> None:
    lines = (
        "ref,name,address,postcode,city,lat,lon,service_date",
        "A1,Anna Beck,Städtle 1,9490,Vaduz,47.14,9.52,2026-11-23",
        "A2,Beat Frick,Städtle 2,9490,Vaduz,1000,9.52,2026-11-23",
    )
    file = (io.BytesIO("\n".join(lines).encode()), "orders.csv")
    response = owner.post("/admin/imports", {"file": file, "merchant": world.merchant})
    assert response.status_code == 302
    assert "Waits for a worker" in owner.get(response.location).text
    work(hub, "heavy")
    page = owner.get(response.location).text
    assert "orders.csv" in page
    assert '<th scope="row" class="number">3</th>' in page, "line 3 of the file was left out"
    assert "orders.csv" in owner.get("/admin/imports").text


def test_an_upload_without_a_file_is_answered_in_words(owner, world: World) -> None:
    response = owner.post("/admin/imports", {"merchant": world.merchant})
    assert response.status_code == 422
    assert "Choose a file first." in response.text


def test_without_any_merchant_the_imports_say_what_comes_first(owner) -> None:
    page = owner.get("/admin/imports").text
    assert "No merchant yet" in page
    assert 'href="/admin/merchants#add"' in page
    assert 'type="file"' not in page


def test_a_merchant_imports_for_itself_and_sees_only_its_own(
    sign_in, hub: Hub, world: World
) -> None:
    with hub.store.write() as session:
        other = MerchantRow(name="Rheinbrot", slug="rheinbrot")
        session.add(other)
        session.flush()
        theirs = ImportRow(merchant=other.id, filename="theirs.csv", sha256="x", created_at=MORNING)
        session.add(theirs)
        session.flush()
        session.add(ImportErrorRow(import_=theirs.id, line=1, reason="x"))
    browser = sign_in("merchant", world.merchant)
    file = (io.BytesIO(b"ref,name\n1,Anna"), "mine.csv")
    assert browser.post("/admin/imports", {"file": file, "merchant": other.id}).status_code == 302
    with hub.store.read() as session:
        mine = session.exec(select(ImportRow).where(ImportRow.filename == "mine.csv")).one()
    assert mine.merchant == world.merchant, "whatever the form says"
    page = browser.get("/admin/imports").text
    assert "mine.csv" in page
    assert "theirs.csv" not in page
    assert browser.get(f"/admin/imports/{theirs.id}").status_code == 404


def test_a_merchant_sees_its_orders_and_no_admin_page(sign_in, hub: Hub, world: World) -> None:
    set_time(hub, NOW)
    fill_day(hub, world, routes=1, per_route=3)
    browser = sign_in("merchant", world.merchant)
    page = browser.get("/m").text
    assert "#1001" in page
    assert "Delivered" in page
    assert "#1001" not in browser.get(f"/m?date={DAY.replace(day=1)}").text
    for path in "/admin/plugins", "/admin/workflows", "/admin/dead-letters", "/":
        assert browser.get(path).status_code == 403


TEXT = """
workflow: delivered
on: [{event: stop.completed}]
steps:
  - {id: hand_over, use: dispatch.flag, with: {kind: late, text: "{{ event.order.ref }}"}}
"""


def failed_run(hub: Hub, world: World) -> str:
    with hub.store.write() as session:
        event = EventRow(
            type="stop.completed", subject="stp_1", occurred_at=MORNING, recorded_at=MORNING,
            data={"order": {"ref": "#1007"}},
        )  # fmt: skip
        session.add_all([event, WorkflowRow(name="delivered")])
        session.flush()
        revision = RevisionRow(
            workflow="delivered", number=1, text=TEXT, sha256="1", saved_at=MORNING
        )
        session.add(revision)
        session.flush()
        run = RunRow(
            workflow="delivered", revision=revision.id, event=event.id, merchant=world.merchant,
            state="failed", started_at=MORNING,
            error={"step": "hand_over", "kind": "rejected", "message": "no invoice INV-7"},
        )  # fmt: skip
        session.add(run)
        session.flush()
        session.add(StepRow(run=run.id, path="hand_over", number=0, state="failed"))
        return run.id


def parked(hub: Hub, world: World, connection: str) -> str:
    run = failed_run(hub, world)
    with hub.store.write() as session:
        step = session.exec(select(StepRow).where(StepRow.run == run)).one()
        effect = EffectRow(
            key="k", run=run, step=step.id, item=connection, connection=connection, state="parked"
        )
        session.add(effect)
        session.flush()
        return effect.id


def test_a_dead_letter_says_why_and_is_retried_from_its_step(owner, hub: Hub, world: World) -> None:
    run = failed_run(hub, world)
    page = owner.get("/admin/dead-letters").text
    for words in "delivered", "no invoice INV-7", "#1007":
        assert words in page
    assert owner.post(f"/admin/dead-letters/runs/{run}/retry").status_code == 302
    assert row_of(hub, RunRow, run).state == "running"
    assert "No dead letters" in owner.get("/admin/dead-letters").text


def test_buried_work_can_be_made_due_again(owner, hub: Hub) -> None:
    with hub.store.write() as session:
        row = WorkRow(
            kind="geocode", subject="ord_1", state="dead", not_before=MORNING, created_at=MORNING,
            error="eight tries failed",
        )  # fmt: skip
        session.add(row)
        session.flush()
    assert "eight tries failed" in owner.get("/admin/dead-letters").text
    owner.post(f"/admin/dead-letters/work/{row.id}/retry")
    assert row_of(hub, WorkRow, row.id).state == "ready"


def test_messages_show_their_text_and_why_one_was_rejected(owner, hub: Hub, world: World) -> None:
    with hub.store.write() as session:
        session.add(
            MessageRow(
                key="k", merchant=world.merchant, channel="sms", to="+423", text="<b>Hello</b>",
                state="rejected", error="no such number", created_at=MORNING,
            )
        )  # fmt: skip
    page = owner.get("/admin/messages").text
    assert "no such number" in page
    assert "&lt;b&gt;Hello" in page
