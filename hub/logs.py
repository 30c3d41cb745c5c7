"""Log lines that a person can read, and a program too."""

from __future__ import annotations

import os
import sys

import structlog


def configure() -> None:
    """Write `event key=value` lines to standard error, or JSON where HUB_LOG=json."""
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
