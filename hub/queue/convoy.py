"""Write what several requests wait for in one transaction, as soon as the database is free.

Each request would else wait for the lock and for the disk by itself, one after the other. Who comes
while another writes goes with the next transaction; the first of those who wait writes for all.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from sqlalchemy.engine import make_url

from hub.store import Session, Store
from hub.store.database import Busy

PATIENCE = 5.0
"""Seconds that a request may wait for its transaction."""
SHORT = 0.1
"""Seconds that it waits where others have just waited in vain, so that nobody queues for long."""
TOGETHER = 64
"""Requests of one transaction, few enough to keep it short."""
LOOK = {"sqlite": 0.02, "postgresql": 0.5}
"""Seconds of one try at the lock: SQLite looks less and less often, so it is asked anew."""
Item = TypeVar("Item")


class Place(Generic[Item]):
    """One request in the line."""

    def __init__(self, item: Item, until: float) -> None:
        self.item = item
        self.until = until
        self.done = threading.Event()
        self.error: Exception | None = None


class Convoy(Generic[Item]):
    """A line of requests in front of one database, in one process with several threads.

    `write` is given a session and the items of one transaction. Where it raises, each item is
    tried by itself, so that one that cannot be written stops no other.
    """

    def __init__(self, store: Store, write: Callable[[Session, list[Item]], None]) -> None:
        self._store = Store(store.url, LOOK[make_url(store.url).get_backend_name()])
        self._hub_store = store
        self._write = write
        self._line: deque[Place[Item]] = deque()
        self._turn = threading.Lock()
        self._locked_since = self._tried_at = float("-inf")

    def send(self, item: Item, patience: float = PATIENCE) -> None:
        """Return once `item` is committed; raise `Busy` when that took longer than it may."""
        now = time.monotonic()
        if self._tried_at - self._locked_since > PATIENCE and now - self._tried_at < PATIENCE:
            patience = min(patience, SHORT)
        place = Place(item, now + patience)
        self._line.append(place)
        if self._turn.acquire(timeout=patience):
            try:
                if not place.done.is_set():
                    self._lead(place)
            finally:
                self._turn.release()
        else:
            self._leave(place)
        if place.error is not None:
            raise place.error

    def close(self) -> None:
        """Close the connections to the database."""
        self._store.close()

    def _lead(self, own: Place[Item]) -> None:
        """Write for everybody in the line, `own` among them."""
        while not own.done.is_set():
            began = time.monotonic()
            try:
                self._go()
            except Busy as error:
                if began - self._tried_at > 1:
                    self._locked_since = began
                self._tried_at = time.monotonic()
                if self._tried_at > own.until:
                    self._leave(own, error)
            else:
                self._locked_since = self._tried_at = float("-inf")

    def _go(self) -> None:
        """Write for those who stand first; raise `Busy` where the database is not free."""
        self._store.bell = self._hub_store.bell
        taken: list[Place[Item]] = []
        try:
            with self._store.write() as session:
                while self._line and len(taken) < TOGETHER:
                    taken.append(self._line.popleft())
                self._write(session, [place.item for place in taken])
        except Busy:
            self._line.extendleft(reversed(taken))
            raise
        except Exception as error:  # one of them cannot be written; which one is found below
            if len(taken) == 1:
                taken[0].error = error
            else:
                self._one_by_one(taken)
        for place in taken:
            place.done.set()

    def _one_by_one(self, taken: list[Place[Item]]) -> None:
        for place in taken:
            try:
                with self._store.write() as session:
                    self._write(session, [place.item])
            except Exception as error:  # told to the request that brought it
                place.error = error

    def _leave(self, place: Place[Item], error: Busy | None = None) -> None:
        """Take a request out of the line; one that is being written is waited for."""
        while not place.done.is_set():
            try:
                self._line.remove(place)
            except ValueError:
                place.done.wait(SHORT)  # it comes back into the line if that write fails
            else:
                place.error = error or Busy("the database is busy; try again in a few seconds")
                place.done.set()
