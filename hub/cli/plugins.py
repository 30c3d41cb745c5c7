"""`hub plugin`: what is installed."""

from __future__ import annotations

import json
from typing import Any

import click

from hub.plugins import Plugins


@click.group("plugin")
def plugin_command() -> None:
    """List the installed plugins."""


@plugin_command.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_plugins(as_json: bool) -> None:
    """Print every plugin with its version, its connectors, or why it did not load."""
    rows: list[dict[str, Any]] = [
        {
            "name": plugin.name,
            "version": plugin.version,
            "kinds": {name: sorted(kinds) for name, kinds in plugin.kinds.items()},
            "error": plugin.error,
        }
        for plugin in Plugins().plugins.values()
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        brings = ", ".join(sorted({kind for kinds in row["kinds"].values() for kind in kinds}))
        click.echo(f"{row['name']:<14} {row['version']:<8} {row['error'] or brings}")
