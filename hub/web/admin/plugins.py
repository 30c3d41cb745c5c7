"""Plugins: what is installed, what could not be loaded and why, on and off."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request
from sqlmodel import col, select
from werkzeug.wrappers import Response

from hub.access import scoped
from hub.connections.book import set_plugin
from hub.errors import Missing
from hub.plugins import Plugin
from hub.store import ConnectionRow, PluginRow, Session
from hub.web.admin.kinds import KINDS
from hub.web.context import hub, read, write
from hub.web.policy import allow
from hub.workflow.effects import release
from hub.workflow.library import library_of
from hub.workflow.usage import moves

blueprint = Blueprint("plugins", __name__, url_prefix="/admin/plugins")
BROUGHT = {
    **KINDS, "workflow_actions": "Workflow steps", "workflow_functions": "Workflow functions",
    "blueprints": "Pages", "commands": "Commands",
}  # fmt: skip
"""Hooks in people's words."""
SHOWN = 3
"""Connections that are named for each plugin."""


@blueprint.get("")
@allow("owner", "ops")
def page() -> str:
    """Show every plugin; those that failed to load come first, with the error."""
    with read() as session:
        off = set(session.exec(select(PluginRow.name).where(col(PluginRow.enabled).is_(False))))
        made = scoped(session, ConnectionRow).order_by(col(ConnectionRow.created_at))
        connections = list(session.exec(made))
        actions = acting(session)
    plugins = hub().plugins.plugins.values()
    rows = [line(plugin, off, connections, actions) for plugin in plugins]
    rows.sort(key=lambda row: (not row["error"], row["name"]))
    return render_template("admin/plugins.html", rows=rows)


@blueprint.post("/<name>/switch")
@allow("owner", "ops")
def switch(name: str) -> Response:
    """Switch a plugin with all its connections on or off, in every process, without a restart."""
    plugin = hub().plugins.plugins.get(name)
    if plugin is None:
        raise Missing(f"no plugin {name} is installed")
    enabled = request.form.get("enabled") == "yes"
    with write() as session:
        set_plugin(session, hub().plugins, name, enabled)
        if enabled:
            own = select(ConnectionRow.id).where(
                col(ConnectionRow.connector).in_(list(plugin.connectors)),
                col(ConnectionRow.enabled).is_(True),
            )
            for connection in session.exec(own):
                release(session, connection)
    return redirect("/admin/plugins")


def acting(session: Session) -> dict[str, set[str]]:
    """Return the workflows in force that use each action of a plugin."""
    found: dict[str, set[str]] = {}
    for entries in library_of(hub()).index(session).values():
        for entry in entries:
            courses = entry.program.courses.values() if entry.program else ()
            for course in courses:
                for move in moves(course):
                    if move.action is not None:
                        found.setdefault(move.action.name, set()).add(entry.workflow)
    return found


def line(
    plugin: Plugin, off: set[str], connections: list[ConnectionRow], actions: dict[str, set[str]]
) -> dict[str, Any]:
    """Return what the page shows of a plugin."""
    own = [(row.id, row.title) for row in connections if row.connector in plugin.connectors]
    workflows = set().union(*(actions.get(name, set()) for name in plugin.actions))
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "error": plugin.error,
        "kinds": [title for hook, title in BROUGHT.items() if hook in plugin.hooks],
        "enabled": plugin.name not in off,
        "titles": [kind.title for kind in plugin.connectors.values()],
        "grade": str(getattr(plugin, "grade", "") or ""),
        "connections": own[:SHOWN],
        "more": max(0, len(own) - SHOWN),
        "workflows": sorted(workflows),
    }
