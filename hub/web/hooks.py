"""Requests of other systems: to a connection, or to start a workflow."""

from __future__ import annotations

import json
import time
import traceback
from dataclasses import dataclass
from typing import Any

import structlog
from flask import Blueprint, Response, current_app, request
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import RequestEntityTooLarge

from hub.connections.excerpts import excerpt
from hub.connector import Connector
from hub.errors import PluginError, Rejected, Retry, Unauthorized
from hub.nouns import Delivery, Incoming
from hub.queue.convoy import PATIENCE, Convoy
from hub.redaction import cover, secrets_of
from hub.store import ConnectionRow, Session
from hub.store.database import Busy
from hub.web.answers import answer
from hub.web.bodies import raw_json, refuse_constant, request_key, said
from hub.web.context import hub
from hub.web.policy import allow
from hub.web.problems import Problem
from hub.web.stopwatch import Stopwatch
from hub.workflow import hooks, incoming

blueprint = Blueprint("hooks", __name__, url_prefix="/hooks")
CONVOY, WATCH, ADDRESSES = "incoming convoy", "incoming stopwatch", "incoming addresses"
BELIEVED = 1.0
"""Seconds for which an address is not looked up again."""
MOST_KNOWN = 1000
NOTE = 1.0
"""Seconds that the answer to a refused request waits for its place in the log, at most."""
LATER = "the hub cannot take this at the moment; send it again"
log = structlog.get_logger("hub.web")


@dataclass(frozen=True)
class Addressed:
    """The connection that an address belongs to, and its connector."""

    row: ConnectionRow
    connector: Connector[Any]
    until: float
    """By the monotonic clock."""


@blueprint.record_once
def prepare(state: BlueprintSetupState) -> None:
    """Give the application its line of requests that wait for the database."""
    state.app.extensions[CONVOY] = Convoy(state.app.extensions["hub"].store, incoming.write)
    state.app.extensions[WATCH] = Stopwatch()
    state.app.extensions[ADDRESSES] = {}


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


@blueprint.get("/<connection>/<secret>")
@allow("public")
def look(connection: str, secret: str) -> Response:
    """Tell a person who opens the address in a browser what it is for, whether or not it is one."""
    raise Problem(405, "Addresses like this one take webhooks by POST; there is no page here.")


@blueprint.post("/<connection>/<secret>")
@allow("public")
def deliver(connection: str, secret: str) -> Response:
    """Take a delivery in: an empty 200 once it is stored, the same for one that came before.

    404 for an address that is none, 413 above 1 MB, 401 for a signature that does not hold or is
    older than five minutes, 422 for what makes no sense, 503 while it cannot be stored.
    """
    row, connector = addressed(connection, secret)
    try:
        body = request.get_data()
    except RequestEntityTooLarge:
        turn_away(row, "too_large", "it was larger than 1 MB and was not read", None)
        raise
    made = Incoming(
        body=body,
        headers={name.lower(): value for name, value in request.headers.items()},
        query=request.args.to_dict(),
        at=hub().store.clock.wall(),
    )
    delivery = look_at(row, connector, made)
    item = incoming.kept(hub().keys, row, made, delivery)
    current_app.extensions[CONVOY].send(item, PATIENCE)
    return Response(status=200)


def addressed(connection: str, secret: str) -> tuple[ConnectionRow, Connector[Any]]:
    """Return whose address this is; what was found is believed for a second.

    In a burst that saves every request the same questions. An address that was ended is refused
    at once by this process, and by others after that second.
    """
    known: dict[tuple[str, str], Addressed] = current_app.extensions[ADDRESSES]
    now = time.monotonic()
    found = known.get((connection, secret))
    if found is None or found.until < now:
        with hub().store.read() as session:
            row = incoming.find(session, connection, secret)
            found = Addressed(row, built(row, session), now + BELIEVED)
        if len(known) >= MOST_KNOWN:
            known.clear()
        known[connection, secret] = found
    return found.row, found.connector


def forget_addresses() -> None:
    """Ask the database again, because an address was just ended or made."""
    current_app.extensions[ADDRESSES].clear()


def built(row: ConnectionRow, session: Session) -> Connector[Any]:
    """Return the connector; raise `Retry` where its plugin is missing, so that nothing is lost."""
    try:
        connector = hub().connections.build(session, row)
    except Exception as error:  # a plugin that cannot be loaded must not hurt the web process
        log.error("connector_not_built", connector=row.connector, error=str(error))
        raise Retry(LATER) from error
    incoming.receiver(connector)
    return connector


def look_at(row: ConnectionRow, connector: Connector[Any], made: Incoming) -> Delivery:
    """Have the connector verify a request; turn away what does not hold."""
    watch: Stopwatch = current_app.extensions[WATCH]
    try:
        told = watch.call(row.connector, incoming.receiver(connector).receive, made)
        return incoming.verified(connector, made, told)
    except incoming.Replayed as error:
        turn_away(row, "replayed", str(error), made)
        raise Problem(401, str(error)) from None
    except Unauthorized as error:
        turn_away(row, "forged", safe(connector, error), made)
        raise Problem(401, "the signature does not hold") from None
    except Rejected as error:
        said = safe(connector, error)
        turn_away(row, "unreadable", said, made)
        raise Problem(422, said[:300]) from None
    except Retry:
        raise Retry(LATER) from None
    except Exception as error:  # whatever a plugin raises is contained, and named in the log
        fault = str(error) if isinstance(error, PluginError) else type(error).__name__
        owner = hub().plugins.owner(row.connector)
        log.error(
            "receive_failed", plugin=owner.name if owner else "", connector=row.connector,
            connection=row.id, error=fault, at=place_of(error),
        )  # fmt: skip
        turn_away(row, "broken", f"the connector failed to look at it: {fault}", made)
        raise Problem(500, LATER) from None


def safe(connector: Connector[Any], error: Exception) -> str:
    """Return what an error of a connector says, without the secrets of its settings."""
    return cover(str(error), secrets_of(connector.config))


def place_of(error: Exception) -> str:
    """Return where an error was raised; its text is left out, since a secret may be in it."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""


def turn_away(row: ConnectionRow, outcome: str, text: str, made: Incoming | None) -> None:
    """Count a refused request in the connection's log, if the database is free for that."""
    shown = excerpt(made.model_copy(update={"body": b""})) if made is not None else ""
    item = incoming.TurnedAway(row, outcome, text, shown)
    try:
        current_app.extensions[CONVOY].send(item, NOTE)
    except Busy:
        log.warning("refused_request_not_counted", connection=row.id, outcome=outcome)
