"""`hub plugin`: what is installed."""

from __future__ import annotations

import json
from functools import partial
from importlib.metadata import entry_points
from typing import Any

import click

from hub.errors import PluginError
from hub.plugins import GROUP, Plugins


@click.group("plugin")
def plugin_command() -> None:
    """List the installed plugins."""


@plugin_command.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_plugins(as_json: bool) -> None:
    """Print every plugin with its version, what it brings, or why it did not load."""
    rows: list[dict[str, Any]] = [
        {
            "name": plugin.name,
            "version": plugin.version,
            "kinds": {name: sorted(kinds) for name, kinds in plugin.kinds.items()},
            "hooks": sorted(plugin.hooks),
            "error": plugin.error,
        }
        for plugin in Plugins().plugins.values()
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        brings = ", ".join(row["hooks"])
        click.echo(f"{row['name']:<14} {row['version']:<8} {row['error'] or brings}")


def commands_of(plugin: str) -> click.Group | None:
    """Return the commands that a plugin brings as a group of its name, None where it has none.

    Only that plugin is loaded. Raise `PluginError` for one that cannot be.
    """
    found = Plugins(entry_points(group=GROUP, name=plugin))
    own = found.plugins.get(plugin)
    if own is None:
        return None
    brought = found.later(own, "commands", partial(command, plugin))
    if own.error:
        raise PluginError(f"the plugin {plugin}: {own.error}")
    commands = {str(one.name): one for one in brought}
    text = f"Commands of the plugin {plugin}."
    return click.Group(plugin, commands=commands, help=text) if commands else None


def command(plugin: str, made: Any) -> None:
    """Raise `PluginError` for what is no command."""
    if not isinstance(made, click.Command):
        raise PluginError(f"{plugin}.commands returned {made!r}, which is no click command")
