"""`hub message` and `hub optout`: what was sent, how long a text is, who wants no more."""

from __future__ import annotations

import sys

import click

from hub.cli.terminal import BY, opened, show
from hub.errors import Missing
from hub.fleet.roster import find_merchant
from hub.notify import limits, optouts, sheets
from hub.notify.segments import segments

AS_JSON = click.option("--json", "as_json", is_flag=True, help="For programs.")
MERCHANT = click.option("--merchant", required=True, help="Slug or id.")
MEDIUM = click.option(
    "--medium", type=click.Choice(sheets.MEDIA), help="By default what ADDRESS looks like."
)


@click.group("message")
def message_command() -> None:
    """Look at messages to recipients and say how many may be sent."""


@message_command.command("list")
@click.option("--state", type=click.Choice(sheets.STATES), help="Only those.")
@click.option("--medium", type=click.Choice(sheets.MEDIA), help="Only those.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@AS_JSON
def list_messages(state: str | None, medium: str | None, limit: int, as_json: bool) -> None:
    """Print the newest messages."""
    with opened() as hub, hub.store.read(BY) as session:
        found = sheets.messages(
            session, sheets.Wanted(state=state or "", medium=medium or ""), limit
        )
        rows = [sheets.sheet(row).model_dump() for row in found]
    columns = ("created_at", "to", "medium", "state", "segments", "error")
    show(rows, columns, as_json, "there is no such message")


@message_command.command("segments")
@click.argument("text", required=False)
def count(text: str | None) -> None:
    """Print how many parts of a text message TEXT takes; without it, what comes by the pipe."""
    said = sys.stdin.read().removesuffix("\n") if text is None else text
    click.echo(str(segments(said)))


@message_command.command("limit")
@MERCHANT
@click.option("--daily", type=click.IntRange(0, limits.MOST), help="Texts in a day.")
@click.option("--countries", help='Such as "CH LI"; empty for those of the depots.')
@click.option("--footer", help="Words at the end of every text.")
def limit(merchant: str, daily: int | None, countries: str | None, footer: str | None) -> None:
    """Say what a merchant may send, and print what holds then."""
    with opened() as hub, hub.store.write(BY) as session:
        row = find_merchant(session, merchant)
        held = limits.limits(session, row.id)
        if (daily, countries, footer) != (None, None, None):
            own = " ".join(held.countries) if held.own_countries else ""
            held = limits.change(
                session,
                row.id,
                held.daily if daily is None else daily,
                own if countries is None else countries,
                held.footer if footer is None else footer,
            )
        sent = limits.sent_today(session, row.id)
    where = " ".join(held.countries) or "any country"
    click.echo(f"{row.name}: {sent} of {held.daily} texts sent today, to {where}")
    if held.footer:
        click.echo(f"every text ends with: {held.footer}")


@click.group("optout")
def optout_command() -> None:
    """Keep the list of those who want no more messages."""


@optout_command.command("list")
@click.option("--address", default="", help="A part of it.")
@AS_JSON
def list_optouts(address: str, as_json: bool) -> None:
    """Print the list, newest first."""
    with opened() as hub, hub.store.read(BY) as session:
        rows = [row.model_dump() for row in optouts.listed(session, address, limit=100_000)]
    show(rows, ("address", "medium", "merchant", "at", "reason"), as_json, "nobody has opted out")


@optout_command.command("add")
@click.argument("address")
@MERCHANT
@MEDIUM
def add(address: str, merchant: str, medium: optouts.Medium | None) -> None:
    """Send nothing more of a merchant to ADDRESS, a phone or an e-mail address."""
    with opened() as hub, hub.store.write(BY) as session:
        row = find_merchant(session, merchant)
        new = optouts.enter(session, row.id, medium or looks_like(address), address)
    click.echo(f"{row.name} sends nothing more there" if new else "it was on the list already")


@optout_command.command("remove")
@click.argument("address")
@MERCHANT
@MEDIUM
def remove(address: str, merchant: str, medium: optouts.Medium | None) -> None:
    """Let messages of a merchant go to ADDRESS again."""
    by = medium or looks_like(address)
    with opened() as hub, hub.store.write(BY) as session:
        row = find_merchant(session, merchant)
        known = optouts.understood(session, by, address)
        entry = optouts.found(session, row.id, by, known)
        if entry is None:
            raise Missing(f"{row.name} has no such address on its list; see: hub optout list")
        optouts.lift(session, entry.id)
    click.echo(f"messages of {row.name} go there again")


def looks_like(address: str) -> optouts.Medium:
    """Return the medium that an address is of."""
    return "email" if "@" in address else "sms"
