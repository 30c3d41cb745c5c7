"""Where the hub of a directory answers: noted by the process that serves it, read by the others."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

UNKNOWN = "http://127.0.0.1:8000"
"""The address where a hub answers that was told nothing else."""
NAME = "address"


@contextmanager
def noted(directory: Path, url: str) -> Iterator[None]:
    """Let other processes read `url` from `directory` until the block ends or this process does.

    The note is a file that stays locked meanwhile, so that a killed hub leaves none behind. Where
    another process has noted its address, that one stays; where no file can be written, as on a
    machine whose hub keeps everything elsewhere, there is no note.
    """
    try:
        note = (directory / NAME).open("a+")
    except OSError:
        yield
        return
    with note as file:
        held = lock(file.fileno())
        if held:
            file.truncate(0)
            file.write(url)
            file.flush()
        try:
            yield
        finally:
            if held:
                file.truncate(0)


def lock(file: int) -> bool:
    """Lock a file and say whether that went; only another hub holds it for longer than a moment."""
    import fcntl

    for _ in range(20):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.01)  # a reader looks whether a hub runs, and is gone at once
        else:
            return True
    return False


def running(directory: Path) -> str:
    """Return the address of the hub that runs in `directory` now, or an empty text."""
    import fcntl

    try:
        with (directory / NAME).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return (directory / NAME).read_text().strip()
    except OSError:
        return ""  # no hub has run here, or this user may not see it
    return ""


def doubt(directory: Path, url: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return why a link that begins with `url` may open nothing, and what to do, or nothing."""
    if environ.get("HUB_PUBLIC_URL") or running(directory):
        return ""
    return (
        f"no hub runs in {directory} now, so this says {url}, where `hub up` answers unless told "
        f"otherwise. If yours answers elsewhere, ask again while it runs, or set HUB_PUBLIC_URL"
    )
