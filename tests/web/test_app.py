"""The web application's own rules: policy, identity, errors, headers."""

import pytest
from flask import Flask

from hub.access import tokens
from hub.hub import Hub
from hub.web import create_app
from hub.web.policy import allow, verify


@pytest.fixture
def app(hub: Hub) -> Flask:
    return create_app(hub)


def test_a_view_without_a_policy_keeps_the_application_from_starting(app: Flask) -> None:
    app.add_url_rule("/open", "open", lambda: "x")
    with pytest.raises(RuntimeError, match="open"):
        verify(app)


def test_only_a_key_with_the_scope_may_pass(app: Flask, hub: Hub) -> None:
    app.add_url_rule("/api/v1/x", "x", allow("key:orders:read")(lambda: "yes"))
    with hub.store.write() as session:
        good = tokens.issue_key(session, "good", ["orders:read"], None)
        bad = tokens.issue_key(session, "bad", ["orders:write"], None)
    client = app.test_client()
    assert client.get("/api/v1/x").status_code == 401
    assert client.get("/api/v1/x", headers={"Authorization": f"Bearer {bad}"}).status_code == 403
    assert client.get("/api/v1/x", headers={"Authorization": f"Bearer {good}"}).text == "yes"


def test_a_revoked_key_is_told_so_in_a_problem(app: Flask, hub: Hub) -> None:
    with hub.store.write() as session:
        key = tokens.issue_key(session, "shop", ["orders:read"], None)
    client, headers = app.test_client(), {"Authorization": f"Bearer {key}"}
    assert client.get("/api/v1/orders", headers=headers).status_code == 200
    with hub.store.write() as session:
        tokens.revoke_key(session, tokens.check_key(session, key).id)
    answer = client.get("/api/v1/orders", headers=headers)
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    assert answer.json is not None
    assert answer.json["detail"].startswith("this API key was revoked")


def test_an_unknown_path_is_a_problem_under_the_api(app: Flask) -> None:
    answer = app.test_client().get("/api/v1/nothing")
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"
    assert answer.json is not None
    assert answer.json["status"] == 404


def test_a_bug_is_answered_without_its_inner_workings(app: Flask) -> None:
    def fail() -> str:
        raise ZeroDivisionError("secret detail")

    app.add_url_rule("/api/v1/fail", "fail", allow("public")(fail))
    answer = app.test_client().get("/api/v1/fail")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text


def test_every_answer_carries_a_strict_content_policy(app: Flask) -> None:
    policy = app.test_client().get("/healthz").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http://127.0.0.1:8001" in policy


def test_the_hub_is_ready_with_database_schema_and_queue(app: Flask) -> None:
    assert app.test_client().get("/readyz").json == {
        "ready": True, "database": True, "schema": True, "queue": True,
    }  # fmt: skip
