"""A plugin whose import does what it should not: it loads an SDK, takes long, and starts things."""

from __future__ import annotations

import tempfile
import threading
import time
import wave
from typing import Any

import hub_goods as good

from hub import hookimpl

began = time.process_time()
while time.process_time() - began < 0.6:
    pass
threading.Thread(target=len, args=("",)).start()
with tempfile.TemporaryFile("w") as file:
    file.write("imported")


class Slow(good.Times):
    """Good but for its module."""

    name = "slow"
    sdk = ("wave",)
    format = wave.WAVE_FORMAT_PCM


@hookimpl
def travel_times() -> list[type[Any]]:
    return [Slow]
