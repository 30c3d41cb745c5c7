"""The API of webhooks: endpoints for programs that set themselves up."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Response
from pydantic import Field

from hub.nouns import Noun
from hub.outgoing import endpoints, replay
from hub.store import EndpointRow, Merchant, Session
from hub.web.answers import answer
from hub.web.bodies import body
from hub.web.context import hub, principal, read, write
from hub.web.policy import allow

blueprint = Blueprint("api_webhooks", __name__, url_prefix="/api/v1/webhooks")
KEEPERS = ("owner", "ops", "merchant", "key:webhooks:write")


class EndpointSheet(Noun):
    """An endpoint without its secret."""

    id: str
    url: str
    description: str
    merchant: str | None
    types: tuple[str, ...]
    enabled: bool
    state: str
    """healthy | failing | disabled"""
    reason: str
    waiting: int
    failed: int
    last_ok_at: datetime | None
    created_at: datetime


class NewEndpoint(Noun):
    """An endpoint to be added; a merchant's key adds its own only."""

    url: str = Field(max_length=endpoints.LONGEST_URL)
    description: str = Field(default="", max_length=endpoints.LONGEST_TEXT)
    types: tuple[str, ...] = ()
    merchant: str | None = None


class Changes(Noun):
    """What shall be different; what is left out stays."""

    url: str | None = Field(default=None, max_length=endpoints.LONGEST_URL)
    description: str | None = Field(default=None, max_length=endpoints.LONGEST_TEXT)
    types: tuple[str, ...] | None = None
    enabled: bool | None = None


class Range(Noun):
    """Events to send again, by their numbers in the endpoint's own feed."""

    after: int = Field(ge=0, lt=2**63)
    until: int = Field(ge=0, lt=2**63)


@blueprint.get("")
@allow(*KEEPERS)
def show_all() -> Response:
    """Return the endpoints."""
    with read() as session:
        return answer({"webhooks": sheets(session, endpoints.listed(session))})


@blueprint.post("")
@allow(*KEEPERS)
def add() -> Response:
    """Add an endpoint and return it with its secret, which cannot be read again."""
    given, who = body(NewEndpoint), principal()
    merchant = who.id if isinstance(who, Merchant) else given.merchant
    with write() as session:
        row, secret = endpoints.add(
            session, hub().keys, given.url, merchant=merchant, description=given.description,
            types=list(given.types),
        )  # fmt: skip
        return answer({**sheets(session, [row])[0].model_dump(), "secret": secret}, 201)


@blueprint.get("/<id>")
@allow(*KEEPERS)
def show(id: str) -> Response:
    """Return one endpoint."""
    with read() as session:
        return answer(sheets(session, [endpoints.found(session, id)])[0])


@blueprint.patch("/<id>")
@allow(*KEEPERS)
def change(id: str) -> Response:
    """Change an endpoint, or switch it."""
    given = body(Changes)
    said = given.model_dump(exclude_none=True, exclude={"enabled"})
    with write() as session:
        row = endpoints.change(session, id, **said)
        if given.enabled is not None:
            row = endpoints.switch(session, id, given.enabled)
        return answer(sheets(session, [row])[0])


@blueprint.delete("/<id>")
@allow(*KEEPERS)
def remove(id: str) -> Response:
    """Remove an endpoint with its log."""
    with write() as session:
        endpoints.remove(session, id)
    return Response(status=204)


@blueprint.post("/<id>/secret")
@allow(*KEEPERS)
def rotate(id: str) -> Response:
    """Give an endpoint a new secret and return it; the one before signs too for 24 hours."""
    with write() as session:
        secret = endpoints.rotate(session, hub().keys, id)
        return answer({**sheets(session, [endpoints.found(session, id)])[0].model_dump(),
                       "secret": secret})  # fmt: skip


@blueprint.post("/<id>/test")
@allow(*KEEPERS)
def test(id: str) -> Response:
    """Have a test sent."""
    with write() as session:
        return answer({"webhook_id": endpoints.test(session, id).id}, 202)


@blueprint.post("/<id>/replay")
@allow(*KEEPERS)
def again(id: str) -> Response:
    """Send the events of a range again, `after` not included; each keeps its id."""
    given = body(Range)
    return answer({"events": replay.events(hub(), principal(), id, given.after, given.until)}, 202)


def sheets(session: Session, rows: list[EndpointRow]) -> list[EndpointSheet]:
    """Return endpoints as programs read them."""
    counted = endpoints.counts(session, [row.id for row in rows])
    return [
        EndpointSheet(
            **row.model_dump(include=EndpointSheet.model_fields.keys() - {"types"}),
            types=tuple(row.types),
            waiting=counted[row.id].get("pending", 0) + counted[row.id].get("sending", 0),
            failed=counted[row.id].get("failed", 0),
        )
        for row in rows
    ]
