"""Editors fetch the schema of workflows from the hub itself."""

import pytest
from flask.testing import FlaskClient

from hub.hub import Hub
from hub.web import create_app
from hub.workflow.parts import assemble

PATH = "/schema/workflow.v1.json"


@pytest.fixture
def client(hub: Hub) -> FlaskClient:
    assemble(hub)
    return create_app(hub).test_client()


def test_anybody_may_read_the_schema_of_the_installed_actions(client: FlaskClient) -> None:
    answer = client.get(PATH)
    assert (answer.status_code, answer.mimetype) == (200, "application/schema+json")
    assert answer.json is not None
    assert answer.json["$schema"] == "http://json-schema.org/draft-07/schema#"
    use = answer.json["definitions"]["Step"]["properties"]["use"]["anyOf"][0]
    assert "notify.sms" in use["enum"]


def test_an_editor_that_has_the_schema_is_told_so_in_a_few_bytes(client: FlaskClient) -> None:
    tag = client.get(PATH).headers["ETag"]
    again = client.get(PATH, headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")


def test_another_action_makes_another_schema(client: FlaskClient, hub: Hub) -> None:
    tag = client.get(PATH).headers["ETag"]
    del hub.actions["notify.sms"]
    fresh = client.get(PATH, headers={"If-None-Match": tag})
    assert fresh.status_code == 200
    assert "notify.sms" not in fresh.text
