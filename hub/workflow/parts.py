"""Put a hub together: every package adds the work it does and the actions it offers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from hub import (
    dispatch,
    fleet,
    insights,
    notify,
    orders,
    outgoing,
    planning,
    privacy,
    proofs,
    tracking,
    workflow,
)
from hub.errors import PluginError
from hub.plugins import Plugin, Plugins
from hub.workflow import functions
from hub.workflow.library import Loaded, load_folder, shipped

if TYPE_CHECKING:
    from hub.actions import Action
    from hub.hub import Hub


def assemble(hub: Hub) -> None:
    """Register the handlers and actions of all packages on an open hub."""
    for package in (
        fleet,
        orders,
        planning,
        dispatch,
        tracking,
        proofs,
        insights,
        notify,
        outgoing,
        privacy,
        workflow,
    ):
        package.register(hub)
    for plugin in hub.plugins.plugins.values():
        try:
            adopt(hub, plugin)
        except PluginError as error:
            plugin.error = str(error)
            plugin.actions.clear()


def adopt(hub: Hub, plugin: Plugin) -> None:
    """Let workflows use a plugin's actions and functions; raise `PluginError` for a taken name."""
    taken = sorted(plugin.actions.keys() & hub.actions.keys())
    if taken:
        raise PluginError(f"the hub has actions of its own named {', '.join(taken)}")
    for function in plugin.functions.values():
        functions.install(function)
    hub.actions.update(plugin.actions)


def installed_actions() -> dict[str, Action]:
    """Return what workflows may do on this installation, without a database."""
    # A hub that is not open: packages only add to these when they register.
    bare = SimpleNamespace(actions={}, handlers={}, rounds=[], parts={}, plugins=Plugins())
    assemble(cast("Hub", bare))
    found: dict[str, Action] = bare.actions
    return found


def load_workflows(hub: Hub) -> Loaded:
    """Save the workflows that come with the hub, and those in `workflows` of its directory.

    A file there with the name of a shipped workflow replaces it. Actions have to be registered.
    """
    own = load_folder(hub, hub.settings.directory / "workflows")
    with_us = load_folder(hub, shipped(), own.found)
    return Loaded(
        own.saved + with_us.saved, own.found | with_us.found, own.refused + with_us.refused
    )
