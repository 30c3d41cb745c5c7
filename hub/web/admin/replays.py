"""What an edited workflow would have done within the last days, before it is saved."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from hub.notify.segments import segments
from hub.web.admin.editor import render, shown
from hub.web.context import hub, principal
from hub.web.policy import allow
from hub.workflow.problem import Invalid
from hub.workflow.replay import replay

blueprint = Blueprint("replays", __name__, url_prefix="/admin")
SINCE = timedelta(days=7)
MOST_EVENTS = 5_000
"""Events that a page looks at; the command `hub workflow replay` has no such limit."""
SHOWN = 100


@blueprint.post("/workflow-replay")
@allow("owner", "ops")
def page() -> str | tuple[str, int]:
    """Show the difference that the text of the editor would have made; nothing is saved."""
    text = text_of()
    given = {"text": text, "base": request.form.get("base", ""), "since": SINCE, "shown": SHOWN}
    name = request.form.get("name", "")
    try:
        found = replay(hub(), principal(), text, SINCE, most=MOST_EVENTS)
    except Invalid as error:
        told = {"found": None, "problems": error.problems, "name": name}
        return render_template("admin/replay.html", **given, **told), 422
    return render_template(
        "admin/replay.html",
        **given,
        found=found,
        problems=(),
        name=name,
        written=written,
        parts_of=segments,
    )


@blueprint.post("/workflow-edit")
@allow("owner", "ops")
def back() -> Response:
    """Show the editor again with the text as it was written."""
    base = request.form.get("base", "")
    return shown(render(request.form.get("name") or None, text_of(), base=base))


def text_of() -> str:
    """Return the text of the form with the line ends of a file."""
    return request.form.get("text", "").replace("\r\n", "\n")


def written(values: dict[str, Any]) -> str:
    """Return what a step was given, one field a line."""
    lines = (f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in values.items())
    return "\n".join(lines)
