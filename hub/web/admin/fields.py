"""Map the fields of a source: keep it, try it on the sample, have paths guessed, paste a record."""

from __future__ import annotations

import json
from decimal import Decimal

from flask import Blueprint, flash, redirect, render_template, request
from werkzeug.wrappers import Response

from hub.builtin.generic.fields import Fields, jsonable
from hub.builtin.generic.records import sample
from hub.connections import undo
from hub.errors import Forbidden, Refused
from hub.orders.mapping import Mapping
from hub.store import ConnectionRow, PreviewRow, Session
from hub.web.admin.connections import KEEPERS, changed
from hub.web.admin.fieldmap import guesses, sent_fields, shape_of, view
from hub.web.admin.kinds import is_open
from hub.web.admin.mapping import mapping_page, source_of
from hub.web.admin.wizard import step_map
from hub.web.context import hub, read, write
from hub.web.policy import allow
from hub.workflow import checks, previews, pulls

blueprint = Blueprint("fields", __name__, url_prefix="/admin/connections")
LONGEST_RECORD = 200_000


@blueprint.post("/<id>/fields")
@allow(*KEEPERS)
def keep(id: str) -> Response:
    """Keep a mapping; what it was before can be taken back for a day."""
    then = request.form.get("then", "")
    with write() as session:
        row = mappable(session, id)
        fields = sent_fields()
        undo.remember(hub().keys, session, row)
        settings = {**row.config, "fields": jsonable(fields)}
        saved = hub().connections.save(
            session, row.connector, settings, merchant=row.merchant, title=row.title, id=id
        )
        changed(session, saved)
        if saved.state == "not_set_up":
            if then == "review":
                previews.request(session, id, "dry_run")
        else:
            checks.request(session, id)
            if request.form.get("anew"):
                saved.cursor = ""
                pulls.request(session, id)
    if then == "review":
        return redirect(f"/admin/connections/{id}/setup/review")
    flash("Kept. Orders that are read from now on are mapped so.", "good")
    return redirect(place(saved))


@blueprint.post("/<id>/fields/try")
@allow(*KEEPERS)
def look(id: str) -> str:
    """Show what a mapping gives on the sample, and keep nothing."""
    with read() as session:
        row = mappable(session, id)
        fields = sent_fields()
        if "HX-Request" not in request.headers:
            return page(session, row, fields)
        found = previews.found(hub(), previews.find(session, id, "test"))
    return render_template("admin/connection/_fields_tried.html", map=view(row, fields, found))


@blueprint.post("/<id>/fields/suggest")
@allow(*KEEPERS)
def suggest(id: str) -> str:
    """Fill in what the names of the sample tell about fields that are still empty; keep nothing."""
    with read() as session:
        row = mappable(session, id)
        fields = sent_fields()
        found = previews.found(hub(), previews.find(session, id, "test"))
        made = guesses(row, fields, found)
        whole = fields.model_copy(update={"rules": {**fields.rules, **made}})
        return page(session, row, whole, frozenset(made))


@blueprint.post("/<id>/fields/sample")
@allow(*KEEPERS)
def paste(id: str) -> Response:
    """Take a record that somebody pasted for the sample."""
    with write() as session:
        row = mappable(session, id)
        try:
            records = pasted(request.form.get("record_text", ""))
        except ValueError as error:
            raise Refused(f"A record to map by: {error}", "record_text") from None
        previews.request(session, id, "test")
        kept = previews.find(session, id, "test")
        if kept is not None:
            fill(kept, records)
            kept.ended_at = session.wall
    flash("This is the sample now.", "good")
    return redirect(place(row))


def pasted(text: str) -> list[object]:
    """Return the records in a text: a JSON object, or a list of such."""
    if len(text) > LONGEST_RECORD:
        raise ValueError(f"paste at most {LONGEST_RECORD:,} letters")
    try:
        found = json.loads(text, parse_float=Decimal, parse_constant=str)
    except (ValueError, RecursionError):
        raise ValueError(
            "this is not valid JSON; paste one order as your system sends it"
        ) from None
    listed = found if isinstance(found, list) else [found]
    if not listed or not all(isinstance(one, dict) for one in listed):
        raise ValueError("paste an object with fields, or a list of such")
    return sample(listed[:20])


def fill(row: PreviewRow, records: list[object]) -> None:
    """Let a sample be these records."""
    told = {"records": records, "order": None, "refused": "", "milliseconds": 0, "pasted": True}
    row.state, row.sealed = "done", hub().keys.seal(json.dumps(told, ensure_ascii=False))


def mappable(session: Session, id: str) -> ConnectionRow:
    """Return a connection whose fields the reader may map."""
    row = source_of(session, id)
    if shape_of(row.connector) is None:
        raise Refused(f"{row.title} says by itself which field is which; there is nothing to map")
    kind = hub().plugins.connector(row.connector)
    if not is_open(kind):
        raise Forbidden(f"{kind.title} is set up by the operator of the hub; ask them")
    return row


def place(row: ConnectionRow) -> str:
    """Return where the mapping of a connection is shown."""
    tab = "setup/map" if row.state == "not_set_up" else "mapping"
    return f"/admin/connections/{row.id}/{tab}"


def page(
    session: Session, row: ConnectionRow, fields: Fields, guessed: frozenset[str] = frozenset()
) -> str:
    """Return the page with a mapping that is only tried."""
    if row.state == "not_set_up":
        return step_map(row, fields, guessed, tried=True)
    return mapping_page(session, row, Mapping.of(row), fields=fields, guessed=guessed)
