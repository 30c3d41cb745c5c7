"""The demo's day in one line of text."""

from __future__ import annotations

from pathlib import Path

from hub.simulate.folder import Folder
from hub.simulate.report import stop_states
from hub.simulate.script import ZONE
from hub.store import Store
from hub.store.states import ENDED

WIDTH = 30


def line(store: Store, directory: Path) -> str:
    """Return the day's clock, a bar of ended stops and how they ended."""
    with store.read() as session:
        states = stop_states(session, Folder(directory).day().date)
        now = session.now.astimezone(ZONE)
    total = sum(states.values())
    ended = sum(count for state, count in states.items() if state in ENDED)
    filled = round(WIDTH * ended / total) if total else 0
    bar = "█" * filled + "·" * (WIDTH - filled)
    failed = states.get("failed", 0)
    return f"{now:%a %H:%M}  {bar}  {ended}/{total} stops ended, {failed} failed"
