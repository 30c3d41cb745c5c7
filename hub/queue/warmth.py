"""Let the next horse find imported what the last one had to import, which may take a second.

A horse lives for one ticket, and SDKs are imported where they are used, so without this every
ticket would import them anew. Only modules that a horse has imported safely are imported again.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Iterable

from hub.deadlines import interrupted

LONGEST = 30.0
"""Seconds that a module may take to be imported."""
MOST = 60_000
"""Bytes a horse may report: less than a pipe holds, so that it never waits for its reader."""
log = logging.getLogger(__name__)


class Warmth:
    """What horses have imported, told to their worker through a pipe."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.reader, False)
        self.known = set(sys.modules)

    def report(self) -> None:
        """Tell, in the horse, which modules it has imported; call it once at its end."""
        names = [name for name in list(sys.modules) if name not in self.known and lasting(name)]
        os.write(self.writer, "\n".join(names).encode()[:MOST])

    def take(self) -> None:
        """Import, in the worker, what the horse that has just ended reported."""
        try:
            names = os.read(self.reader, MOST).decode(errors="ignore").split("\n")
        except BlockingIOError:
            return  # the horse died before it could tell
        self.keep(names)

    def keep(self, names: Iterable[str]) -> None:
        """Import modules by name; one that fails is left to the horses from now on."""
        for name in names:
            if not name or name in self.known:
                continue
            self.known.add(name)
            try:
                with interrupted(LONGEST):
                    importlib.import_module(name)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # what ends a horse must not end its worker
                log.info("%s stays with the horses: %s", name, error)
        self.known |= set(sys.modules)


def lasting(name: str) -> bool:
    """Say whether a module comes from a file and can be imported again by its name."""
    spec = getattr(sys.modules.get(name), "__spec__", None)
    return spec is not None and spec.name == name and bool(spec.has_location)
