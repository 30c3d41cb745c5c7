"""Used by: the workflows that a connection matters to, and what to do where there is none."""

from __future__ import annotations

from flask import Blueprint

from hub.access import get
from hub.store import ConnectionRow
from hub.web.admin.connections import KEEPERS
from hub.web.admin.kinds import hooks_of, steps_for
from hub.web.admin.tabs import render_tab
from hub.web.context import hub, read
from hub.web.policy import allow
from hub.workflow.pulls import hands_over
from hub.workflow.usage import rival, uses

blueprint = Blueprint("usage", __name__, url_prefix="/admin/connections")

ITSELF = {
    "order_sources": "The hub reads its orders every 15 minutes by itself.",
    "geocoders": "The hub looks up every address whose place is not known by itself.",
    "travel_times": "Planning asks the operator's oldest healthy one.",
    "routing_engines": "Planning asks the operator's oldest healthy one.",
    "position_sources": "The hub reads its positions by itself.",
}
"""What happens without any workflow."""


@blueprint.get("/<id>/usage")
@allow(*KEEPERS)
def page(id: str) -> str:
    """Show which workflows go through a connection, and which its orders start."""
    with read() as session:
        row = get(session, ConnectionRow, id)
        hooks = hooks_of(row.connector)
        if not hands_over(hub(), row):
            hooks = [hook for hook in hooks if hook != "order_sources"]
        return render_tab(
            "admin/connection/usage.html",
            row,
            uses=uses(hub(), session, row),
            itself=[ITSELF[hook] for hook in hooks if hook in ITSELF],
            steps=steps_for(row),
            rival=rival(hub(), session, row),
        )
