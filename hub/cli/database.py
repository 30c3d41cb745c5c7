"""`hub db`: the schema."""

from __future__ import annotations

import click

from hub.settings import Settings
from hub.store import Store, migrations


@click.group("db")
def db_command() -> None:
    """Create or upgrade the database."""


@db_command.command("upgrade")
def upgrade() -> None:
    """Bring the schema to what this version needs."""
    store = Store(Settings.read().database_url, patience=30)
    before = migrations.current(store)
    migrations.upgrade(store)
    after = migrations.current(store)
    store.close()
    click.echo(f"schema {after}" + (" (it was already)" if before == after else ""))
