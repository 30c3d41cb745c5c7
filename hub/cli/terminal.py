"""What the commands have in common: the hub they open, on whose behalf, and how they list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import click

from hub import address
from hub.hub import Hub, open_hub
from hub.settings import Settings
from hub.store import Operator

BY = Operator("owner", user="cli")
"""Whoever can read the database's address and keys may do what the owner may."""
PATIENCE = 30.0
"""Seconds that a command waits for a busy database."""


@contextmanager
def opened() -> Iterator[Hub]:
    """Open the hub of this machine's settings, and close it at the end."""
    hub = open_hub(Settings.read(), patience=PATIENCE)
    try:
        yield hub
    finally:
        hub.close()


def show_link(hub: Hub, link: str) -> None:
    """Print a link to the hub's pages; beside it why it may open nothing, where that is so."""
    click.echo(link)
    tell_doubt(hub)


def tell_doubt(hub: Hub) -> None:
    """Say beside what was printed that the hub's address in it is not certain, where that is so."""
    said = address.doubt(hub.settings.directory, hub.settings.public_url)
    if said:
        click.echo(said, err=True)


def show(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], as_json: bool, none: str
) -> None:
    """Print `columns` of the rows below each other, or all that they hold as one JSON array.

    Without any row people read the sentence `none`, and programs an empty array.
    """
    if as_json:
        from pydantic_core import to_json

        click.echo(to_json(list(rows)).decode())
        return
    if not rows:
        click.echo(none, err=True)
        return
    heads = tuple(name.removesuffix("_at").replace("_", " ") for name in columns)
    lines = [heads, *(tuple(cell(row[name]) for name in columns) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = (text.ljust(width) for text, width in zip(line, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def cell(value: object) -> str:
    """Return a value in a few letters; nothing is a dash."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    if isinstance(value, list):
        value = " ".join(map(str, value))
    return str(value) if value not in (None, "") else "-"
