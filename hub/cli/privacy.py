"""`hub privacy`: give a person a copy of what is held about them, or erase them."""

from __future__ import annotations

from pathlib import Path

import click

from hub.cli.terminal import BY, opened, show
from hub.fleet.roster import find_merchant
from hub.hub import Hub
from hub.nouns import PrivacyRequest
from hub.privacy import requests
from hub.queue import enqueue
from hub.store import PrivacyRow

EMAIL = click.option("--email", default="", help="The person's e-mail address.")
PHONE = click.option("--phone", default="", help="The person's phone number.")
ORDER = click.option(
    "--order", "orders", multiple=True, help="Number of an order; may be repeated."
)
MERCHANT = click.option("--merchant", help="Slug or id; all merchants without it.")


@click.group("privacy")
def privacy_command() -> None:
    """Give a person a copy of what is held about them, or erase them."""


@privacy_command.command("export")
@EMAIL
@PHONE
@ORDER
@MERCHANT
@click.option("--out", type=click.Path(path_type=Path), help="File to write; else it is printed.")
def export(
    email: str, phone: str, orders: tuple[str, ...], merchant: str | None, out: Path | None
) -> None:
    """Write down all that is held about a person, as JSON."""
    asked = PrivacyRequest(kind="export", email=email, phone=phone, orders=orders)
    with opened() as hub:
        row = answer(hub, asked, merchant)
        content = requests.content(hub, row)
    if out is None:
        click.echo(content.decode())
        return
    out.write_bytes(content)
    click.echo(f"{row.text.split(';')[0]} into {out}")


@privacy_command.command("erase")
@EMAIL
@PHONE
@ORDER
@MERCHANT
@click.confirmation_option("--yes", prompt="What is erased cannot be brought back. Go on?")
def erase(email: str, phone: str, orders: tuple[str, ...], merchant: str | None) -> None:
    """Erase a person; orders that are still to be delivered follow after that."""
    asked = PrivacyRequest(kind="erase", email=email, phone=phone, orders=orders)
    with opened() as hub:
        click.echo(answer(hub, asked, merchant).text)


@privacy_command.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_requests(as_json: bool) -> None:
    """Print what persons and shops have asked for."""
    with opened() as hub, hub.store.read(BY) as session:
        rows = [
            row.model_dump(exclude={"asked", "key", "file"}) for row in requests.listed(session)
        ]
    columns = ("id", "kind", "state", "asked_by", "asked_at", "due_at", "text")
    show(rows, columns, as_json, "nobody has asked for anything yet")


def answer(hub: Hub, asked: PrivacyRequest, merchant: str | None) -> PrivacyRow:
    """Take a request, answer it at once, and leave the rest to the workers."""
    with hub.store.write(BY) as session:
        id = find_merchant(session, merchant).id if merchant else None
        row = requests.ask_here(hub, session, asked, id, "the command line")
    done = requests.carry_out(hub, row.id)
    if done.state == "partly":
        with hub.store.write(BY) as session:
            enqueue(session, requests.KIND, row.id)
    return done
