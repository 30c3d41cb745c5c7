"""A large file of orders is read in little memory, however many rows it has."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.demo
BENCH = Path(__file__).resolve().parents[2] / "bench" / "imports.py"
ROWS = 20_000
MOST_GROWTH = 40
"""Megabytes: a fifth of what 100,000 rows may take on top of the hub itself, below 300 in all."""


def test_twenty_thousand_rows_are_read_in_little_memory() -> None:
    done = subprocess.run(
        [sys.executable, str(BENCH), str(ROWS)], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert (figures["created"], figures["refused"]) == (ROWS, 0)
    assert figures["peak_mb"] - figures["before_mb"] < MOST_GROWTH
    assert figures["peak_mb"] < 300
