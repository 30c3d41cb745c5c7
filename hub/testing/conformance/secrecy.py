"""Checks of what a call leaves behind: no secret in any output, nothing open, nothing running."""

from __future__ import annotations

import gc
import logging
import socket
import subprocess
import threading
import traceback
import warnings
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from hub.testing.conformance import samples
from hub.testing.conformance.checks import demand, only
from hub.testing.conformance.ground import Ground, Outcome, calls_a_service, said, verbs
from hub.testing.conformance.scripted import ScriptedPeer, always
from hub.testing.peers import Reply

FAILURES = {
    "it succeeds": None,
    "credentials are refused": Reply(401, {"error": "no"}),
    "a request is refused": Reply(400, {"error": "no"}),
    "the service is broken": Reply(500, {"error": "broken"}),
    "a page comes": Reply(200, {}, content=b"<html>Welcome</html>"),
}


class SecrecyTests(Ground):
    """What holds for what a call leaves behind."""

    @only(lambda kit: bool(verbs(kit)))
    def test_no_secret_comes_out(
        self,
        peer: ScriptedPeer,
        verb: str,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        """No secret is logged, printed, warned of, returned, or told by an error or its causes."""
        caplog.set_level(logging.DEBUG)
        url = peer.url if calls_a_service(type(self)) else ""
        spelt = self.spelt()
        if verb in ("exchange", "refresh"):
            spelt |= {samples.ROTATED: "the new token", samples.CALLBACK.code: "the code"}
            spelt[samples.CALLBACK.verifier] = "the verifier"
        if verb in ("subscribe", "unsubscribe"):
            spelt[self.hook.secret] = "the hook's secret"
            spelt[self.hook.url.rpartition("/")[2]] = "the hook's address"
        for when, reply in list(FAILURES.items()) if url else [("it succeeds", None)]:
            peer.reply = self.serve if reply is None else always(reply)
            with warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("always")
                found = self.outcome(verb, url=url)
            printed = capfd.readouterr()
            places = {
                "its log": caplog.text,
                "what it prints": printed.out + printed.err,
                "a warning": " ".join(str(one.message) for one in warned),
                "the text of its error": told(found),
                "what it returns": said(found.value),
            }
            caplog.clear()
            for where, text in places.items():
                leaked = sorted({name for spelling, name in spelt.items() if spelling in text})
                demand(
                    not leaked,
                    f"{self.at(verb)}: {where} holds {', '.join(leaked)} in clear when {when}; "
                    "leave it out, and raise errors with words of your own",
                )

    @only(lambda kit: bool(verbs(kit)))
    def test_a_call_leaves_nothing_open(
        self, peer: ScriptedPeer, verb: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No connection, thread or process is left when a call has ended, well or badly."""
        url = peer.url if calls_a_service(type(self)) else ""
        broken = Reply(500, {"error": "broken"})
        for fails in (False, True) if url else (False,):
            peer.reply = always(broken) if fails else self.serve
            made = self.built(url)
            with watching(monkeypatch) as left:
                self.outcome(verb, made=made)
            demand(
                not left,
                f"{self.at(verb)} leaves behind {', '.join(left)}; close it in the same call, "
                "with a with statement: workers fork, and connections live as long as the hub",
            )


@contextmanager
def watching(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Fill a list with what was opened inside the block and is still open at its end."""
    sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
    started: list[subprocess.Popen[Any]] = []
    connect, begin = socket.socket.connect, subprocess.Popen.__init__

    def connected(made: socket.socket, place: Any) -> None:
        sockets.add(made)
        connect(made, place)

    def begun(made: Any, *given: Any, **named: Any) -> None:
        begin(made, *given, **named)
        started.append(made)

    left: list[str] = []
    before = set(threading.enumerate())
    with monkeypatch.context() as patched:
        patched.setattr(socket.socket, "connect", connected)
        patched.setattr(subprocess.Popen, "__init__", begun)
        yield left
    if any(one.fileno() != -1 for one in sockets):
        gc.collect()  # what is only waiting to be swept up is not left open
    left += [f"an open connection to {named(one)}" for one in sockets if one.fileno() != -1]
    left += [f"the running process {one.args!r}" for one in started if one.poll() is None]
    threads = [one for one in set(threading.enumerate()) - before if not is_the_peers(one)]
    left += [f"the running thread {one.name}" for one in threads if one.is_alive()]


def is_the_peers(thread: threading.Thread) -> bool:
    """Say whether a thread answers for the test's own service, by the name that it has."""
    return "process_request_thread" in thread.name or thread.name.startswith("peer")


def named(made: socket.socket) -> str:
    """Return whom a connection goes to."""
    try:
        return str(made.getpeername())
    except OSError:
        return "somewhere"


def told(found: Outcome) -> str:
    """Return everything that an error and its causes say, without the values of variables."""
    if found.error is None:
        return ""
    texts = traceback.format_exception(found.error)
    seen: set[int] = set()
    open_: list[BaseException | None] = [found.error]
    while open_:
        error = open_.pop()
        if error is None or id(error) in seen:
            continue
        seen.add(id(error))
        texts += [repr(error), repr(error.args), repr(getattr(error, "__notes__", ""))]
        open_ += [error.__cause__, error.__context__]
    return "\n".join(texts)
