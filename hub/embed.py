"""The engine and the hooks inside another application: no pages, no processes of our own."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from hub.actions import Action
from hub.events import Event, append, number
from hub.events.log import LostLead
from hub.hub import Hub, open_hub
from hub.queue import enqueue, entry
from hub.queue.leader import lead, resign
from hub.queue.work import QUEUES
from hub.settings import Settings
from hub.store import Store, System, migrations
from hub.store.database import Busy
from hub.workflow.library import load_folder
from hub.workflow.parts import assemble

if TYPE_CHECKING:
    from collections.abc import Iterable

TICK = 0.2
LEADS = "dispatcher"
log = logging.getLogger(__name__)


class Engine:
    """Workflows on the host's own events and actions, kept in a database of their own.

    Everything is rows: an application that is killed goes on where it was when it starts again.
    Several processes may run an engine on one database; one of them leads, all of them work.
    """

    def __init__(self, directory: str | Path, actions: Iterable[Action] = ()) -> None:
        """Open or make the database in `directory`; HUB_DATABASE_URL names another one.

        Raise `OldSchema` for a database of another version. Installed plugins are found by their
        entry points, as in a whole hub.
        """
        settings = Settings.read({**os.environ, "HUB_DIRECTORY": str(directory)})
        store = Store(settings.database_url)
        if migrations.current(store) is None:
            migrations.upgrade(store)
        store.close()
        self.hub: Hub = open_hub(settings)
        assemble(self.hub)
        self.hub.actions.update({action.name: action for action in actions})
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def load(self, folder: str | Path) -> tuple[str, ...]:
        """Put the `*.yaml` of a folder in force and return their names.

        Raise `Invalid` for the first file with mistakes, each named with its line and column.
        """
        loaded = load_folder(self.hub, Path(folder))
        if loaded.refused:
            raise loaded.refused[0]
        return tuple(sorted(loaded.found))

    def happen(self, event: Event) -> str:
        """Commit an event and return its id; what follows from it is done soon after."""
        with self.hub.store.write(System(event.merchant_id)) as session:
            return append(session, event)

    def start(self) -> None:
        """Do what is due from a thread of this process, until `stop`."""
        self._thread = threading.Thread(target=self._serve, name="hub-engine", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the piece of work in hand and end the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self.hub.close()

    def work(self, holder: str = LEADS) -> int:
        """Do everything that is due now, once; return how many pieces of work that was."""
        self._lead(holder)
        return sum(entry.run(self.hub, queue, holder) for queue in QUEUES)

    def _lead(self, holder: str) -> None:
        """Number what has happened and wake what time has come for, where this process leads."""
        token = lead(self.hub.store, LEADS, holder)
        if token is None:
            return
        try:
            with self.hub.store.write() as session:
                if number(session, token):
                    enqueue(session, "evaluate", "events")
            for go_round in self.hub.rounds:
                go_round(self.hub)
        except LostLead as error:
            log.info("%s", error)

    def _serve(self) -> None:
        holder = f"{LEADS}-{id(self)}"
        while not self._stop.is_set():
            try:
                done = self.work(holder)
            except Busy as error:
                log.info("the engine waits for the database: %s", error)
                done = 0
            if not done:
                self._stop.wait(TICK)
        resign(self.hub.store, LEADS, holder)
