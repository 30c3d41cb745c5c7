"""The schema's history, and the commands that bring a database to its end."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from hub.errors import HubError
from hub.store.database import Store


class OldSchema(HubError):
    """Say that the database has another schema than this version of the hub."""


def config(store: Store) -> Config:
    """Return Alembic's settings for `store`, without any file outside this package."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.attributes["engine"] = store.engine
    return made


def upgrade(store: Store) -> None:
    """Bring the schema to the newest revision; running it again changes nothing."""
    command.upgrade(config(store), "head")


def current(store: Store) -> str | None:
    """Return the revision that the database is at, or `None` for an empty one."""
    with store.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest(store: Store) -> str | None:
    """Return the revision that this version of the hub needs."""
    return ScriptDirectory.from_config(config(store)).get_current_head()


def check(store: Store) -> None:
    """Raise `OldSchema` unless the database is at the newest revision."""
    found, wanted = current(store), newest(store)
    if found != wanted:
        raise OldSchema(
            f"the database schema is at {found or 'nothing'}, this version needs {wanted}; "
            f"run: hub db upgrade"
        )
