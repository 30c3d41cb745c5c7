"""Pages that plugins bring: mounted under their plugin's name, shown while it is on."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Blueprint, Flask, request

from hub.errors import Missing, PluginError
from hub.hub import Hub
from hub.plugins import Plugin
from hub.web.context import hub
from hub.web.policy import views_without_roles

MARK = "plugin:"
"""What the names of plugins' blueprints begin with here."""


def mount(app: Flask, opened: Hub) -> None:
    """Add every plugin's pages; one whose pages are not sound is named and left without them."""
    for plugin in opened.plugins.plugins.values():
        for made in opened.plugins.later(plugin, "blueprints", partial(sound, plugin)):
            app.register_blueprint(
                made,
                name=f"{MARK}{plugin.name}:{made.name}",
                url_prefix=f"/plugins/{plugin.name}{made.url_prefix or ''}",
            )
    app.before_request(gate)


def sound(plugin: Plugin, made: Any) -> None:
    """Raise `PluginError` for what is no blueprint, or has a view that says no roles."""
    if not isinstance(made, Blueprint):
        raise PluginError(f"{plugin.name}.blueprints returned {made!r}, which is no Blueprint")
    alone = Flask("alone", static_folder=None)
    alone.register_blueprint(made)
    bare = views_without_roles(alone)
    if bare:
        raise PluginError(f"{', '.join(bare)}: say who may use it with @hub.allow(...)")


def gate() -> None:
    """Raise `Missing` for a page whose plugin is switched off."""
    blueprint = request.blueprint or ""
    if not blueprint.startswith(MARK):
        return
    plugin = blueprint.split(":")[1]
    with hub().store.read() as session:
        if not hub().connections.is_plugin_on(session, plugin):
            raise Missing(f"the plugin {plugin} is switched off")
