"""Progress bars of long commands: one line a stage, drawn over while it runs."""

from __future__ import annotations

import sys
import time
from types import TracebackType

import click

WIDTH = 28
EVERY = 0.1
"""Seconds between two drawings."""


class Bars:
    """Draws the stages of a piece of work on stderr; where nobody looks, one line each."""

    def __init__(self) -> None:
        self.drawn = sys.stderr.isatty()
        self.stage = ""
        self.began = self.last = 0.0

    def __enter__(self) -> Bars:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.stage and kind is None:
            self.end()
        elif self.stage and self.drawn:
            click.echo("", err=True)

    def __call__(self, stage: str, share: float) -> None:
        """Say that `share` (0 to 1) of a stage is done."""
        now = time.monotonic()
        if stage != self.stage:
            if self.stage:
                self.end()
            self.stage, self.began, self.last = stage, now, 0.0
        if self.drawn and (now - self.last >= EVERY or share >= 1):
            self.last = now
            click.echo(f"\r{self.line(share)}\033[K", err=True, nl=False)

    def end(self) -> None:
        """Finish the line of the stage."""
        text = self.line(1.0)
        click.echo(f"\r{text}\033[K" if self.drawn else text.rstrip(), err=True)
        self.stage = ""

    def line(self, share: float) -> str:
        """Return the line of the stage as it is drawn."""
        full = round(max(0.0, min(1.0, share)) * WIDTH)
        seconds = time.monotonic() - self.began
        bar = "━" * full + "─" * (WIDTH - full)
        return f"{self.stage:<18} {bar} {share:>4.0%} {seconds:6.1f} s"
