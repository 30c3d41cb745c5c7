"""The API of events: what happened, in order and without a gap."""

from __future__ import annotations

from flask import Blueprint, Response, request
from pydantic import Field, ValidationError

from hub.events import feed
from hub.nouns import Noun
from hub.web.answers import answer
from hub.web.bodies import faults
from hub.web.context import hub, read
from hub.web.policy import allow
from hub.web.problems import Problem

blueprint = Blueprint("api_events", __name__, url_prefix="/api/v1/events")
READERS = ("owner", "ops", "merchant", "key:events:read")


class Wanted(Noun):
    """Which events to read."""

    after: int = Field(default=0, ge=0, lt=2**63)
    limit: int = Field(default=100, ge=1, le=500)
    types: str = Field(default="", max_length=2000)
    """Names with commas between them; all where it is empty."""


@blueprint.get("")
@allow(*READERS)
def show() -> Response:
    """Return events behind the number `after`; `next` is the number to ask on from."""
    try:
        wanted = Wanted.model_validate(request.args.to_dict())
    except ValidationError as error:
        raise Problem(422, "some parameters are not right", errors=faults(error)) from None
    types = [name.strip() for name in wanted.types.split(",") if name.strip()]
    with read() as session:
        return answer(feed.read(session, wanted.after, wanted.limit, types))


@blueprint.get("/stream")
@allow("public")
def stream() -> Response:
    """Say where the stream is served; a redirect would lose the key in many clients."""
    address = hub().settings.live_url.rstrip("/") + request.path
    raise Problem(421, f"the stream of events is served at {address}", stream=address)
