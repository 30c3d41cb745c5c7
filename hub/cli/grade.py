"""`hub plugin grade`: run the checks of a plugin, and say which grade it has and what it lacks."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import click

from hub.errors import PluginError
from hub.plugins import Plugin, Plugins
from hub.testing import grades
from hub.testing.grading import run_kit


@click.command("grade")
@click.argument("name")
@click.option(
    "--tests", "folder", help="The folder of its tests; the one beside its code unless you say.",
    type=click.Path(exists=True, path_type=Path),
)  # fmt: skip
@click.option("--write", is_flag=True, help="Put the grade, and this version's settings, with it.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def grade_command(name: str, folder: Path | None, write: bool, as_json: bool) -> None:
    """Run the checks of the installed plugin NAME and print its grade.

    bronze: it loads, keeps its secrets and fails in the hub's words. silver: it does what its kind
    promises. gold: no check is passed over, its settings last, and its documents say enough.
    """
    if find_spec("pytest") is None:
        raise click.ClickException('the checks need pytest: pip install "lastmile-hub[testing]"')
    plugin = installed(name)
    try:
        runs = run_kit(name, folder or tests_of(plugin), keep=write)
    except OSError as error:
        raise click.ClickException(str(error)) from None
    found = grades.compute(plugin, runs)
    if write:
        path = grades.write(plugin, found)
        click.echo(f"written to {path}", err=True)
    click.echo(found.model_dump_json() if as_json else described(found))


def installed(name: str) -> Plugin:
    """Return an installed plugin that loads; raise `PluginError` for another."""
    plugin = Plugins().plugins.get(name)
    if plugin is None:
        raise PluginError(f"no plugin {name} is installed")
    if plugin.error:
        raise PluginError(f"the plugin {name} does not load: {plugin.error}")
    if not plugin.connectors:
        raise PluginError(f"the plugin {name} brings no connector, and only those are graded")
    return plugin


def tests_of(plugin: Plugin) -> Path:
    """Return the folder of a plugin's tests beside its code."""
    root = grades.root(plugin)
    folder = root / "tests" if root else None
    if folder is None or not folder.is_dir():
        raise click.UsageError(f"the tests of {plugin.name} are not beside it; say --tests FOLDER")
    return folder


def described(grade: grades.Grade) -> str:
    """Return a grade for people: what holds, and what stands before the next one."""
    lines = [
        f"{grade.plugin} {grade.version}: {grade.grade or 'no grade yet'} "
        f"({grade.checks} checks hold, of version {grade.kit})"
    ]
    lines += [f"  exempt from {name}: {reason}" for name, reason in grade.exempt.items()]
    lines += [f"  to do: {name}: {todo}" for name, todo in grade.missing.items()]
    return "\n".join(lines)
