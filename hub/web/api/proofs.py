"""Proofs over HTTP: the record as it was written, its PDF and its pictures."""

from __future__ import annotations

from flask import Blueprint, Response

from hub.access import get
from hub.errors import Missing
from hub.proofs.pdf import pdf
from hub.proofs.sheet import pictures
from hub.store import ProofRow
from hub.web.context import hub, principal, read
from hub.web.policy import allow

blueprint = Blueprint("proofs_api", __name__, url_prefix="/api/v1/proofs")

READERS = ("owner", "dispatcher", "ops", "accountant", "merchant", "key:proofs:read")


@blueprint.get("/<id>")
@allow(*READERS)
def record(id: str) -> Response:
    """Return the record, byte for byte as it was hashed; the hash is in the ETag."""
    with read() as session:
        row = get(session, ProofRow, id)
    response = Response(row.record.encode(), mimetype="application/json")
    response.set_etag(row.sha256)
    return response


@blueprint.get("/<id>/pdf")
@allow(*READERS)
def page(id: str) -> Response:
    """Return the proof as one A4 page."""
    made = pdf(hub(), principal(), id)
    return kept(hub().files.get(made), "application/pdf", f"{id}.pdf")


@blueprint.get("/<id>/files/<sha256>")
@allow(*READERS)
def picture(id: str, sha256: str) -> Response:
    """Return one photo or signature of the proof."""
    with read() as session:
        found = pictures(session, get(session, ProofRow, id).attempt)
    for one in found:
        if one.sha256 == sha256:
            ending = one.media_type.removeprefix("image/").replace("jpeg", "jpg")
            return kept(hub().files.get(sha256), one.media_type, f"{one.kind}.{ending}")
    raise Missing("this proof has no such picture")


def kept(content: bytes, media_type: str, name: str) -> Response:
    """Return a file that never changes, to be shown rather than saved."""
    headers = {
        "Content-Disposition": f'inline; filename="{name}"',
        "Cache-Control": "private, max-age=86400, immutable",
    }
    return Response(content, headers=headers, mimetype=media_type)
