"""Calls of plugins in the web process: in a thread beside the request's, not waited for long."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Generic, TypeVar, cast

from hub.errors import PluginError, Retry

SECONDS = 1.0
"""How long a call may take that only looks at bytes; it takes about a thousandth of that."""
MOST_HANGING = 3
"""Calls of one connector that may hang before it is not called any more."""
Result = TypeVar("Result")


class Hand:
    """A thread that makes one call after the other."""

    def __init__(self) -> None:
        self.calls: SimpleQueue[Call[Any]] = SimpleQueue()
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def _work(self) -> None:
        while True:
            call = self.calls.get()
            call.make()
            if call.given_up:
                return
            del call  # nothing of a request is kept until the next one


class Call(Generic[Result]):
    """One call, and what came of it."""

    def __init__(self, function: Callable[..., Result], given: tuple[Any, ...]) -> None:
        self.result: Result | None = None
        self.error: BaseException | None = None
        self.given_up = False
        self.over = threading.Event()
        self._deciding = threading.Lock()
        self._what = function, given

    def make(self) -> None:
        """Call, and say when it is over."""
        function, given = self._what
        try:
            self.result = function(*given)
        except BaseException as error:  # even an attempt to end the process is only its failure
            self.error = error
        finally:
            with self._deciding:
                self.over.set()

    def give_up(self) -> bool:
        """Wait no longer, unless it has just ended; from then on it is either over or given up."""
        with self._deciding:
            self.given_up = not self.over.is_set()
            return self.given_up


class Stopwatch:
    """Makes calls that must not hang, and keeps count of those that do.

    Python cannot end a thread. One that runs Python code gets an exception that stops it; one that
    waits in the operating system stays until that returns, and after three of one connector its
    calls are refused until one of them has ended. What holds the interpreter itself (a regular
    expression that does not end) cannot be stopped from within the process.
    """

    def __init__(self) -> None:
        self._idle: list[Hand] = []
        self._hanging: dict[str, list[threading.Thread]] = {}

    def call(self, name: str, function: Callable[..., Result], *given: Any) -> Result:
        """Return the result; raise its error, or `PluginError` when it took too long.

        Raise `Retry` while too many earlier calls under the same `name` hang.
        """
        hanging = [thread for thread in self._hanging.get(name, ()) if thread.is_alive()]
        if len(hanging) >= MOST_HANGING:
            raise Retry(f"{name} hangs and is not called until it has ended")
        call = Call(function, given)
        try:
            hand = self._idle.pop()
        except IndexError:
            hand = Hand()
        hand.calls.put(call)
        if not call.over.wait(SECONDS) and call.give_up():
            self._hanging[name] = [*hanging, hand.thread]
            stop(hand.thread)
            raise PluginError(f"{name} took longer than {SECONDS:g} s to look at a request")
        self._idle.append(hand)
        if isinstance(call.error, Exception):
            raise call.error
        if call.error is not None:
            raise PluginError(f"{name} tried to end the process ({type(call.error).__name__})")
        return cast(Result, call.result)


def stop(thread: threading.Thread) -> None:
    """Have an exception raised in a thread that runs Python code."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit)
    )
