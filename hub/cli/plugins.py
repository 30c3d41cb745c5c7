"""`hub plugin`: what is installed, and the beginning of a new one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import click

from hub.cli import scaffold
from hub.cli.dev import dev_plugin
from hub.cli.grade import grade_command
from hub.cli.parts import PARTS
from hub.errors import PluginError
from hub.plugins import GROUP, Plugins
from hub.testing import grades

NAME = re.compile(r"[a-z][a-z0-9_]{1,30}")


@click.group("plugin")
def plugin_command() -> None:
    """List the installed plugins, begin a new one, try out the one being written."""


plugin_command.add_command(dev_plugin)


@plugin_command.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_plugins(as_json: bool) -> None:
    """Print every plugin with its version and grade, what it brings, or why it did not load."""
    rows: list[dict[str, Any]] = [
        {
            "name": plugin.name,
            "version": plugin.version,
            "kinds": {name: sorted(kinds) for name, kinds in plugin.kinds.items()},
            "hooks": sorted(plugin.hooks),
            "grade": grades.shown(plugin),
            "error": plugin.error,
        }
        for plugin in Plugins().plugins.values()
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        brings = ", ".join(row["hooks"])
        about = f"{row['name']:<14} {row['version']:<8} {row['grade']:<11}"
        click.echo(f"{about} {row['error'] or brings}")


plugin_command.add_command(grade_command)


def flags(function: Callable[..., None]) -> Callable[..., None]:
    """Add a flag for each kind that a new plugin can be of."""
    for kind, part in reversed(PARTS.items()):
        flag = click.option(f"--{kind}", is_flag=True, help=f"It brings {part.what}.")
        function = flag(function)
    return function


@plugin_command.command("new")
@click.argument("name")
@flags
@click.option(
    "--into", default=".", show_default=True, help="The folder in which its own is made.",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)  # fmt: skip
def new_plugin(name: str, into: Path, **wanted: bool) -> None:
    """Write the files of a new plugin NAME.

    They load and pass the checks, except one test for each flag that says what is left to write.
    """
    kinds = [kind for kind in PARTS if wanted[kind.replace("-", "_")]]
    if not kinds:
        known = ", ".join(f"--{kind}" for kind in PARTS)
        raise click.UsageError(f"say what it is to be, with one or more of {known}")
    bare = [kind for kind in kinds if PARTS[kind].place == "connector" and not PARTS[kind].hook]
    if bare and not any(PARTS[kind].returns.startswith("type[") for kind in kinds):
        raise click.UsageError(f"--{bare[0]} is for a connector; say which kind, too")
    if not NAME.fullmatch(name):
        raise click.BadParameter("small letters, digits and _ after a letter", param_hint="NAME")
    if name in Plugins().plugins:
        raise click.BadParameter(f"a plugin {name} is installed already", param_hint="NAME")
    for file in scaffold.write(into, name, kinds):
        click.echo(file)
    click.echo(f"next: cd {into / name} && pip install -e '.[test]' && python -m pytest", err=True)


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
