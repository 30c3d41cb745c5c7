"""The schema's history, and the commands that bring a database to its end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy

from hub.errors import HubError
from hub.store.database import Store

if TYPE_CHECKING:
    from alembic.config import Config

VERSIONS = Path(__file__).parent / "versions"


class OldSchema(HubError):
    """Say that the database has another schema than this version of the hub."""


def config(store: Store) -> Config:
    """Return Alembic's settings for `store`, without any file outside this package."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.attributes["engine"] = store.engine
    return made


def upgrade(store: Store) -> None:
    """Bring the schema to the newest revision; running it again changes nothing."""
    from alembic import command

    command.upgrade(config(store), "head")


def current(store: Store) -> str | None:
    """Return the revision that the database is at, or `None` for an empty one.

    Read without Alembic, which every process of a hub would else import at its start.
    """
    with store.engine.connect() as connection:
        if not sqlalchemy.inspect(connection).has_table("alembic_version"):
            return None
        query = sqlalchemy.text("SELECT version_num FROM alembic_version")
        return connection.execute(query).scalar_one_or_none()


def newest() -> str:
    """Return the revision that this version of the hub needs: files are named by their number."""
    return max(path.name for path in VERSIONS.glob("[0-9]*.py")).partition("_")[0]


def check(store: Store) -> None:
    """Raise `OldSchema` unless the database is at the newest revision."""
    found, wanted = current(store), newest()
    if found != wanted:
        raise OldSchema(
            f"the database schema is at {found or 'nothing'}, this version needs {wanted}; "
            f"run: hub db upgrade"
        )
