"""Imports: hand in a file of orders, follow its progress, read what was left out and why."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, redirect, render_template, request
from sqlmodel import col
from werkzeug.wrappers import Response

from hub.access import get, scoped
from hub.errors import Refused
from hub.orders import imports
from hub.store import ImportRow, Merchant, MerchantRow, Session
from hub.web.context import hub, principal, read
from hub.web.policy import allow

blueprint = Blueprint("imports", __name__, url_prefix="/admin/imports")
READERS = ("owner", "dispatcher", "ops", "merchant")
SHOWN = 50
ENVELOPE = 100_000
"""Bytes that a form may be larger than the file in it."""


@blueprint.get("")
@allow(*READERS)
def page() -> str:
    """Show the upload form and the latest imports."""
    return listing()


@blueprint.post("")
@allow(*READERS)
def upload() -> Response | tuple[str, int]:
    """Take a file; it is read by a worker, and its own page shows how far that is."""
    request.max_content_length = imports.LARGEST_FILE + ENVELOPE
    try:
        id = take()
    except Refused as error:
        return listing(error), 422
    return redirect(f"/admin/imports/{id}")


@blueprint.get("/<id>")
@allow(*READERS)
def show(id: str) -> str:
    """Show one import: progress, counts, and the rows that were left out."""
    with read() as session:
        row = get(session, ImportRow, id)
        errors, more = imports.errors(session, row.id)
        merchant = session.get_one(MerchantRow, row.merchant)
    page = "admin/_import.html" if "HX-Request" in request.headers else "admin/import.html"
    return render_template(page, row=row, errors=errors, more=more, merchant=merchant)


def take() -> str:
    """Start the import that the form asks for and return its id."""
    file = request.files.get("file")
    if file is None or not file.filename:
        raise Refused("choose a file first", "file")
    reader = principal()
    merchant = reader.id if isinstance(reader, Merchant) else request.form.get("merchant", "")
    if not merchant:
        raise Refused("say whose orders these are", "merchant")
    return imports.start(hub(), reader, merchant, file.filename, file.stream, asked_day())  # type: ignore[arg-type]


def asked_day() -> date | None:
    """Return the service date of the form, if it gives one."""
    said = request.form.get("service_date", "")
    try:
        return date.fromisoformat(said) if said else None
    except ValueError:
        raise Refused(f"{said!r} is no date; write it as 2026-11-23", "service_date") from None


def listing(error: Refused | None = None) -> str:
    """Return the page with the form and the latest imports."""
    with read() as session:
        merchants = list(session.exec(scoped(session, MerchantRow).order_by(MerchantRow.name)))
        rows = latest(session)
    names = {one.id: one.name for one in merchants}
    return render_template(
        "admin/imports.html", rows=rows, merchants=merchants, names=names, error=error
    )


def latest(session: Session) -> list[ImportRow]:
    """Return the newest imports that the reader may see."""
    query = scoped(session, ImportRow).order_by(col(ImportRow.created_at).desc(), ImportRow.id)
    return list(session.exec(query.limit(SHOWN)))
