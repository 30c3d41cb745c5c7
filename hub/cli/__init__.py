"""The `hub` command; each subcommand is imported only when it is called."""

from __future__ import annotations

from importlib import import_module

import click

COMMANDS = {
    "up": ("hub.cli.up", "Run the whole hub on this machine."),
    "demo": ("hub.cli.demo", "Play a delivery day with simulated drivers."),
    "plan": ("hub.cli.plans", "Plan a depot's day into routes."),
    "bench": ("hub.cli.bench", "Measure routing engines on known instances."),
    "publish": ("hub.cli.plans", "Make planned routes ready and promise their windows."),
    "routes": ("hub.cli.routes", "Change routes that are on the road."),
    "times": ("hub.cli.times", "Look at travel times, and fit the approximate ones."),
    "import": ("hub.cli.orders", "Read a file of orders."),
    "db": ("hub.cli.database", "Create or upgrade the database."),
    "user": ("hub.cli.accounts", "Let people sign in, or keep them out."),
    "key": ("hub.cli.accounts", "Make, list and revoke API keys."),
    "webhook": ("hub.cli.webhooks", "Send events to other systems."),
    "audit": ("hub.cli.accounts", "Print who did what."),
    "privacy": ("hub.cli.privacy", "Give a person their data, or erase them."),
    "merchant": ("hub.cli.fleet", "Add and list the brands that are delivered for."),
    "depot": ("hub.cli.fleet", "Add and list depots."),
    "vehicle": ("hub.cli.fleet", "Add and list vehicles, say what they can, may and cost."),
    "measure": ("hub.cli.fleet", "Say what load is counted by, and how work is shared."),
    "driver": ("hub.cli.drivers", "Add drivers, say what they can, sign their phones in."),
    "message": ("hub.cli.messages", "Look at messages and say how many may be sent."),
    "optout": ("hub.cli.messages", "Keep the list of those who want no messages."),
    "map": ("hub.cli.maps", "Load maps: streets to draw, addresses, road graphs."),
    "connect": ("hub.cli.connect", "Set up a connection to a shop, a gateway or the books."),
    "connections": ("hub.cli.connections", "See, pause, test and remove connections."),
    "workflow": ("hub.cli.workflows", "Check, save, compare and follow workflows."),
    "plugin": ("hub.cli.plugins", "List the installed plugins, begin a new one."),
    "web": ("hub.cli.services", "Serve the pages and the API."),
    "live": ("hub.cli.services", "Serve the live channel."),
    "worker": ("hub.cli.services", "Do due work of one queue."),
    "dispatcher": ("hub.cli.services", "Number events and ring for due work."),
    "positions": ("hub.cli.services", "Process the positions of drivers' phones."),
    "simulate": ("hub.cli.services", "Drive the demo's phones (used by hub demo)."),
}
_HIDDEN = {"simulate"}


class Lazy(click.Group):
    """A group that knows its commands by name and loads one when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which a newcomer needs them."""
        return [name for name in COMMANDS if name not in _HIDDEN]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import and return one command."""
        if name not in COMMANDS:
            from hub.cli.plugins import commands_of

            return commands_of(name)
        module = import_module(COMMANDS[name][0])
        found: click.Command = getattr(module, f"{name.replace('-', '_')}_command")
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any."""
        rows = [(name, COMMANDS[name][1]) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lastmile-hub", prog_name="hub")
def cli() -> None:
    """Lastmile Hub: orders in, routes planned, deliveries proven."""


def main() -> None:
    """Run the command and print expected errors as one sentence."""
    from hub.errors import HubError

    try:
        cli(standalone_mode=True)
    except HubError as error:
        click.secho(f"hub: {error}", fg="red", err=True)
        raise SystemExit(1) from None
