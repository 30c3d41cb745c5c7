"""`hub import`: a file of orders from the terminal, with a progress bar."""

from __future__ import annotations

import sys
import time
from datetime import date, datetime
from pathlib import Path

import click
from sqlmodel import col, func, select

from hub.errors import HubError
from hub.hub import Hub
from hub.orders.imports import KIND
from hub.store import ImportErrorRow, ImportRow, Session, WorkRow

SHOWN = 20
PATIENCE = 3.0
"""Seconds without a worker after which somebody is told; one that runs takes less to begin."""
NOBODY = (
    "no worker has taken the file yet. Start the hub with: hub up (where its parts run one by one: "
    "hub worker heavy). The file is kept, and this waits on; Ctrl-C leaves it to the worker"
)
BUSY = "the workers are at other long work; the file is next. Ctrl-C leaves it to them"
GOES_ON = (
    "import {id} is kept and goes on by itself as soon as a worker runs; see how far it is on the "
    "page Imports. Handing the same file in again creates nothing twice"
)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--merchant", required=True, help="Slug of the merchant whose orders these are.")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Day for rows without one.")
def import_command(file: Path, merchant: str, day: datetime | None) -> None:
    """Read a CSV FILE of orders: our template, or a Shopify or WooCommerce export.

    The hub's workers (`hub up`) read the file. Ctrl-C ends the watching, not the import.
    """
    from hub.cli.plans import BY, ready
    from hub.fleet.roster import find_merchant
    from hub.orders import imports

    hub = ready()
    with hub.store.read(BY) as session:
        owner = find_merchant(session, merchant).id
    wanted: date | None = day.date() if day else None
    with file.open("rb") as content:
        id = imports.start(hub, BY, owner, file.name, content, wanted)
    row = follow(hub, id)
    click.echo(
        f"{row.created} created, {row.updated} updated, {row.unchanged} unchanged, "
        f"{row.refused} refused"
    )
    if row.state == "refused":
        click.echo(f"the file was refused: {row.reason}", err=True)
    tell_errors(hub, id, row.refused)
    if row.refused or row.state == "refused":
        raise SystemExit(1)


def follow(hub: Hub, id: str) -> ImportRow:
    """Show how far the import is until it has ended, and what it waits for; return its row.

    Ctrl-C ends the watching and not the import. Raises `HubError` for one that was given up.
    """
    idle = Idle()
    with click.progressbar(length=1000, label="reading", show_pos=False) as bar:
        try:
            while True:
                with hub.store.read() as session:
                    row = session.get_one(ImportRow, id)
                    why = waits_for(session, id)
                bar.update(round(1000 * row.bytes_done / max(row.bytes_total, 1)) - bar.pos)
                if row.state in ("done", "refused"):
                    return row
                idle.tell(why)
                pause()
        except KeyboardInterrupt:
            click.echo(f"\n{GOES_ON.format(id=id)}", err=True)
            raise SystemExit(130) from None


class Idle:
    """Says why nothing happens once that has lasted, and again where the reason is another."""

    def __init__(self) -> None:
        self.since = time.monotonic()
        self.said = ""

    def tell(self, why: str) -> None:
        """Take the reason of now; an empty one begins anew."""
        if not why:
            self.since, self.said = time.monotonic(), ""
        elif why != self.said and time.monotonic() - self.since >= PATIENCE:
            self.said = why
            start = "\r\033[K" if sys.stdout.isatty() else ""
            click.echo(f"{start}{why}", err=True)


def waits_for(session: Session, id: str) -> str:
    """Return why no worker reads an import now, in words, or nothing while one does."""
    query = select(WorkRow).where(WorkRow.kind == KIND, WorkRow.subject == id)
    row = session.exec(query).one()
    if row.state == "dead":
        raise HubError(
            f"import {id} was given up: {row.error}; try it again on the page Dead letters"
        )
    if row.state != "ready":
        return ""
    held = col(WorkRow.lease_until) > session.wall
    busy = select(func.count(col(WorkRow.id))).where(
        WorkRow.queue == row.queue, WorkRow.state == "leased", held
    )
    return BUSY if session.exec(busy).one() else NOBODY


def pause() -> None:
    """Let a moment go by between two looks: a worker reads the file, in another process."""
    time.sleep(0.2)


def tell_errors(hub: Hub, id: str, refused: int) -> None:
    """Print the first rows that were left out, each with its line and the reason."""
    with hub.store.read() as session:
        rows = session.exec(
            select(ImportErrorRow)
            .where(ImportErrorRow.import_ == id)
            .order_by(ImportErrorRow.line)  # type: ignore[arg-type]
            .limit(SHOWN)
        ).all()
    for row in rows:
        where = f"line {row.line}" + (f", {row.field}" if row.field else "")
        click.echo(f"  {where}: {row.reason}", err=True)
    if refused > len(rows):
        click.echo(f"  and {refused - len(rows)} more", err=True)
