"""`hub webhook`: endpoints that are sent events, from the command line."""

from __future__ import annotations

import click

from hub.cli.terminal import BY, opened, show
from hub.fleet.roster import find_merchant
from hub.outgoing import endpoints, replay
from hub.redaction import redact


@click.group("webhook")
def webhook_command() -> None:
    """Send events to other systems by webhooks."""


@webhook_command.command("add")
@click.argument("url")
@click.option("--merchant", help="Slug or id of the merchant whose events are sent; else all.")
@click.option("--name", default="", help="What people call it.")
@click.option("--type", "types", multiple=True, help="Such as stop.completed; else all.")
def add(url: str, merchant: str | None, name: str, types: tuple[str, ...]) -> None:
    """Add the endpoint URL and print its secret; it cannot be shown again."""
    with opened() as hub, hub.store.write(BY) as session:
        owner = find_merchant(session, merchant).id if merchant else None
        row, secret = endpoints.add(
            session, hub.keys, url, merchant=owner, description=name, types=list(types)
        )
    click.echo(f"{row.id} {secret}")


@webhook_command.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_all(as_json: bool) -> None:
    """Print the endpoints and how they do."""
    with opened() as hub, hub.store.read(BY) as session:
        rows = endpoints.listed(session)
        counted = endpoints.counts(session, [row.id for row in rows])
        found = [
            {
                **row.model_dump(exclude={"secret", "previous"}),
                "url": redact(row.url),
                "waiting": counted[row.id].get("pending", 0) + counted[row.id].get("sending", 0),
                "given_up": counted[row.id].get("failed", 0),
            }
            for row in rows
        ]
    columns = ("id", "url", "description", "enabled", "state", "waiting", "given_up")
    show(found, columns, as_json, "there are no webhooks; add one with: hub webhook add URL")


@webhook_command.command("rotate")
@click.argument("id")
def rotate(id: str) -> None:
    """Print a new secret for the endpoint ID; the one before signs too for 24 hours."""
    with opened() as hub, hub.store.write(BY) as session:
        secret = endpoints.rotate(session, hub.keys, id)
    click.echo(secret)


@webhook_command.command("replay")
@click.argument("id")
@click.option("--failed", is_flag=True, help="All that was given up.")
@click.option(
    "--after", type=click.IntRange(0), default=0, help="The number behind which to begin."
)
@click.option("--until", type=click.IntRange(0), help="The last number.")
def again(id: str, failed: bool, after: int, until: int | None) -> None:
    """Send events again to the endpoint ID: all that failed, or a range of numbers."""
    if failed == (until is not None):
        raise click.UsageError("give either --failed or a range with --until")
    with opened() as hub:
        if until is None:
            number = replay.failed(hub, BY, id)
        else:
            number = replay.events(hub, BY, id, after, until)
    click.echo(f"{number} event{'' if number == 1 else 's'} sent again")
