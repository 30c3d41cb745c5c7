"""Limits that the kernel keeps."""

import os
import subprocess
import sys

import pytest

from hub.testing.patience import PATIENCE, until

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps these limits")


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@linux
def test_memory_beyond_the_bound_is_refused() -> None:
    ended = python(
        "from hub.queue.limits import bound_memory\n"
        "bound_memory(512)\n"
        "try: bytearray(2**30)\n"
        "except MemoryError: print('refused')\n"
    )
    assert ended.stdout == "refused\n"


@linux
def test_a_child_ends_with_its_killed_parent() -> None:
    code = (
        "import os, time\n"
        "from hub.queue.limits import die_with_parent\n"
        "parent = os.getpid()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    die_with_parent(parent)\n"
        "    print(os.getpid(), flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until(lambda: not alive(child))


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().split()[2] != "Z"
    except OSError:  # it has ended between the two looks
        return False
