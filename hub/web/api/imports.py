"""The API of imports: hand in a file of orders, follow how far it is."""

from __future__ import annotations

from datetime import date
from typing import BinaryIO, cast

from flask import Blueprint, Response, request, url_for

from hub.access import get
from hub.errors import Refused
from hub.orders import imports
from hub.orders.sheets import import_sheet
from hub.store import ImportRow, Merchant
from hub.web.answers import answer
from hub.web.context import hub, principal, read
from hub.web.policy import allow
from hub.web.problems import Problem

blueprint = Blueprint("api_imports", __name__, url_prefix="/api/v1/imports")
ENVELOPE = 100_000
"""Bytes that the form around the file may take."""


@blueprint.post("")
@allow("owner", "dispatcher", "merchant", "key:orders:write")
def add() -> Response:
    """Keep a file of orders; a worker reads it, and `Location` says where to look."""
    request.max_content_length = imports.LARGEST_FILE + ENVELOPE
    if request.mimetype != "multipart/form-data":
        said = request.mimetype or "nothing"
        raise Problem(415, f"the body must be multipart/form-data with a file, not {said}")
    file = request.files.get("file")
    if file is None:
        raise Refused("send the file as the part named file", "file")
    stream = cast(BinaryIO, file.stream)
    id = imports.start(hub(), principal(), merchant(), file.filename or "", stream, service_date())
    where = url_for("api_imports.show", id=id)
    return answer({"id": id, "state": "waiting"}, 202, {"Location": where})


def merchant() -> str:
    """Return whose orders these are: the caller's own, or those of the merchant it names."""
    caller = principal()
    wanted = request.form.get("merchant", "")
    if isinstance(caller, Merchant):
        return wanted or caller.id
    if not wanted:
        raise Refused("say whose orders these are", "merchant")
    return wanted


def service_date() -> date | None:
    """Return the day for orders that name none, if the form gives one."""
    said = request.form.get("service_date", "")
    try:
        return date.fromisoformat(said) if said else None
    except ValueError:
        raise Refused(
            f"{said[:40]!r} is no date; write it like 2026-11-23", "service_date"
        ) from None


@blueprint.get("/<id>")
@allow("owner", "dispatcher", "ops", "merchant", "key:orders:read", "key:orders:write")
def show(id: str) -> Response:
    """Return an import: its state, counts, and the rows that were left out with the reasons."""
    with read() as session:
        return answer(import_sheet(session, get(session, ImportRow, id)))
