"""The second factor at the door and on one's own account."""

from __future__ import annotations

import re
import time
from typing import Any

import pyotp
import pytest
from flask.testing import FlaskClient
from sqlmodel import col, update

from hub.access import factors, users
from hub.hub import Hub
from hub.store import FactorRow, UserRow
from hub.web import create_app
from tests.web.test_signin import PASSWORD, csrf


@pytest.fixture
def client(hub: Hub) -> FlaskClient:
    hashed = users.hash_password(PASSWORD)
    with hub.store.write() as session:
        users.add_user(session, "mara@example.com", "dispatcher", name="Mara", hashed=hashed)
    return create_app(hub).test_client()


def set_up(hub: Hub, email: str) -> tuple[pyotp.TOTP, list[str]]:
    """Turn the second factor on; the next code of the app is one that was not used yet."""
    with hub.store.write() as session:
        row = users.find_user(session, email)
        totp = pyotp.TOTP(factors.begin(session, hub.keys, row, "Hub").secret)
        codes = factors.confirm(session, hub.keys, row, totp.at(time.time()))
        session.exec(update(FactorRow).values(last_step=col(FactorRow.last_step) - 3))
    return totp, codes


def half_way(client: FlaskClient, email: str = "mara@example.com", next: str = "") -> Any:
    """Give the right password."""
    form = {"email": email, "password": PASSWORD, "csrf_token": csrf(client), "next": next}
    return client.post("/sign-in", data=form)


def give(client: FlaskClient, code: str) -> Any:
    """Give a code at the door."""
    form = {"code": code, "csrf_token": csrf(client, "/sign-in/code")}
    return client.post("/sign-in/code", data=form)


def post(client: FlaskClient, path: str, form: dict[str, Any] | None = None) -> Any:
    """Send a form of a page of somebody who is signed in."""
    page = client.get("/account/second-factor").text
    token = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert token
    headers = {"X-CSRFToken": token[1], "Accept": "text/html"}
    return client.post(path, data=form, headers=headers)


def test_the_password_alone_opens_nothing(client: FlaskClient, hub: Hub) -> None:
    totp, _ = set_up(hub, "mara@example.com")
    response = half_way(client, next="/admin/imports?all=1")
    assert response.location == "/sign-in/code"
    assert client.get("/admin/imports").status_code in (302, 401)
    assert give(client, "000000").status_code == 422
    assert client.get("/admin/imports").status_code in (302, 401)
    response = give(client, totp.at(time.time()))
    assert (response.status_code, response.location) == (302, "/admin/imports?all=1")
    assert client.get("/admin/imports").status_code == 200


def test_a_one_time_link_does_not_skip_the_second_factor(client: FlaskClient, hub: Hub) -> None:
    totp, _ = set_up(hub, "mara@example.com")
    with hub.store.write() as session:
        token = users.sign_in_link(session, "mara@example.com")
    form = {"csrf_token": csrf(client, f"/sign-in/{token}")}
    assert client.post(f"/sign-in/{token}", data=form).location == "/sign-in/code"
    assert client.get("/account").status_code in (302, 401)
    assert give(client, totp.at(time.time())).status_code == 302
    assert client.get("/account").status_code == 200


def test_a_recovery_code_opens_and_says_how_many_are_left(client: FlaskClient, hub: Hub) -> None:
    _, codes = set_up(hub, "mara@example.com")
    half_way(client)
    assert give(client, codes[0]).location == "/account"
    assert "9 are left" in client.get("/account").text


def test_the_code_has_to_come_within_ten_minutes(
    client: FlaskClient, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    totp, _ = set_up(hub, "mara@example.com")
    half_way(client)
    with client.session_transaction() as cookie:
        cookie["pending"] = {**cookie["pending"], "at": time.time() - 601}
    form = {"code": totp.at(time.time()), "csrf_token": csrf(client)}
    assert client.post("/sign-in/code", data=form).location == "/sign-in"
    assert client.get("/account").status_code in (302, 401)


def test_somebody_disabled_between_password_and_code_stays_out(
    client: FlaskClient, hub: Hub
) -> None:
    totp, _ = set_up(hub, "mara@example.com")
    half_way(client)
    with hub.store.write() as session:
        users.disable(session, "mara@example.com")
    assert give(client, totp.at(time.time())).status_code == 422


def test_it_is_set_up_on_the_account_and_turned_off_with_the_password(
    client: FlaskClient, hub: Hub
) -> None:
    half_way(client)
    post(client, "/account/second-factor/begin")
    page = client.get("/account/second-factor").text
    assert '<svg class="qr"' in page or 'class="qr"' in page
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', page)
    assert secret
    totp = pyotp.TOTP(secret[1].replace(" ", ""))
    assert post(client, "/account/second-factor/confirm", {"code": "000000"}).status_code == 422
    shown = post(client, "/account/second-factor/confirm", {"code": totp.at(time.time())}).text
    codes = re.findall(r"<code>([a-z0-9-]{19})</code>", shown)
    assert len(codes) == 10
    again = client.get("/account/second-factor").text
    assert not any(code in again for code in codes)
    assert secret[1] not in again, "the secret is not shown again once it is on"
    off = "/account/second-factor/off"
    assert post(client, off, {"proof": "not my password"}).status_code == 422
    assert post(client, off, {"proof": PASSWORD}).status_code == 302
    with hub.store.read() as session:
        row = users.find_user(session, "mara@example.com")
        assert not factors.is_on(session, row.id)


def test_new_recovery_codes_end_the_old_ones(client: FlaskClient, hub: Hub) -> None:
    _, codes = set_up(hub, "mara@example.com")
    half_way(client)
    give(client, codes[0])
    shown = post(client, "/account/second-factor/recovery", {"proof": PASSWORD}).text
    assert len(re.findall(r"<code>([a-z0-9-]{19})</code>", shown)) == 10
    with hub.store.write() as session:
        user = users.find_user(session, "mara@example.com").id
        assert factors.verify(session, hub.keys, user, codes[1]) == ""


def test_a_role_that_needs_a_second_factor_sets_it_up_before_anything_else(
    client: FlaskClient, hub: Hub
) -> None:
    half_way(client)
    assert client.get("/admin/imports").status_code == 200
    with hub.store.write() as session:
        factors.require(session, frozenset({"dispatcher"}))
    shown = client.get("/admin/imports", headers={"Accept": "text/html"})
    assert shown.location == "/account/second-factor"
    assert client.get("/api/v1/orders").status_code == 403
    assert client.get("/account", headers={"Accept": "text/html"}).status_code == 302
    post(client, "/account/second-factor/begin")
    with hub.store.read() as session:
        row = session.get_one(FactorRow, users.find_user(session, "mara@example.com").id)
        made = factors.set_up(hub.keys, row, UserRow(email="mara@example.com"), "Hub")
    code = pyotp.TOTP(made.secret).at(time.time())
    assert post(client, "/account/second-factor/confirm", {"code": code}).status_code == 200
    assert client.get("/admin/imports").status_code == 200
