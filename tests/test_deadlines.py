"""Bounds of time that the kernel keeps; the sleeps are the work that they bound."""

import signal
import subprocess
import sys
import time

import pytest

from hub.deadlines import interrupted
from hub.testing.patience import PATIENCE


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def test_a_process_beyond_its_deadline_is_killed_even_inside_native_code() -> None:
    ended = python(
        "import re\n"
        "from hub.deadlines import deadline\n"
        "with deadline(0.2): re.match(r'(a+)+$', 'a' * 64 + 'b')\n"
    )
    assert ended.returncode == -signal.SIGALRM


def test_work_within_its_deadline_is_left_alone_afterwards() -> None:
    ended = python(
        "import time\n"
        "from hub.deadlines import deadline\n"
        "with deadline(1): pass\n"
        "time.sleep(1.1); print('alive')\n"
    )
    assert ended.stdout == "alive\n"


def test_a_limit_within_a_limit_is_kept_and_the_outer_one_goes_on() -> None:
    inner = "from hub.deadlines import deadline\nimport time\nwith deadline({}):\n"
    body = "  with deadline({}): time.sleep({})\n  time.sleep({}); print('alive')\n"
    assert python((inner + body).format(5, 0.1, 1, 0)).returncode == -signal.SIGALRM
    assert python((inner + body).format(0.3, 5, 1, 0)).returncode == -signal.SIGALRM
    assert python((inner + body).format(0.4, 5, 0.1, 1)).returncode == -signal.SIGALRM
    assert python((inner + body).format(60, 60, 0.1, 0.1)).stdout == "alive\n"


MOVED = """
import time
from types import SimpleNamespace
from hub import deadlines
from hub.deadlines import beat, deadline
from hub.http import limited

now = [0.0]
deadlines.time = SimpleNamespace(monotonic=lambda: now[0])
with deadline({around}), deadline(30, beats=True):
  for _ in range(6):
    now[0] += {after}
    {sign}
    time.sleep(0.1)
print("alive")
"""
"""A clock moved by hand: the kernel has 30 seconds, or kills at once what is late by that clock,
for which it is given a tenth of a second."""


def test_work_that_gives_signs_of_life_goes_on_and_work_that_stops_does_not() -> None:
    assert python(MOVED.format(around=0, after=29, sign="beat()")).stdout == "alive\n"
    late = MOVED.format(around=0, after=10, sign="deadlines.arm()")
    assert python(late).returncode == -signal.SIGALRM


def test_signs_of_life_do_not_make_the_deadline_around_them_longer() -> None:
    late = MOVED.format(around=50, after=29, sign="beat()")
    assert python(late).returncode == -signal.SIGALRM


def test_an_answer_of_another_system_is_a_sign_of_life() -> None:
    ended = python(MOVED.format(around=0, after=29, sign="limited([b'x'], 'host')"))
    assert ended.stdout == "alive\n"


def test_a_block_is_interrupted_even_where_it_catches_every_ordinary_error() -> None:
    slept = []

    def stubborn() -> None:
        while len(slept) < 2:
            try:
                time.sleep(PATIENCE)
                slept.append("to the end")
            except Exception:
                continue

    with pytest.raises(TimeoutError, match="longer than"), interrupted(0.05):
        stubborn()
    assert slept == []


def test_an_interruption_gives_another_alarm_back() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _: heard.append(number))
    kept = signal.setitimer(signal.ITIMER_REAL, 1000)
    try:
        with interrupted(PATIENCE):
            pass
        left, _ = signal.getitimer(signal.ITIMER_REAL)
        assert 1000 - PATIENCE < left <= 1000
    finally:
        signal.setitimer(signal.ITIMER_REAL, *kept)
        signal.signal(signal.SIGALRM, before)
    assert heard == []
