"""Requests of other systems that start a workflow."""

from __future__ import annotations

import json

from flask import Blueprint, Response

from hub.web.answers import answer
from hub.web.bodies import raw_json, refuse_constant, request_key, said
from hub.web.context import hub
from hub.web.policy import allow
from hub.web.problems import Problem
from hub.workflow import hooks

blueprint = Blueprint("hooks", __name__, url_prefix="/hooks")


@blueprint.post("/workflow/<name>/<token>")
@allow("public")
def receive(name: str, token: str) -> Response:
    """Take a request in for a workflow: 202, and the same answer for one that was sent before.

    A sender names a request by `webhook-id` (Standard Webhooks) or `Idempotency-Key`.
    """
    raw = raw_json()
    try:
        body = json.loads(raw, parse_constant=refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Problem(400, f"the body is not valid JSON: {said(error)}") from None
    key = request_key("webhook-id") or request_key("Idempotency-Key")
    with hub().store.write() as session:
        return answer(hooks.receive(hub(), session, name, token, raw, body, key), 202)
