"""The log of an endpoint: what was sent, every try, and sending again."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request
from flask.blueprints import BlueprintSetupState
from sqlmodel import col, select
from werkzeug.wrappers import Response

from hub.access import get, scoped
from hub.errors import Missing, Refused
from hub.outgoing import endpoints, replay
from hub.outgoing.message import letter
from hub.redaction import redact
from hub.store import EndpointRow, EventRow, OutgoingRow, OutgoingTryRow, Session
from hub.web.admin.endpoints import KEEPERS, card_of
from hub.web.context import hub, principal, read, write
from hub.web.frame import zone_name
from hub.web.policy import allow

blueprint = Blueprint("outgoing", __name__, url_prefix="/admin/webhooks")
STATES = ("pending", "sending", "delivered", "failed", "dropped")
SHOWN = 100
WORDS = {"pending": "Waits", "sending": "On its way", "failed": "Given up", "dropped": "Laid by"}


@blueprint.record_once
def install(state: BlueprintSetupState) -> None:
    """Give templates the words for the states of a message, and addresses without their secrets."""
    filters = state.app.jinja_env.filters
    filters["sending"] = lambda name: WORDS.get(name, name.capitalize())
    filters["redacted"] = redact


@blueprint.get("/<id>")
@allow(*KEEPERS)
def page(id: str) -> str:
    """Show an endpoint, how it does and what it was sent."""
    return render_template("admin/endpoint.html", **shown(id))


@blueprint.get("/<id>/log")
@allow(*KEEPERS)
def log(id: str) -> str:
    """Show the log alone, while something is on its way."""
    return render_template("admin/_outgoing.html", **shown(id))


@blueprint.get("/<id>/log/<row>")
@allow(*KEEPERS)
def message(id: str, row: str) -> str:
    """Show one message: what was sent, and what came back at every try."""
    with read() as session:
        endpoint, found = belonging(session, id, row)
        event = session.get(EventRow, found.event) if found.event else None
        tries = session.exec(
            select(OutgoingTryRow)
            .where(OutgoingTryRow.outgoing == found.id)
            .order_by(col(OutgoingTryRow.id).desc())
        ).all()
        card = card_of(session, endpoint)
    sent = letter(endpoint, found, event)
    body = json.dumps(json.loads(sent.body), indent=2, ensure_ascii=False)
    return render_template(
        "admin/outgoing.html", card=card, row=found, tries=tries, body=body, message=sent.id
    )


@blueprint.post("/<id>/log/<row>/replay")
@allow(*KEEPERS)
def again(id: str, row: str) -> Response:
    """Send one message again."""
    with write() as session:
        belonging(session, id, row)
        found = replay.one(session, row)
    flash(f"{found.type} is sent again, under the same id.", "good")
    return redirect(f"/admin/webhooks/{id}/log/{row}")


@blueprint.post("/<id>/replay-failed")
@allow(*KEEPERS)
def failed(id: str) -> Response:
    """Send again all that was given up."""
    number = replay.failed(hub(), principal(), id)
    flash(f"{number} event{'' if number == 1 else 's'} sent again, in their order.", "good")
    return redirect(f"/admin/webhooks/{id}")


@blueprint.get("/<id>/replay")
@allow(*KEEPERS)
def count(id: str) -> str | tuple[str, int]:
    """Show how many events a range has, before they are sent again."""
    with read() as session:
        row = endpoints.found(session, id)
        card = card_of(session, row)
        try:
            after, until = asked_range(session, row)
            number = replay.count(session, row, after, until)
            if number > replay.MOST:
                raise Refused(
                    f"these are {number:,} events; choose a range of at most {replay.MOST:,}"
                )
        except Refused as error:
            return render_template("admin/endpoint_replay.html", card=card, error=error), 422
    return render_template(
        "admin/endpoint_replay.html", card=card, after=after, until=until, number=number
    )


@blueprint.post("/<id>/replay")
@allow(*KEEPERS)
def range_again(id: str) -> Response:
    """Send the events of a range again."""
    after, until = number_of("after", 0), number_of("until", 0)
    number = replay.events(hub(), principal(), id, after, until)
    flash(f"{number} event{'' if number == 1 else 's'} sent again, in their order.", "good")
    return redirect(f"/admin/webhooks/{id}")


def belonging(session: Session, id: str, row: str) -> tuple[EndpointRow, OutgoingRow]:
    """Return an endpoint and one of its messages."""
    endpoint, found = endpoints.found(session, id), get(session, OutgoingRow, row)
    if found.endpoint != endpoint.id:
        raise Missing(f"there is no message {row[:60]} to that endpoint")
    return endpoint, found


def shown(id: str) -> dict[str, Any]:
    """Return what the page of an endpoint shows."""
    state, type = request.args.get("state", ""), request.args.get("type", "")
    if state and state not in STATES:
        raise Refused(f"{state[:30]!r} is no state; choose {', '.join(STATES)}", "state")
    with read() as session:
        row = endpoints.found(session, id)
        query = scoped(session, OutgoingRow).where(OutgoingRow.endpoint == row.id)
        if state:
            query = query.where(OutgoingRow.state == state)
        if type:
            query = query.where(OutgoingRow.type == type)
        rows = list(session.exec(query.order_by(col(OutgoingRow.id).desc()).limit(SHOWN)))
        types = session.exec(
            select(OutgoingRow.type).where(OutgoingRow.endpoint == row.id).distinct()
        ).all()
        card = card_of(session, row)
        busy = any(is_moving(one, row, session.wall) for one in rows)
    return {
        "card": card, "rows": rows, "state": state, "type": type, "states": STATES,
        "types": sorted(types), "shown": SHOWN, "busy": busy,
        "query": request.query_string.decode(),
    }  # fmt: skip


def is_moving(row: OutgoingRow, endpoint: EndpointRow, wall: datetime) -> bool:
    """Say whether something happens to a message in a moment."""
    goes = endpoints.is_on(endpoint) or row.type == "webhook.test"
    return row.state == "sending" or (row.state == "pending" and goes and row.next_at <= wall)


def asked_range(session: Session, row: EndpointRow) -> tuple[int, int]:
    """Return the range of numbers that the form asks for, by numbers or by time."""
    since, till = time_of("since"), time_of("till")
    if since or till:
        if since is None or till is None or since > till:
            raise Refused("give both times, the earlier one first", "since")
        return replay.span(session, row, since, till)
    first, last = number_of("first", 1), number_of("last", 0)
    if last < first:
        raise Refused("give the first and the last number, the lower one first", "first")
    return first - 1, last


def number_of(name: str, default: int) -> int:
    """Return a number of the form."""
    said = request.values.get(name, "").strip()
    if not said:
        return default
    if not said.isdecimal() or len(said) > 18:
        raise Refused(f"{said[:30]!r} is no number of an event", name)
    return int(said)


def time_of(name: str) -> datetime | None:
    """Return a time of the form, which is meant in the zone of the page."""
    said = request.values.get(name, "").strip()
    if not said:
        return None
    try:
        found = datetime.fromisoformat(said)
    except ValueError:
        raise Refused(f"{said[:30]!r} is no time; write it as 2026-11-23T08:00", name) from None
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone_name()))
