"""Do all work that is due, in a process of its own that a test may kill by HUB_FAULT.

Run as `python worker.py STORE`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from hub.hub import open_hub
from hub.queue import entry
from hub.settings import Settings
from hub.testing.patience import PATIENCE
from hub.workflow.parts import assemble


def main() -> None:
    """Work until nothing is due."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    stores = import_module("tests.loops.shops")
    hub = open_hub(Settings.read(), patience=PATIENCE)
    stores.STORES[sys.argv[1]].install(hub.plugins)
    assemble(hub)
    while sum(entry.run(hub, queue, "killed") for queue in ("fast", "outward")):
        pass
    hub.close()


if __name__ == "__main__":
    main()
