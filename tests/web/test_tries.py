"""Wrong passwords and codes are counted, wherever they come from and whatever is out of order."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlmodel import select

from hub.access import users
from hub.hub import Hub
from hub.store import AuditRow
from hub.web import create_app, tries
from tests.web.test_signin import PASSWORD, csrf

Attempt = Callable[..., int]


@pytest.fixture
def app(hub: Hub) -> Flask:
    hashed = users.hash_password(PASSWORD)
    with hub.store.write() as session:
        for name in ("mara", "nino"):
            users.add_user(session, f"{name}@example.com", "dispatcher", hashed=hashed)
    return create_app(hub)


def attempt(
    app: Flask, password: str = "wrong", email: str = "mara@example.com", **headers: str
) -> int:
    client = app.test_client()
    form = {"email": email, "password": password, "csrf_token": csrf(client)}
    return client.post("/sign-in", data=form, headers=headers).status_code


def test_another_forwarded_address_each_time_does_not_help(app: Flask) -> None:
    said = [attempt(app, **{"X-Forwarded-For": f"198.51.100.{n}"}) for n in range(100)]
    assert said == [422] * tries.FREE + [429] * (100 - tries.FREE)


def test_behind_a_proxy_only_the_address_that_it_saw_counts(hub: Hub) -> None:
    behind = hub.settings.model_copy(update={"proxies": 1})
    hub.settings = behind
    app = create_app(hub)
    said = [
        attempt(app, email=f"{n}@x.li", **{"X-Forwarded-For": f"198.51.100.{n}, 203.0.113.9"})
        for n in range(10)
    ]
    assert said == [422] * tries.FREE + [429] * 5
    assert attempt(app, email="a@x.li", **{"X-Forwarded-For": "203.0.113.10"}) == 422


def test_many_accounts_from_one_address_are_one_count(app: Flask) -> None:
    said = [attempt(app, email=f"{n}@example.com") for n in range(tries.FREE + 1)]
    assert said[-1] == 429


def test_the_pause_doubles_and_has_an_end() -> None:
    found = [tries.pause(count) for count in range(1, 12)]
    assert found == [0, 0, 0, 0, 60, 120, 240, 480, 900, 900, 900]


def test_a_right_password_ends_the_count_of_its_account(app: Flask) -> None:
    for _ in range(tries.FREE - 1):
        attempt(app)
    assert attempt(app, PASSWORD) == 302
    assert attempt(app) == 422


def test_whoever_has_an_account_cannot_clear_the_count_for_others(app: Flask) -> None:
    said = []
    for number in range(tries.FREE):
        said.append(attempt(app, email=f"{number}@example.com"))
        if said[-1] != 429:
            attempt(app, PASSWORD, "nino@example.com")
    assert attempt(app, email="9@example.com") == 429


def test_tries_at_the_same_moment_are_all_counted(hub: Hub, app: Flask) -> None:
    gate, waits = Barrier(20), list[int]()

    def knock() -> None:
        with app.test_request_context("/sign-in", environ_base={"REMOTE_ADDR": "192.0.2.7"}):
            gate.wait()
            waits.append(tries.take("password", "mara@example.com"))

    threads = [Thread(target=knock) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert waits.count(0) <= tries.FREE


def test_an_ipv6_customer_has_one_count_for_all_addresses(app: Flask) -> None:
    found = set()
    for address in ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "::ffff:192.0.2.1"):
        with app.test_request_context("/", environ_base={"REMOTE_ADDR": address}):
            found.add(tries.neighbourhood())
    assert found == {"2001:db8:1:2::/64", "192.0.2.1"}


def test_while_redis_is_away_each_process_counts_by_itself(hub: Hub, app: Flask) -> None:
    hub.redis = Redis.from_url("unix:///nowhere/at-all.sock")
    said = [attempt(app) for _ in range(tries.FREE + 3)]
    assert said == [422] * tries.FREE + [429] * 3


def test_failed_tries_are_written_down_with_their_number_and_not_what_was_typed(
    hub: Hub, app: Flask
) -> None:
    for _ in range(2):
        attempt(app, "my-secret-guess")
    attempt(app, email="typed-my-password-here@wrong.field")
    with hub.store.read() as session:
        rows = session.exec(select(AuditRow).where(AuditRow.action == "session.failed")).all()
    assert sorted((row.name, row.times) for row in rows) == [
        ("Somebody, as an unknown account,", 1),
        ("Somebody, as mara,", 2),
    ]
    kept = str([row.model_dump() for row in rows])
    assert "secret-guess" not in kept
    assert "typed-my-password" not in kept


def test_codes_are_counted_too(hub: Hub, app: Flask) -> None:
    from tests.web.test_second_factor import half_way, set_up

    set_up(hub, "mara@example.com")
    client: FlaskClient = app.test_client()
    half_way(client, "mara@example.com")
    said: list[Any] = []
    for _ in range(tries.FREE + 1):
        form = {"code": "000000", "csrf_token": csrf(client, "/sign-in/code")}
        said.append(client.post("/sign-in/code", data=form).status_code)
    assert said == [422] * tries.FREE + [429]
