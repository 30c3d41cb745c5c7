"""`hub connections`: what is connected, how it does, and its switches."""

from __future__ import annotations

from typing import Any

import click
from sqlmodel import col, select

from hub.access import scoped
from hub.cli import trials
from hub.cli.terminal import BY, opened, show, show_link
from hub.connections import removal
from hub.connections.states import standing
from hub.errors import Missing, Refused
from hub.hub import Hub
from hub.store import ActivityRow, ConnectionRow, MerchantRow, Session
from hub.workflow import consents, incoming

AS_JSON = click.option("--json", "as_json", is_flag=True, help="For programs.")
MOST = 50
"""Lines of a log that are printed."""


@click.group("connections")
def connections_command() -> None:
    """List what is connected, see how it does, pause, test and remove it.

    A connection is named by its id, or by its name or connector where there is one of it.
    """


@connections_command.command("list")
@AS_JSON
def list_all(as_json: bool) -> None:
    """Print the connections, those that need somebody first."""
    with opened() as hub, hub.store.read(BY) as session:
        slugs = slugs_of(session)
        rows = [
            told(hub, session, row, slugs)
            for row in session.exec(
                scoped(session, ConnectionRow).order_by(col(ConnectionRow.created_at))
            )
        ]
    urgent = ("action_needed", "degraded", "not_set_up")
    rows.sort(key=lambda row: row["state"] not in urgent)
    columns = ("id", "title", "connector", "merchant", "state", "why")
    show(rows, columns, as_json, "nothing is connected; see what can be with: hub connect")


@connections_command.command("show")
@click.argument("connection")
@AS_JSON
def show_one(connection: str, as_json: bool) -> None:
    """Print one connection with its settings; secrets are named and never shown."""
    with opened() as hub, hub.store.read(BY) as session:
        row = find(session, connection)
        found = told(hub, session, row, slugs_of(session)) | {
            "settings": row.config,
            "secrets": sorted(hub.connections.secrets_of(row)),
            "account": row.account,
            "webhook_addresses": len(incoming.addresses(session, row)),
            "webhooks": row.hook_note,
        }
    if as_json:
        from hub.cli.connect import print_json

        print_json(found)
        return
    for name, value in found.items():
        if isinstance(value, dict):
            for inner, said in value.items():
                click.echo(f"{name + '.' + inner:<32} {said}")
        else:
            text = ", ".join(value) if isinstance(value, list) else value
            click.echo(f"{name:<32} {'-' if text in (None, '') else text}")


@connections_command.command("pause")
@click.argument("connection")
def pause(connection: str) -> None:
    """Switch a connection off; its work waits."""
    click.echo(f"{switch(connection, on=False)} is paused; its work waits")


@connections_command.command("resume")
@click.argument("connection")
def resume(connection: str) -> None:
    """Switch a connection on; what waited goes on."""
    click.echo(f"{switch(connection, on=True)} is on; what waited goes on")


@connections_command.command("test")
@click.argument("connection")
@AS_JSON
def test(connection: str, as_json: bool) -> None:
    """Make the connector's cheapest call now; it ends with 1 where that fails."""
    with opened() as hub:
        with hub.store.read(BY) as session:
            row = find(session, connection)
        if row.state == "not_set_up":
            tried = trials.preview(hub, row.id, "test", f"calling {row.title}")
            state, why = ("healthy", "") if tried.state == "done" else ("not_set_up", tried.error)
        else:
            trials.check(hub, row.id, f"calling {row.title}")
            with hub.store.read(BY) as session:
                now = session.get_one(ConnectionRow, row.id)
                state, why = now.state, now.reason
    if as_json:
        from hub.cli.connect import print_json

        print_json({"ok": state == "healthy", "id": row.id, "state": state, "why": why})
    elif state == "healthy":
        click.echo(f"{row.title} works")
    else:
        click.secho(f"{row.title}: {why}", fg="red", err=True)
    if state != "healthy":
        raise SystemExit(1)


@connections_command.command("webhook")
@click.argument("connection")
def webhook(connection: str) -> None:
    """Print a new address for the other system's webhooks; the one before works a day longer."""
    with opened() as hub, hub.store.write(BY) as session:
        row = find(session, connection)
        plugin = hub.plugins.owner(row.connector)
        if plugin is not None and hasattr(plugin.connectors[row.connector], "subscribe"):
            raise Refused(
                f"the hub sets up the webhooks of {row.title} by itself; its page has a button "
                f"that gives them a new address"
            )
        address = incoming.open_address(hub, session, row)
    show_link(hub, address)


@connections_command.command("log")
@click.argument("connection")
@AS_JSON
def log(connection: str, as_json: bool) -> None:
    """Print what went through a connection lately, newest first."""
    with opened() as hub, hub.store.read(BY) as session:
        row = find(session, connection)
        lately = select(ActivityRow).where(ActivityRow.connection == row.id)
        newest = session.exec(lately.order_by(col(ActivityRow.at).desc()).limit(MOST))
        rows = [one.model_dump(exclude={"excerpt"}) for one in newest]
    columns = ("at", "direction", "what", "outcome", "ms", "text")
    show(rows, columns, as_json, f"nothing has gone through {row.title} yet")


@connections_command.command("remove")
@click.argument("connection")
@click.option("--yes", "-y", is_flag=True, help="Without asking.")
def remove(connection: str, yes: bool) -> None:
    """Remove a connection; for 24 hours it can be brought back."""
    with opened() as hub:
        with hub.store.read(BY) as session:
            row = find(session, connection)
        if not yes:
            click.confirm(f"Remove {row.title} ({row.id})?", abort=True, err=True)
        with hub.store.write(BY) as session:
            held = find(session, row.id)
            removal.remove(session, held, "cli")
            consents.tell(session, held)
    click.echo(f"{row.title} is removed; bring it back with: hub connections restore {row.id}")


@connections_command.command("restore")
@click.argument("id")
def restore(id: str) -> None:
    """Bring the connection ID back that was removed within the last 24 hours."""
    with opened() as hub, hub.store.write(BY) as session:
        row = removal.restore(session, id)
        consents.tell(session, row)
        title = row.title
    click.echo(f"{title} is back as it was")


def switch(connection: str, *, on: bool) -> str:
    """Switch a connection; return its name."""
    with opened() as hub, hub.store.write(BY) as session:
        row = hub.connections.set_enabled(session, find(session, connection).id, on, "cli")
        consents.tell(session, row)
        return row.title


def find(session: Session, text: str) -> ConnectionRow:
    """Return a connection by id, name or connector; raise for none, and for several."""
    rows = list(session.exec(scoped(session, ConnectionRow)))
    for fits in (
        [row for row in rows if row.id == text],
        [row for row in rows if row.title == text],
        [row for row in rows if row.connector == text],
    ):
        if len(fits) > 1:
            ids = ", ".join(f"{row.id} ({row.title})" for row in fits)
            raise Refused(f"there are several connections {text}; say which by its id: {ids}")
        if fits:
            return fits[0]
    raise Missing(f"there is no connection {text}; list them with: hub connections list")


def told(hub: Hub, session: Session, row: ConnectionRow, slugs: dict[str, str]) -> dict[str, Any]:
    """Return how a connection stands."""
    stands = standing(hub.connections, session, row)
    return {
        "id": row.id, "title": row.title, "connector": row.connector,
        "merchant": slugs.get(row.merchant or "", ""), "state": stands.state, "why": stands.why,
        "enabled": row.enabled, "checked_at": row.checked_at, "pulled_at": row.pulled_at,
    }  # fmt: skip


def slugs_of(session: Session) -> dict[str, str]:
    """Return the slugs of all merchants by id."""
    return dict(session.exec(select(MerchantRow.id, MerchantRow.slug)).all())
