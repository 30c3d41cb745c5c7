"""The workflow language as JSON Schema, for editors that complete and check while one types."""

from __future__ import annotations

from flask import Blueprint, Response

from hub.web.answers import tagged
from hub.web.context import hub
from hub.web.policy import allow
from hub.workflow.json_schema import schema_of

blueprint = Blueprint("schema", __name__)


@blueprint.get("/schema/workflow.v1.json")
@allow("public")
def workflow_schema() -> Response:
    """Return the schema; it names the actions that are installed and nothing of what is set up."""
    response = tagged(schema_of(hub()))
    response.mimetype = "application/schema+json"
    return response
