"""`hub import`: a file of orders from the terminal, with a progress bar."""

from __future__ import annotations

import time
from datetime import date, datetime
from pathlib import Path

import click
from sqlmodel import select

from hub.hub import Hub
from hub.store import ImportErrorRow, ImportRow

SHOWN = 20


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--merchant", required=True, help="Slug of the merchant whose orders these are.")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Day for rows without one.")
def import_command(file: Path, merchant: str, day: datetime | None) -> None:
    """Read a CSV FILE of orders: our template, or a Shopify or WooCommerce export.

    The hub has to be running (`hub up`); its workers read the file.
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
    """Show how far the import is until it has ended; return its row."""
    with click.progressbar(length=1000, label="reading", show_pos=False) as bar:
        while True:
            with hub.store.read() as session:
                row = session.get_one(ImportRow, id)
            bar.update(round(1000 * row.bytes_done / max(row.bytes_total, 1)) - bar.pos)
            if row.state in ("done", "refused"):
                return row
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
