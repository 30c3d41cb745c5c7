"""The tabs of one connection: which there are, and which the reader may open."""

from __future__ import annotations

from typing import Any

from flask import current_app, render_template, url_for

from hub.store import ConnectionRow
from hub.web.context import hub
from hub.web.frame import Entry
from hub.web.policy import allowed, permitted

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


def tabs_of(row: ConnectionRow) -> list[Entry]:
    """Return the tabs of a connection that exist and that the reader may open."""
    return [
        Entry(url_for(endpoint, id=row.id), label)
        for endpoint, label in TABS
        if endpoint in current_app.view_functions and permitted(allowed(current_app, endpoint))
    ]


def render_tab(template: str, row: ConnectionRow, **shown: Any) -> str:
    """Return the page of one tab; `template` extends `admin/connection/page.html`."""
    plugin = hub().plugins.owner(row.connector)
    kind = plugin.connectors[row.connector].title if plugin else row.connector
    return render_template(template, row=row, kind_title=kind, tabs=tabs_of(row), **shown)
