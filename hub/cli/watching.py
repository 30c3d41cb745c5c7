"""Show a search to whoever started it, and let Ctrl-C end it with the best so far."""

from __future__ import annotations

import shutil
import signal
import sys
import threading
from time import monotonic
from types import FrameType, TracebackType
from typing import Any, Self

import click

from hub.nouns import Found

BAR = 24
EVERY = 1.0
"""Seconds between two lines where nobody sits at a terminal."""
STOPPING = "stopping with the best so far; Ctrl-C again gives up"


class Watching:
    """Is told what a search finds; at a terminal it is one line that changes, else a few lines.

    The first Ctrl-C inside the block makes it answer False, which ends the search with what there
    is; the second one raises `KeyboardInterrupt`. With a currency, costs are told in it: `scale` of
    a search's units are one of its.
    """

    def __init__(self, label: str, currency: str = "", scale: int = 1) -> None:
        self.label = label
        self.currency, self.scale = currency, scale
        self.seconds = 0.0
        self.terminal = sys.stderr.isatty()
        self.first: Found | None = None
        self.printed: tuple[int, int] | None = None
        self.at = -EVERY
        self.stopped = False
        self._before: Any = None

    def __enter__(self) -> Self:
        click.echo(f"{self.label} ...", err=True)
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._interrupted)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
        if self.terminal:
            click.echo("\r\033[K", err=True, nl=False)

    def __call__(self, found: Found, seconds: float) -> bool:
        """Show what is found by a search that lasts `seconds`; return whether to search on."""
        self.seconds = seconds
        self.first = self.first or found
        if self.terminal:
            width = shutil.get_terminal_size().columns - 1
            click.echo(f"\r{self.line(found)[:width]}\033[K", err=True, nl=False)
        elif monotonic() - self.at >= EVERY and self.printed != (found.left_out, found.cost):
            self.at, self.printed = monotonic(), (found.left_out, found.cost)
            click.echo(self.told(found), err=True)
        return not self.stopped

    def line(self, found: Found) -> str:
        """Return the bar and what is beside it."""
        part = min(1.0, found.seconds / self.seconds) if self.seconds else 1.0
        done = round(part * BAR)
        if self.stopped:  # first, because a narrow terminal cuts the end off
            return f"{STOPPING} ({self.told(found)})"
        return f"[{'#' * done}{'.' * (BAR - done)}] {self.told(found)}"

    def told(self, found: Found) -> str:
        """Return what there is so far, for people."""
        cost = f"{found.cost / self.scale:,.{2 if self.scale > 1 else 0}f} {self.currency}"
        parts = [f"{found.seconds:.1f} of {self.seconds:g} s", f"cost {cost.rstrip()}"]
        first = self.first
        if first and first.cost and first.left_out == found.left_out and found.cost < first.cost:
            parts[1] += f" (-{100 * (first.cost - found.cost) / first.cost:.1f} %)"
        if found.left_out:
            parts.append(f"{found.left_out} left out")
        return ", ".join(parts)

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        if self.stopped:
            raise KeyboardInterrupt
        self.stopped = True
        if self.terminal:
            click.echo(f"\r{STOPPING}\033[K", err=True, nl=False)
        else:
            click.echo(STOPPING, err=True)
