"""Limits that the kernel keeps."""

import os
import signal
import subprocess
import sys
import time

import pytest

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps these limits")


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )


def test_a_process_beyond_its_deadline_is_killed_even_inside_native_code() -> None:
    ended = python(
        "import re\n"
        "from hub.queue.limits import deadline\n"
        "with deadline(0.2): re.match(r'(a+)+$', 'a' * 64 + 'b')\n"
    )
    assert ended.returncode == -signal.SIGALRM


def test_work_within_its_deadline_is_left_alone_afterwards() -> None:
    ended = python(
        "import time\n"
        "from hub.queue.limits import deadline\n"
        "with deadline(0.2): pass\n"
        "time.sleep(0.4); print('alive')\n"
    )
    assert ended.stdout == "alive\n"


def test_a_limit_within_a_limit_is_kept_and_the_outer_one_goes_on() -> None:
    inner = "from hub.queue.limits import deadline\nimport time\nwith deadline({}):\n"
    body = "  with deadline({}): time.sleep({})\n  time.sleep({}); print('alive')\n"
    assert python((inner + body).format(5, 0.1, 1, 0)).returncode == -signal.SIGALRM
    assert python((inner + body).format(0.3, 5, 1, 0)).returncode == -signal.SIGALRM
    assert python((inner + body).format(0.4, 5, 0.1, 1)).returncode == -signal.SIGALRM
    assert python((inner + body).format(5, 5, 0.1, 0.1)).stdout == "alive\n"


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
