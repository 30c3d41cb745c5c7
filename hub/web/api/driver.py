"""The driver's API: sign a phone in, fetch the route, send positions, pictures and reports."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, request
from pydantic import Field

from hub.access import tokens
from hub.driving import links
from hub.driving.sheet import sheet
from hub.driving.words import Report
from hub.errors import Forbidden, Retry
from hub.nouns import Fix, Noun
from hub.planning import ways
from hub.proofs import handover, uploads
from hub.proofs.images import LARGEST, Kind, TooLarge
from hub.store import Driver
from hub.web import bodies
from hub.web.answers import answer, language, tagged
from hub.web.auth import DEVICE_COOKIE
from hub.web.context import hub, principal, write
from hub.web.policy import allow
from hub.web.problems import Problem

blueprint = Blueprint("driver_api", __name__, url_prefix="/api/v1")

ENVELOPE = 100_000
"""Bytes that a multipart request may have around its picture."""


class Link(Noun):
    """The token of a one-time link."""

    link: str = Field(max_length=200, pattern=r"^[0-9A-Za-z_-]+$")


class Fixes(Noun):
    """A batch of positions."""

    fixes: list[Fix] = Field(max_length=600)


def driver() -> str:
    """Return the id of the driver whose phone is asking."""
    found = principal()
    if not isinstance(found, Driver):
        raise Forbidden("only a driver's phone may do this")
    return found.id


def device() -> str:
    """Return what stays the same for this phone: the hash of its token."""
    bearer = request.authorization
    token = bearer.token if bearer is not None else request.cookies.get(DEVICE_COOKIE)
    return tokens.digest(token) if token else ""


@blueprint.post("/driver/session")
@allow("public")
def sign_in() -> Response:
    """Use up a one-time link and return the phone's token."""
    given = bodies.body(Link)
    with hub().store.write() as session:
        token, row = links.enrol(session, given.link)
    return answer({"token": token, "driver": {"id": row.id, "name": row.name}}, 201)


@blueprint.get("/driver/route")
@allow("driver")
def route() -> Response:
    """Return the route of the day with its stops in order."""
    with hub().store.read(principal()) as session:
        found = sheet(session, driver(), day(request.args.get("date", "")))
    return tagged(found.model_dump(), ignore="now")


@blueprint.get("/driver/way")
@allow("driver")
def way() -> Response:
    """Return the line and the turns of the day's route, or an empty answer until it is found."""
    with hub().store.read(principal()) as session:
        now = sheet(session, driver(), None).route
        found = None if now is None else ways.way_of(session, now.id, language())
    return tagged({} if found is None else found.model_dump())


def day(text: str) -> date | None:
    """Return a date from the query, or nothing for today."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Problem(400, f"date must be YYYY-MM-DD, not {text[:40]}") from None


@blueprint.post("/driver/positions")
@allow("driver")
def positions() -> Response:
    """Take a batch of positions; 503 while it cannot be kept, so that the phone sends it again."""
    from redis.exceptions import RedisError

    from hub.tracking.positions import accept

    given = bodies.body(Fixes)
    try:
        taken = accept(hub(), driver(), given.fixes)
    except RedisError as error:
        raise Retry("positions cannot be taken just now; send them again") from error
    return answer({"accepted": taken}, 202)


@blueprint.post("/driver/files")
@allow("driver")
def files() -> Response:
    """Take one photo or signature, and return the hash under which a report names it."""
    request.max_content_length = LARGEST + ENVELOPE
    if request.mimetype != "multipart/form-data":
        raise Problem(415, "send the picture as multipart/form-data with the fields file and kind")
    sent = request.files.get("file")
    if sent is None:
        raise Problem(422, "there is no file in the field file")
    try:
        kept = uploads.upload(hub(), driver(), kind(), sent.stream.read(LARGEST + 1))
    except TooLarge as error:
        raise Problem(413, str(error)) from None
    return answer(kept.model_dump(exclude={"kind"}), 201)


def kind() -> Kind:
    """Return what kind of picture the form says it is."""
    said = request.form.get("kind", "")
    if said == "photo":
        return "photo"
    if said == "signature":
        return "signature"
    raise Problem(422, f"kind must be photo or signature, not {said[:40] or 'nothing'}")


@blueprint.post("/driver/reports")
@allow("driver")
def reports() -> Response:
    """Take one report; the same one again gets the same answer."""
    raw = bodies.raw_json()
    said = bodies.parse(Report, raw)
    with write() as session:
        told = handover.report(hub(), session, driver(), said, device=device(), raw=raw)
    return answer(told)


@blueprint.post("/drivers/<id>/link")
@allow("owner", "dispatcher", "key:fleet:write")
def link(id: str) -> Response:
    """Make a one-time link for a driver's phone, with its QR code."""
    with write() as session:
        url = links.driver_link(hub(), session, id)
    return answer({"url": url, "svg": links.qr_code(url)}, 201)


@blueprint.delete("/drivers/<id>/phones")
@allow("owner", "dispatcher", "key:fleet:write")
def sign_out(id: str) -> Response:
    """End every link and phone of a driver, for instance when a phone is lost."""
    with write() as session:
        links.sign_out(session, id)
    return Response(status=204)
