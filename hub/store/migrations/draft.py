"""Write the next migration from the difference between the tables and the history.

Run as `python -m hub.store.migrations.draft "what changed"`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory

from hub.store.database import Store
from hub.store.migrations import config, upgrade


def draft(message: str) -> None:
    """Write one revision file named by the next number."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{Path(folder) / 'draft.db'}")
        upgrade(store)
        known = list(ScriptDirectory.from_config(config(store)).walk_revisions())
        command.revision(config(store), message, autogenerate=True, rev_id=f"{len(known) + 1:04d}")
        store.close()


if __name__ == "__main__":
    draft(sys.argv[1])
