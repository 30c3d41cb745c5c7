"""Limits that the kernel keeps."""

import os
import subprocess
import sys
import time

import pytest

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps these limits")


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
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
    until = time.monotonic() + 5
    while alive(child) and time.monotonic() < until:
        time.sleep(0.02)
    parent.stdout.close()
    assert not alive(child)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as file:
        return file.read().split()[2] != "Z"
