"""The page of people: invite, change, keep out, let in again."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from hub.access import factors, users
from hub.hub import Hub
from hub.store import AuditRow, System, UserRow, WorkRow
from hub.testing.fixtures import World
from hub.web import create_app
from tests.web.test_signin import csrf

PASSWORD = "seven green bicycles"


@pytest.fixture
def owner(sign_in: Callable[..., Any]) -> Any:
    return sign_in("owner")


def invite(owner: Any, role: str = "ops", email: str = "mara@example.com") -> str:
    """Invite somebody and return the path of the link that is shown."""
    page = owner.post("/admin/people/invite", {"email": email, "role": role})
    assert page.status_code == 200, page.text
    found = re.search(r'value="http[^"]*(/welcome/[^"]+)"', page.text)
    assert found
    return found[1]


def accept(hub: Hub, path: str, password: str = PASSWORD) -> tuple[FlaskClient, Any]:
    client = create_app(hub).test_client()
    form = {"name": "Mara Vogt", "password": password, "csrf_token": csrf(client, path)}
    return client, client.post(path, data=form, headers={"Accept": "text/html"})


def find(hub: Hub, email: str = "mara@example.com") -> UserRow:
    with hub.store.read() as session:
        return users.find_user(session, email)


def test_an_invited_person_comes_in_with_the_role_and_without_a_mail(
    owner: Any, hub: Hub, world: World
) -> None:
    assert "sends no mail" in owner.get("/admin/people").text
    path = invite(owner, f"merchant:{world.merchant}")
    client, answer = accept(hub, path)
    assert (answer.status_code, answer.location) == (302, "/m")
    assert client.get("/m").status_code == 200
    row = find(hub)
    assert (row.name, row.role, row.merchant) == ("Mara Vogt", "merchant", world.merchant)


def test_looking_at_an_invitation_spends_nothing_and_the_link_is_shown_once(
    owner: Any, hub: Hub
) -> None:
    path = invite(owner)
    assert path not in owner.get("/admin/people").text
    client = create_app(hub).test_client()
    for _ in range(2):
        assert "mara@example.com" in client.get(path).text
    _, answer = accept(hub, path)
    assert answer.status_code == 302
    assert "not valid" in client.get(path).text


def test_a_weak_password_is_told_and_spends_nothing(owner: Any, hub: Hub) -> None:
    path = invite(owner)
    _, answer = accept(hub, path, "mara2026mara")
    assert answer.status_code == 422
    assert "own name or address" in answer.text
    assert accept(hub, path)[1].status_code == 302


def test_a_new_link_ends_the_old_one_and_a_withdrawn_one_opens_nothing(
    owner: Any, hub: Hub
) -> None:
    first = invite(owner)
    id = find(hub).id
    page = owner.post(f"/admin/people/{id}/invitation").text
    second = re.search(r"/welcome/[\w-]+", page)
    assert second
    assert "not valid" in owner.get(first).text
    assert "mara@example.com" in owner.get(second[0]).text
    owner.post(f"/admin/people/{id}/withdraw")
    assert "not valid" in owner.get(second[0]).text


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"email": "no address", "role": "ops"}, "is no e-mail address"),
        ({"email": "owner@example.com", "role": "ops"}, "already has an account"),
        ({"email": "x@example.com", "role": "king"}, "There is no role"),
        ({"email": "x@example.com", "role": "merchant"}, "belongs to a merchant"),
    ],
)
def test_an_invitation_that_cannot_be_is_told(owner: Any, form: dict[str, str], why: str) -> None:
    page = owner.post("/admin/people/invite", form)
    assert page.status_code == 422
    assert why in page.text


def test_somebody_kept_out_is_out_at_the_next_request_and_can_be_let_in_again(
    owner: Any, hub: Hub
) -> None:
    client, _ = accept(hub, invite(owner))
    assert client.get("/account").status_code == 200
    id = find(hub).id
    back = owner.post(f"/admin/people/{id}/switch", {"enabled": ""})
    assert client.get("/account", headers={"Accept": "text/html"}).status_code == 302
    page = owner.get(back.location).text
    assert "is kept out from the next request on" in page
    assert re.search(r'name="enabled" value="yes"><button class="button">Undo', page)
    owner.post(f"/admin/people/{id}/switch", {"enabled": "yes"})
    assert find(hub).disabled_at is None
    headers = {"Accept": "text/html"}
    assert client.get("/account", headers=headers).status_code == 302, "the old session is over"


def test_another_role_ends_open_sessions_and_can_be_undone(owner: Any, hub: Hub) -> None:
    client, _ = accept(hub, invite(owner))
    id = find(hub).id
    back = owner.post(f"/admin/people/{id}/role", {"role": "accountant"})
    assert client.get("/account", headers={"Accept": "text/html"}).status_code == 302
    page = owner.get(back.location).text
    assert "is accountant now" in page
    assert re.search(r'name="role" value="ops"><button class="button">Undo', page)
    owner.post(f"/admin/people/{id}/role", {"role": "ops"})
    assert find(hub).role == "ops"


def test_the_last_owner_can_be_neither_kept_out_nor_demoted(owner: Any, hub: Hub) -> None:
    id = find(hub, "owner@example.com").id
    for path, form in (("switch", {"enabled": ""}), ("role", {"role": "ops"})):
        page = owner.post(f"/admin/people/{id}/{path}", form)
        assert page.status_code == 422
        assert "is the last owner" in page.text
    assert find(hub, "owner@example.com").role == "owner"


def test_the_owner_helps_somebody_back_in(owner: Any, hub: Hub) -> None:
    accept(hub, invite(owner))
    row = find(hub)
    with hub.store.write() as session:
        import time

        import pyotp

        made = factors.begin(session, hub.keys, row, "Hub")
        factors.confirm(session, hub.keys, row, pyotp.TOTP(made.secret).at(time.time()))
    assert "Reset the second factor" in owner.get("/admin/people").text
    owner.post(f"/admin/people/{row.id}/factor")
    page = owner.post(f"/admin/people/{row.id}/link").text
    link = re.search(r"/sign-in/[\w-]+", page)
    assert link
    client = create_app(hub).test_client()
    form = {"csrf_token": csrf(client, link[0])}
    assert client.post(link[0], data=form).location == "/"


def test_the_owner_says_which_roles_need_a_second_factor(owner: Any, hub: Hub) -> None:
    owner.post("/admin/people/second-factor", {"role": ["ops", "accountant", "nonsense"]})
    with hub.store.read() as session:
        assert factors.required(session) == {"ops", "accountant"}
        said = session.exec(select(AuditRow.text).where(AuditRow.action == "setting.changed")).one()
    assert said == "asks a second factor of: accountant, ops"


def test_only_an_owner_sees_people(sign_in: Callable[..., Any], world: World) -> None:
    for role in ("dispatcher", "ops", "accountant"):
        assert sign_in(role).get("/admin/people").status_code == 403
    merchant = sign_in("merchant", world.merchant)
    assert merchant.get("/admin/people").status_code == 403
    page = merchant.get("/admin/settings").text
    assert "API keys" in page
    assert "Audit log" not in page


def test_a_link_is_mailed_where_the_operator_has_a_connection_for_that(
    owner: Any, hub: Hub, world: World
) -> None:
    invite(owner)
    id = find(hub).id
    assert "E-mail a link" not in owner.get("/admin/people").text
    refused = owner.post(f"/admin/people/{id}/mail", {})
    assert refused.status_code == 422
    assert "set one up first" in refused.text
    told = {"host": "mail.fleet.example", "sender": "deliveries@fleet.example"}
    with hub.store.write(System()) as session:
        hub.connections.save(session, "email", told, merchant=world.merchant)
    assert "E-mail a link" not in owner.get("/admin/people").text, "that is the merchant's own"
    with hub.store.write(System()) as session:
        hub.connections.save(session, "email", told)
    assert "E-mail a link" in owner.get("/admin/people").text
    done = owner.post(f"/admin/people/{id}/mail", {})
    assert (done.status_code, done.headers["Location"]) == (302, "/admin/people")
    with hub.store.read() as session:
        (work,) = session.exec(select(WorkRow).where(WorkRow.kind == "invitation"))
    assert (work.subject, work.queue, work.state) == (id, "outward", "ready")


def test_who_has_come_in_is_mailed_no_invitation(owner: Any, hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        row = users.add_user(session, "jo@example.com", "ops")
        session.flush()
        id = row.id
    answer = owner.post(f"/admin/people/{id}/mail", {})
    assert answer.status_code == 422
    assert "has come in already" in answer.text
