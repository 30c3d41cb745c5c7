"""The tabs of one connection: which there are, and which the reader may open."""

from __future__ import annotations

from typing import Any

from flask import current_app, render_template, url_for

from hub.capabilities import OAuth, Receiver
from hub.connections.states import standing
from hub.store import ConnectionRow
from hub.web.admin.kinds import hook_of, kind_title
from hub.web.context import hub, read
from hub.web.frame import Entry
from hub.web.policy import allowed, permitted
from hub.workflow.pulls import hands_over

TABS = (
    ("connections.overview", "Overview"),
    ("connections.edit", "Settings"),
    ("consent.page", "Connection"),
    ("mapping.page", "Mapping"),
    ("activity.page", "Activity"),
    ("rejects.page", "Rejected"),
    ("incoming.page", "Webhooks"),
    ("usage.page", "Used by"),
    ("advanced.page", "Advanced"),
)
"""(endpoint, label) in order; each takes the connection's id as `id`."""


def fits(endpoint: str, row: ConnectionRow) -> bool:
    """Say whether a tab has anything to say about a connection."""
    plugin = hub().plugins.owner(row.connector)
    kind = plugin.connectors[row.connector] if plugin else None
    if endpoint == "mapping.page":
        return hands_over(hub(), row)
    if endpoint == "consent.page":
        return kind is not None and issubclass(kind, OAuth)
    if endpoint == "incoming.page":
        return kind is not None and issubclass(kind, Receiver)
    return True


def tabs_of(row: ConnectionRow) -> list[Entry]:
    """Return the tabs of a connection that exist and that the reader may open."""
    return [
        Entry(url_for(endpoint, id=row.id), label)
        for endpoint, label in TABS
        if endpoint in current_app.view_functions
        and permitted(allowed(current_app, endpoint))
        and fits(endpoint, row)
    ]


def render_tab(template: str, row: ConnectionRow, **shown: Any) -> str:
    """Return the page of one tab; `template` extends `admin/connection/page.html`."""
    with read() as session:
        now = standing(hub().connections, session, row)
    return render_template(
        template,
        row=row,
        kind_title=kind_title(row.connector),
        hook=hook_of(row.connector),
        standing=now,
        tabs=tabs_of(row),
        **shown,
    )
