"""The API of routes: read, publish, change them; and of flags."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response
from flask import request as flask_request
from pydantic import Field

from hub.access import get
from hub.dispatch import insertion, sequence
from hub.dispatch.changes import Overtaken
from hub.dispatch.flags import clear_flag, open_flags
from hub.dispatch.offers import Offer, in_words
from hub.dispatch.publish import publish as publish_route
from hub.dispatch.publish import unpublish as unpublish_route
from hub.dispatch.sheets import route_sheets, routes_of
from hub.errors import Missing, Refused
from hub.fleet.roster import find_depot
from hub.nouns import Noun
from hub.planning import ways
from hub.store import FlagRow, Operator, RouteRow
from hub.web.answers import answer, language, tagged
from hub.web.bodies import body
from hub.web.context import hub, principal, read, write
from hub.web.policy import allow
from hub.web.problems import Problem

blueprint = Blueprint("api_routes", __name__, url_prefix="/api/v1")


class InsertWish(Noun):
    """Into which route (default: the cheapest of the day), and whether only to ask the price."""

    route: str | None = Field(default=None, max_length=60)
    dry: bool = False
    even_late: bool = False
    """Take it although promises are broken, by as little as can be."""
    offer: str = Field(default="", max_length=80)
    """The `offer` of an answer to `dry`: exactly there, or 409 where the route has changed."""


class SequenceWish(Noun):
    """Every stop that is not visited yet, in the order wanted.

    With `optimise` the best order is looked for that begins with `locks`.
    """

    stops: tuple[str, ...] = Field(default=(), max_length=1000)
    locks: tuple[str, ...] = Field(default=(), max_length=1000)
    optimise: bool = False
    seconds: float = Field(default=1.0, gt=0, le=5)
    dry: bool = False


@blueprint.get("/routes")
@allow("owner", "dispatcher", "key:routes:write")
def list_routes() -> Response:
    """Return the routes of `service_date`, of one `depot` (id or name) or of all."""
    text = flask_request.args.get("service_date", "")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Refused(
            f"service_date must be a date like 2026-11-23, not {text[:40]!r}", "service_date"
        ) from None
    depot = flask_request.args.get("depot", "")
    with read() as session:
        found = find_depot(session, depot).id if depot else None
        return answer({"routes": routes_of(session, day, found)})


@blueprint.get("/routes/<id>")
@allow("owner", "dispatcher", "key:routes:write")
def show(id: str) -> Response:
    """Return one route with its stops."""
    with read() as session:
        return answer(route_sheets(session, [get(session, RouteRow, id)])[0])


@blueprint.get("/routes/<id>/way")
@allow("owner", "dispatcher", "key:routes:write")
def way(id: str) -> Response:
    """Return the line and the turns of a route, in the reader's language.

    202 until it is found, 404 with the reason where there is none.
    """
    with read() as session:
        found = ways.way_of(session, id, language())
        asked, why = (True, "") if found is not None else ways.search_for(session, id)
    if found is not None:
        return tagged(found.model_dump())
    if why:
        raise Missing(why)
    if not asked:
        with write() as session:
            ways.ask(session, id)
    return answer({"state": "waiting"}, 202, {"Retry-After": "2"})


@blueprint.post("/routes/<id>/publish")
@allow("owner", "dispatcher", "key:routes:write")
def publish(id: str) -> Response:
    """Make a draft ready: its driver sees it, its recipients have a promise."""
    with write() as session:
        publish_route(hub(), session, id)
    return show_now(id)


@blueprint.post("/routes/<id>/unpublish")
@allow("owner", "dispatcher", "key:routes:write")
def unpublish(id: str) -> Response:
    """Take back a route that nobody has begun; its stops can be planned again."""
    with write() as session:
        unpublish_route(session, id)
    return show_now(id)


@blueprint.post("/routes/<id>/sequence")
@allow("owner", "dispatcher", "key:routes:write")
def set_sequence(id: str) -> Response:
    """Set the order of the stops that are not visited yet; the answer names late ones."""
    wish = body(SequenceWish)
    if wish.optimise:
        made = sequence.optimise(
            hub(), principal(), id, wish.locks, seconds=wish.seconds, dry=wish.dry
        )
    else:
        made = sequence.resequence(hub(), principal(), id, wish.stops, dry=wish.dry)
    return answer(made)


@blueprint.post("/stops/<id>/insert")
@allow("owner", "dispatcher", "key:routes:write")
def insert(id: str) -> Response:
    """Put an unassigned stop into a published route, or with `dry` only say what it would cost."""
    wish = body(InsertWish)
    try:
        offer = offered(id, wish)
    except insertion.NoPlace as error:
        raise no_place(id, wish, error) from error
    return answer(price(offer))


def offered(id: str, wish: InsertWish) -> Offer:
    """Return the place that was asked for; the stop is there then, unless `dry` was said."""
    if not wish.dry and not wish.offer:
        return insertion.place(hub(), principal(), id, wish.route, even_late=wish.even_late)
    offer = insertion.price(hub(), principal(), id, wish.route, even_late=wish.even_late)
    if not wish.dry:
        accept(offer, wish.offer)
    return offer


def no_place(id: str, wish: InsertWish, error: insertion.NoPlace) -> Problem:
    """Return that a stop fits nowhere, with the price of the place that is late by the least."""
    errors = [{"field": error.field, "message": str(error)}]
    least = None if wish.even_late else insertion.least(hub(), principal(), id, wish.route)
    if least is None:
        return Problem(422, str(error), errors=errors)
    told = f"{error}. Late by the least with {in_words(least)}; to take that, say even_late"
    return Problem(422, told, errors=errors, least_late=price(least))


def price(offer: Offer) -> dict[str, object]:
    """Return an offer for an answer, with what accepts it."""
    return {**offer.model_dump(mode="json", exclude={"change"}), "offer": offer.key}


def accept(offer: Offer, told: str) -> None:
    """Put a stop exactly where it was offered; raise `Conflict` when that is no more so."""
    if offer.key != told:
        raise Problem(409, "the routes have changed since the price was told; ask for it again")
    try:
        with write() as session:
            insertion.insert(hub(), session, offer.stop, offered=offer)
    except Overtaken as error:
        raise Problem(409, "the route has changed just now; ask for the price again") from error


@blueprint.post("/stops/<id>/unassign")
@allow("owner", "dispatcher", "key:routes:write")
def unassign(id: str) -> Response:
    """Take a stop off its route; a failed one gets another attempt."""
    sequence.unassign(hub(), principal(), id)
    return answer({"id": id, "state": "unassigned"})


@blueprint.get("/flags")
@allow("owner", "dispatcher", "ops", "key:routes:write")
def list_flags() -> Response:
    """Return the flags that nobody has cleared."""
    with read() as session:
        return answer({"flags": [flag_answer(flag) for flag in open_flags(session)]})


@blueprint.post("/flags/<id>/clear")
@allow("owner", "dispatcher", "ops", "key:routes:write")
def clear(id: str) -> Response:
    """Clear a flag."""
    who = principal()
    with write() as session:
        row = clear_flag(session, id, who.user if isinstance(who, Operator) else "")
        return answer(flag_answer(row))


def show_now(id: str) -> Response:
    """Return a route as it is after a change."""
    with read() as session:
        return answer(route_sheets(session, [get(session, RouteRow, id)])[0])


def flag_answer(flag: FlagRow) -> dict[str, object]:
    """Return a flag for an answer."""
    return flag.model_dump(mode="json", exclude={"key"})
