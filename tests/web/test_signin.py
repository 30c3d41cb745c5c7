"""Signing in by password and by one-time link."""

import re

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from hub.access import sessions, tokens, users
from hub.hub import Hub
from hub.store import SessionRow
from hub.web import create_app, tries

PASSWORD = "correct horse"


@pytest.fixture
def client(hub: Hub) -> FlaskClient:
    hashed = users.hash_password(PASSWORD)
    with hub.store.write() as session:
        users.add_user(session, "mara@example.com", "dispatcher", hashed=hashed)
    return create_app(hub).test_client()


def csrf(client: FlaskClient, path: str = "/sign-in") -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    assert found
    return found[1]


def enter(client: FlaskClient, password: str, next: str = "") -> object:
    form = {"email": "Mara@example.com", "password": password, "csrf_token": csrf(client)}
    return client.post("/sign-in", data={**form, "next": next})


def test_the_right_password_opens_the_page_that_was_asked_for(client: FlaskClient) -> None:
    response = enter(client, PASSWORD, "/admin/imports?all=1")
    assert (response.status_code, response.location) == (302, "/admin/imports?all=1")


@pytest.mark.parametrize("elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_signing_in_never_leads_to_another_site(client: FlaskClient, elsewhere: str) -> None:
    assert enter(client, PASSWORD, elsewhere).location == "/"


def test_a_wrong_password_is_told_in_words_and_too_many_pause_the_account(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tries, "FREE", 3)
    first = enter(client, "wrong")
    assert first.status_code == 422
    assert "do not belong together" in first.text
    for _ in range(2):
        enter(client, "wrong")
    paused = enter(client, PASSWORD)
    assert paused.status_code == 429
    assert 0 < int(paused.headers["Retry-After"]) <= tries.FIRST


def test_a_form_without_its_token_is_refused(client: FlaskClient) -> None:
    response = client.post("/sign-in", data={"email": "mara@example.com", "password": PASSWORD})
    assert response.status_code == 400


def test_an_answer_that_was_on_its_way_does_not_bring_an_ended_session_back(
    client: FlaskClient, hub: Hub
) -> None:
    enter(client, PASSWORD)
    late = client.get("/board/state")
    assert late.status_code == 200
    assert "Set-Cookie" not in late.headers
    with hub.store.write() as session:
        row = session.exec(select(SessionRow)).one()
        row.last_seen_at -= 2 * sessions.SEEN_EVERY
    renewed = client.get("/board/state").headers["Set-Cookie"]
    assert renewed.startswith("hub_session=")
    assert "Expires=" in renewed, "who keeps using the hub stays signed in"
    assert "Set-Cookie" not in client.get("/board/state").headers


def test_a_link_shows_a_button_and_works_once(client: FlaskClient, hub: Hub) -> None:
    with hub.store.write() as session:
        user = users.add_user(session, "nino@example.com", "ops", name="Nino")
        session.flush()
        token = tokens.issue(session, "sign_in", user.id)
    path = f"/sign-in/{token}"
    assert "Welcome, Nino" in client.get(path).text
    assert "Welcome, Nino" in client.get(path).text, "looking at it spends nothing"
    form = {"csrf_token": csrf(client, path)}
    assert client.post(path, data=form).status_code == 302
    assert "not valid" in client.get(path).text


def test_a_disabled_user_is_out_at_the_next_request(client: FlaskClient, hub: Hub) -> None:
    enter(client, PASSWORD)
    assert client.get("/admin/imports").status_code == 200
    with hub.store.write() as session:
        users.disable(session, "mara@example.com")
    shown = client.get("/admin/imports", headers={"Accept": "text/html"})
    assert shown.status_code == 302
    assert shown.location.startswith("/sign-in?")
    told = client.get("/api/v1/drivers")
    assert (told.status_code, told.mimetype) == (401, "application/problem+json")
    assert enter(client, PASSWORD).status_code == 422


def test_a_link_made_for_a_user_who_is_disabled_since_signs_nobody_in(
    client: FlaskClient, hub: Hub
) -> None:
    with hub.store.write() as session:
        token = tokens.issue(session, "sign_in", users.find_user(session, "mara@example.com").id)
    form = {"csrf_token": csrf(client, f"/sign-in/{token}")}
    with hub.store.write() as session:
        users.disable(session, "mara@example.com")
    assert "not valid" in client.get(f"/sign-in/{token}").text
    assert client.post(f"/sign-in/{token}", data=form).status_code == 401
