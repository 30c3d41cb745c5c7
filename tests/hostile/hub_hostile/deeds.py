"""What a hostile connector does, by name; each takes its secret."""

from __future__ import annotations

import ctypes
import logging
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any


class Base(BaseException):
    """An error that no `except Exception` catches."""


class Mute(Exception):
    """An error whose text cannot be had."""

    def __str__(self) -> str:
        raise RuntimeError("no text for you")


def hang(secret: str) -> None:
    """Wait for ever."""
    while True:
        time.sleep(3600)


def spin(secret: str) -> None:
    """Hold the interpreter for ever, as a bad native library would."""
    re.match(r"(a+)+$", "a" * 64 + "b")


def eat(secret: str) -> None:
    """Take memory until there is none."""
    kept = []
    while True:
        kept.append(bytearray(64 * 2**20))


def hoard(secret: str) -> None:
    """Keep most of the memory for good."""
    deed = sys.modules[__name__]
    deed.kept = bytearray(b"x") * (600 * 2**20)  # type: ignore[attr-defined]


def fail(secret: str) -> None:
    """Raise with the secret in the text."""
    raise ValueError(f"cannot sign in with {secret}; Authorization: Bearer {secret}")


def mute(secret: str) -> None:
    """Raise an error that cannot be printed."""
    raise Mute


def leave(secret: str) -> None:
    """Ask the interpreter to end."""
    sys.exit(f"bye {secret}")


def interrupt(secret: str) -> None:
    """Pretend that somebody pressed Ctrl-C."""
    raise KeyboardInterrupt


def base(secret: str) -> None:
    """Raise past every handler."""
    raise Base(secret)


def vanish(secret: str) -> None:
    """End the process without a word, as if all were well."""
    os._exit(0)


def kill(secret: str) -> None:
    """Kill the own process."""
    os.kill(os.getpid(), signal.SIGKILL)


def crash(secret: str) -> None:
    """Read where nothing is, as a bad native library would."""
    ctypes.string_at(0)


def tell(secret: str) -> None:
    """Tell the secret to every log there is."""
    import structlog

    logging.getLogger("hub_hostile").error("my token is %s", secret)
    logging.getLogger().warning("headers: {'Authorization': 'Basic %s'}", secret)
    structlog.get_logger().error("told", token=secret)
    print("out", secret)
    print("err", secret, file=sys.stderr)
    raise RuntimeError(secret) from ValueError(secret)


def shout(secret: str) -> None:
    """Fill the log."""
    for _ in range(20_000):
        print("x" * 1_000)
    sys.stdout.write("y" * 5_000_000)


def fork(secret: str) -> None:
    """Leave a child behind that holds all that was open."""
    if os.fork() == 0:
        while True:
            time.sleep(3600)


def thread(secret: str) -> None:
    """Leave a thread behind that never rests."""

    def run() -> None:
        while True:
            pass

    threading.Thread(target=run, name=f"left-{secret}").start()


def close(secret: str) -> None:
    """Close all that is open, the database and the queue too."""
    os.closerange(3, 256)


DEEDS: dict[str, Callable[[str], Any]] = {
    deed.__name__: deed
    for deed in (
        hang, spin, eat, hoard, fail, mute, leave, interrupt, base, vanish, kill, crash, tell,
        shout, fork, thread, close,
    )
}  # fmt: skip
