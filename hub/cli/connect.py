"""`hub connect`: set a connection up from the terminal, step by step as the wizard does."""

from __future__ import annotations

import difflib
import sys
from typing import Any

import click

from hub.cli import answers
from hub.connector import Connector
from hub.errors import HubError, Refused
from hub.plugins import Plugins

FAILED, BAD, UNTESTED, LEFT = 1, 2, 3, 4
"""Exit codes: refused or broken; wrong usage; its test failed, kept as a draft; something is left
for a person."""


class Connect(click.Group):
    """A group with a command for each connector that is installed, made of its settings."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all connectors."""
        return sorted(connectors(Plugins()))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return the command of one connector."""
        kind = connectors(Plugins()).get(name)
        return command(kind) if kind is not None else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; say which connectors there are where there is none of that name."""
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-"):
            close = difflib.get_close_matches(args[0], known, 1)
            meant = f"did you mean {close[0]}? " if close else ""
            raise click.UsageError(
                f"no connector {args[0]} is installed; {meant}There are {', '.join(known)}", ctx
            )
        return super().resolve_command(ctx, args)


@click.command("connect", cls=Connect, invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def connect_command(ctx: click.Context, as_json: bool) -> None:
    """Set a connection up: hub connect NAME. Without a name, list what can be connected.

    It asks for what is missing, makes a real call, shows what would come in and asks before it
    puts the connection into use. Secrets are asked for without being shown; programs give them by
    --set-file SETTING=PATH, or in the environment as HUB_CONNECT_SETTING.

    It ends with 0 when the connection is in use, 1 where something was refused, 2 for wrong usage,
    3 where the test failed, 4 where something is left for a person; 3 and 4 keep what was set up.
    """
    if ctx.invoked_subcommand is None:
        from hub.cli.terminal import show

        columns = ("name", "title", "kind", "does")
        rows = offers(Plugins())
        show(rows, columns, as_json, "no connector is installed")
        if not as_json:
            click.echo("set one up with: hub connect NAME (its settings: hub connect NAME --help)")


def connectors(plugins: Plugins) -> dict[str, type[Connector[Any]]]:
    """Return the connectors that can be set up, by name; files are imported by people."""
    from hub.orders import imports

    return {
        name: kind
        for plugin in plugins.plugins.values()
        for name, kind in plugin.connectors.items()
        if name != imports.CONNECTOR
    }


def offers(plugins: Plugins) -> list[dict[str, Any]]:
    """Return what can be connected, by what it is for, and what each does."""
    from hub.connections.grants import by_consent
    from hub.web.admin.kinds import DOES, KINDS

    found = []
    for name, kind in sorted(connectors(plugins).items()):
        hooks = [hook for hook in KINDS if name in plugins.of_kind(hook)]
        does = [DOES[hook] for hook in hooks]
        does += ["is told at once"] if hasattr(kind, "receive") else []
        does += ["tells how deliveries go"] if hasattr(kind, "tell") else []
        does += ["connects by consent"] if by_consent(kind) else []
        found.append(
            {
                "name": name,
                "title": kind.title,
                "kind": KINDS[hooks[0]] if hooks else "",
                "does": ", ".join(does),
                "settings": [
                    one.model_dump(include={"name", "label", "hint", "kind", "required", "options"})
                    for one in answers.fields_of(kind)
                ],
            }
        )
    order = list(KINDS.values())
    return sorted(found, key=lambda one: order.index(one["kind"]) if one["kind"] else 99)


def command(kind: type[Connector[Any]]) -> click.Command:
    """Return the command that sets one connector up."""
    own = [
        click.Option(["--merchant"], help="Slug or id of the merchant that it belongs to."),
        click.Option(["--title"], default="", help="How people call it."),
        click.Option(
            ["--set", "sets"], multiple=True, metavar="SETTING=VALUE", help="Any setting by name."
        ),
        click.Option(
            ["--set-file", "files"], multiple=True, metavar="SETTING=PATH",
            help="A setting from a file; - is a line of stdin. For secrets.",
        ),
        click.Option(["--id"], help="Go on with the connection that was not finished."),
        click.Option(["--yes", "-y"], is_flag=True, help="Enable without asking."),
        click.Option(
            ["--wait"], type=click.IntRange(0, 3_600),
            help="Seconds to wait for a consent; 600 with somebody at the terminal, else none.",
        ),
        click.Option(["--json", "as_json"], is_flag=True, help="For programs."),
    ]  # fmt: skip

    def run(**given: Any) -> None:
        own = {name: given.pop(name) for name in OWN}
        raise SystemExit(connect(kind, given, **own))

    about = (kind.__doc__ or kind.title).strip()
    text = f"Set up {kind.title}.\n\n{about}"
    return click.Command(kind.name, params=[*own, *answers.options(kind)], callback=run, help=text)


OWN = ("merchant", "title", "sets", "files", "id", "yes", "wait", "as_json")


def is_asked() -> bool:
    """Say whether a person sits at the terminal."""
    return sys.stdin.isatty()


def connect(
    kind: type[Connector[Any]],
    given: dict[str, Any],
    *,
    sets: tuple[str, ...],
    files: tuple[str, ...],
    as_json: bool,
    **how: Any,
) -> int:
    """Set a connection up; return the exit code."""
    from hub.cli.plans import ready
    from hub.cli.setup import Setup

    asked = is_asked() and not as_json
    hub = None
    try:
        told = answers.collect(kind, given, sets, files)
        hub = ready()
        setup = Setup(hub, kind, told, asked=asked, as_json=as_json, **how)
        code = setup.run()
    except (HubError, click.UsageError) as error:
        usage = isinstance(error, click.UsageError)
        if not as_json:
            if usage:
                raise
            text = explained(kind, error)
            click.secho(f"hub: {text}", fg="red", err=True)
        else:
            field = getattr(error, "field", None) or ""
            said = error.message if isinstance(error, click.UsageError) else str(error)
            print_json({"ok": False, "error": said, "field": field, "do": advice(kind, error)})
        return BAD if usage else FAILED
    finally:
        if hub is not None:
            hub.close()
    if as_json:
        print_json({"ok": code == 0, **setup.told})
    return code


def print_json(told: dict[str, Any]) -> None:
    """Print one object for programs."""
    from pydantic_core import to_json

    click.echo(to_json(told).decode())


def explained(kind: type[Connector[Any]], error: Exception) -> str:
    """Return what an error says and what to do about it."""
    todo = advice(kind, error)
    return f"{error}; {todo}" if todo else str(error)


def advice(kind: type[Connector[Any]], error: Exception) -> str:
    """Return how the setting at fault is given, where an error names one."""
    name = error.field if isinstance(error, Refused) else None
    field = next((one for one in answers.fields_of(kind) if one.name == name), None)
    return f"give another {field.label} by {answers.ways(field)}" if field is not None else ""
