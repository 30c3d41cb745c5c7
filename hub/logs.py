"""Log lines that a person can read, and a program too; without secrets, and never too many."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any, TextIO

import structlog

from hub.redaction import cover

LONGEST = 8_000
"""Letters of one write; what is longer is cut."""
CUT = " ... (cut)\n"


class Covered:
    """A stream of text that shows no secret it was told of, and no more than it may."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.secrets: set[str] = set()
        self.left: int | None = None
        """Letters that may still be written; None: any number."""

    def write(self, text: str) -> int:
        """Write `text` as far as it may be seen."""
        if not isinstance(text, str):
            raise TypeError(f"a text is wanted, not {type(text).__name__}")
        if self.left is not None and self.left <= 0:
            return len(text)
        shown = cover(text[: LONGEST * 2], self.secrets)
        if len(shown) > LONGEST:
            shown = shown[:LONGEST] + CUT
        if self.left is not None:
            self.left -= len(shown)
            if self.left <= 0:
                shown = "this process has written too much; the rest is left out\n"
        self.stream.write(shown)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def configure() -> None:
    """Write `event key=value` lines to standard error, or JSON where HUB_LOG=json."""
    cover_streams()
    as_json = os.environ.get("HUB_LOG") == "json"
    renderer = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0, pad_level=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            *([structlog.processors.TimeStamper(fmt="iso", utc=True)] if as_json else []),
            structlog.processors.format_exc_info,
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def cover_streams() -> None:
    """Let standard output and error of this process hide what `hide` is told of."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, Covered):
            setattr(sys, name, Covered(stream))


def hide(secrets: Iterable[str]) -> None:
    """Let no line of this process show any of `secrets` from now on."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, Covered):
            stream.secrets.update(secrets)


def bound(letters: int) -> None:
    """Let this process write no more than so many letters to each of its streams."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, Covered):
            stream.left = letters
