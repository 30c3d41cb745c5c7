"""The API of messages: what was sent to recipients, and what became of it."""

from __future__ import annotations

from flask import Blueprint, Response, request
from pydantic import Field, ValidationError

from hub.errors import Refused
from hub.notify import sheets
from hub.nouns import Noun
from hub.web.answers import answer
from hub.web.bodies import faults
from hub.web.context import read
from hub.web.policy import allow
from hub.web.problems import Problem

blueprint = Blueprint("api_messages", __name__, url_prefix="/api/v1/messages")
READERS = ("owner", "dispatcher", "ops", "accountant", "merchant", "key:orders:read")


class Filter(Noun):
    """Which messages to list."""

    cursor: str = Field(default="", max_length=60, pattern=r"^[a-z0-9_]*$")
    limit: int = Field(default=50, ge=1, le=200)
    state: str = Field(default="", max_length=20)
    medium: str = Field(default="", max_length=20)
    stop: str = Field(default="", max_length=60, pattern=r"^[A-Za-z0-9_]*$")


@blueprint.get("")
@allow(*READERS)
def show_all() -> Response:
    """List messages, newest first; `next` is the cursor of the page behind this one."""
    told = {name: value for name, value in request.args.items() if name != "merchant"}
    try:
        wanted = Filter.model_validate(told)
    except ValidationError as error:
        raise Problem(422, "some parameters are not right", errors=faults(error)) from None
    for name, known in (("state", sheets.STATES), ("medium", sheets.MEDIA)):
        if getattr(wanted, name) not in ("", *known):
            raise Refused(f"there is no such {name}; one of {', '.join(known)}", name)
    with read() as session:
        asked = sheets.Wanted(
            state=wanted.state, medium=wanted.medium, stop=wanted.stop, before=wanted.cursor
        )
        rows = sheets.messages(session, asked, wanted.limit + 1)
        page = [sheets.sheet(row) for row in rows[: wanted.limit]]
    more = page[-1].id if len(rows) > wanted.limit else None
    return answer({"messages": page, "next": more})
