"""One's own account: name, password, and the browsers that are signed in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from hub.access import users
from hub.hub import Hub
from hub.store import AuditRow, SessionRow, Store, UserRow
from hub.web import create_app
from tests.web.test_signin import PASSWORD, csrf

NEW = "seven green bicycles"


@pytest.fixture
def app(hub: Hub) -> Any:
    hashed = users.hash_password(PASSWORD)
    with hub.store.write() as session:
        users.add_user(session, "mara@example.com", "dispatcher", name="Mara", hashed=hashed)
    return create_app(hub)


@pytest.fixture
def browsers(app: Any) -> list[FlaskClient]:
    """Two browsers in which Mara is signed in."""
    return [sign_in(app), sign_in(app)]


def sign_in(app: Any, password: str = PASSWORD) -> FlaskClient:
    client: FlaskClient = app.test_client()
    form = {"email": "mara@example.com", "password": password, "csrf_token": csrf(client)}
    assert client.post("/sign-in", data=form).status_code == 302
    return client


def post(client: FlaskClient, path: str, form: dict[str, str] | None = None) -> Any:
    token = csrf(client, "/account")
    headers = {"X-CSRFToken": token, "Accept": "text/html"}
    return client.post(path, data=form, headers=headers)


def is_in(client: FlaskClient) -> bool:
    return client.get("/account", headers={"Accept": "text/html"}).status_code == 200


def change(client: FlaskClient, current: str = PASSWORD, new: str = NEW) -> Any:
    return post(client, "/account/password", {"current": current, "password": new})


def test_a_new_password_signs_every_other_browser_out(
    app: Any, browsers: list[FlaskClient]
) -> None:
    assert change(browsers[0]).status_code == 302
    assert [is_in(one) for one in browsers] == [True, False]
    assert is_in(sign_in(app, NEW))


@pytest.mark.parametrize(
    ("current", "new", "why"),
    [
        ("wrong", NEW, "not your current password"),
        (PASSWORD, "short", "at least 12"),
        (PASSWORD, "mara2026mara", "your own name"),
    ],
)
def test_a_password_that_will_not_do_changes_nothing(
    browsers: list[FlaskClient], current: str, new: str, why: str
) -> None:
    response = change(browsers[0], current, new)
    assert response.status_code == 422
    assert why in response.text
    assert [is_in(one) for one in browsers] == [True, True]


def test_guessing_the_current_password_is_counted_as_at_the_door(
    browsers: list[FlaskClient],
) -> None:
    said = [change(browsers[0], f"wrong {n}").status_code for n in range(6)]
    assert said == [422] * 5 + [429]


def test_whoever_forgot_the_password_sets_a_new_one_after_a_one_time_link(
    app: Any, hub: Hub
) -> None:
    client = app.test_client()
    with hub.store.write() as session:
        token = users.sign_in_link(session, "mara@example.com")
    client.post(f"/sign-in/{token}", data={"csrf_token": csrf(client, f"/sign-in/{token}")})
    assert 'name="current"' not in client.get("/account").text
    assert change(client, "").status_code == 302
    with hub.store.write() as session:
        row = session.exec(select(SessionRow)).one()
        row.created_at = session.wall - timedelta(hours=2)
    assert 'name="current"' in client.get("/account").text
    assert change(client, "").status_code == 422


def test_the_page_lists_browsers_and_ends_one_or_all_others(
    browsers: list[FlaskClient], hub: Hub, app: Any
) -> None:
    assert browsers[0].get("/account").text.count("last seen") == 2
    with hub.store.read() as session:
        ids = list(session.exec(select(SessionRow.id).order_by(SessionRow.created_at)))
    post(browsers[0], f"/account/sessions/{ids[1]}/end")
    assert [is_in(one) for one in browsers] == [True, False]
    third = sign_in(app)
    post(browsers[0], "/account/sessions/end-others")
    assert [is_in(one) for one in (browsers[0], third)] == [True, False]


def test_signing_out_ends_the_session_also_for_a_copy_of_its_cookie(
    browsers: list[FlaskClient], app: Any
) -> None:
    with browsers[0].session_transaction() as cookie:
        copied = dict(cookie)
    assert post(browsers[0], "/sign-out").status_code == 302
    thief = app.test_client()
    with thief.session_transaction() as cookie:
        cookie.update(copied)
    assert not is_in(thief)
    assert is_in(browsers[1])


def test_signing_in_begins_a_session_of_its_own_each_time(app: Any) -> None:
    client = sign_in(app)
    with client.session_transaction() as cookie:
        first = cookie["_user_id"]
    post(client, "/sign-out")
    form = {"email": "mara@example.com", "password": PASSWORD, "csrf_token": csrf(client)}
    client.post("/sign-in", data=form)
    with client.session_transaction() as cookie:
        assert cookie["_user_id"] != first


def test_a_cookie_that_names_a_user_opens_nothing(app: Any, hub: Hub) -> None:
    client = app.test_client()
    with hub.store.read() as session:
        user = users.find_user(session, "mara@example.com").id
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = user, True
    assert not is_in(client)


def age(hub: Hub) -> None:
    """Let nobody have been seen for an hour."""
    with hub.store.write() as session:
        for row in session.exec(select(SessionRow)):
            row.last_seen_at = session.wall - timedelta(hours=1)
        for user in session.exec(select(UserRow)):
            user.seen_at = session.wall - timedelta(hours=1)


def seen(hub: Hub) -> list[bool]:
    """Say of each session and user whether it was seen in the last minute."""
    with hub.store.read() as session:
        recent = session.wall - timedelta(minutes=1)
        rows = [row.last_seen_at for row in session.exec(select(SessionRow))]
        return [
            at is not None and at > recent for at in [*rows, *session.exec(select(UserRow.seen_at))]
        ]


def test_a_request_notes_that_its_session_is_in_use_now_and_then(app: Any, hub: Hub) -> None:
    client = sign_in(app)
    age(hub)
    assert is_in(client)
    assert seen(hub) == [True, True]


def test_a_busy_database_costs_the_note_and_not_the_request(app: Any, hub: Hub) -> None:
    client = sign_in(app)
    age(hub)
    other = Store(hub.settings.database_url)
    with other.write() as session:
        session.exec(select(SessionRow).with_for_update()).one()
        assert is_in(client)
    other.close()
    assert seen(hub) == [False, False]
    assert is_in(client)
    assert seen(hub) == [True, True]


def test_what_somebody_does_to_the_own_account_is_written_down(
    browsers: list[FlaskClient], hub: Hub
) -> None:
    post(browsers[0], "/account/name", {"name": "Mara Vogt"})
    change(browsers[0])
    with hub.store.read() as session:
        rows = session.exec(select(AuditRow).order_by(AuditRow.id)).all()
    told = [(row.action, row.name, row.address) for row in rows if row.via == "session"]
    assert told == [
        ("session.began", "Mara", "127.0.0.1"),
        ("session.began", "Mara", "127.0.0.1"),
        ("person.renamed", "Mara Vogt", "127.0.0.1"),
        ("password.changed", "Mara Vogt", "127.0.0.1"),
    ]
    kept = str([row.model_dump() for row in rows])
    assert NEW not in kept
    assert PASSWORD not in kept


def test_everybody_who_signs_in_has_an_account_page(
    sign_in: Callable[..., Any], world: Any
) -> None:
    for role in ("owner", "dispatcher", "ops", "accountant"):
        page = sign_in(role).get("/account")
        assert page.status_code == 200
        assert f'aria-label="My account: {role}"' in page.text
    assert sign_in("merchant", world.merchant).get("/account").status_code == 200
