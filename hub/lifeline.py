"""Tie a process to its parent, so that nothing runs on when the supervisor is killed.

Run as `python -m hub.lifeline PARENT COMMAND...` it ties itself and becomes the command.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading

PR_SET_PDEATHSIG = 1


def tie(parent: int) -> None:
    """Let this process die with process `parent`, which has to be the one that started it.

    On Linux the kernel does it (prctl(2), PR_SET_PDEATHSIG) and the tie survives exec; elsewhere
    a thread watches standard input, which the supervisor holds open, for its end.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the tie was made
            os._exit(1)
        return
    threading.Thread(target=watch, args=(os._exit,), daemon=True).start()


def watch(end: object) -> None:
    """Wait until standard input is closed, then call `end(1)`."""
    while os.read(0, 1024):
        pass
    end(1)  # type: ignore[operator]


def become(command: list[str]) -> None:
    """Turn into `command`; where exec would cut the tie, run it as a child instead."""
    if sys.platform == "linux":
        os.execv(command[0], command)
    child = subprocess.Popen(command)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    threading.Thread(target=watch, args=(lambda _: child.kill(),), daemon=True).start()
    sys.exit(child.wait())


if __name__ == "__main__":
    tie(int(sys.argv[1]))
    become(sys.argv[2:])
