"""What a process writes shows no secret that it was told of, and is not without end."""

from __future__ import annotations

import io
import logging
import sys

import pytest

from hub import logs

SECRET = "s3cret-of-a-shop"


def covered(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Return where standard output and error of this process go from now on, covered."""
    written = io.StringIO()
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, written)
    logs.cover_streams()
    return written


def test_prints_logs_and_tracebacks_show_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    out = covered(monkeypatch)
    logs.hide({SECRET})
    print("a print with", SECRET)
    handler = logging.StreamHandler(sys.stderr)
    log = logging.Logger("plugin")
    log.addHandler(handler)
    try:
        raise ValueError(f"wrong {SECRET}")
    except ValueError:
        log.exception("the key is %s", SECRET)
    assert SECRET not in out.getvalue()
    assert "a print with •••" in out.getvalue()
    assert "ValueError: wrong •••" in out.getvalue()


def test_a_long_line_is_cut_and_a_bounded_process_falls_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = covered(monkeypatch)
    print("x" * 1_000_000)
    assert len(out.getvalue()) < 2 * logs.LONGEST
    logs.bound(100)
    for _ in range(100):
        print("y" * 50)
    assert out.getvalue().count("y") <= 100
    assert "written too much" in out.getvalue()


def test_it_stays_a_stream_of_text(monkeypatch: pytest.MonkeyPatch) -> None:
    out = covered(monkeypatch)
    with pytest.raises(TypeError):
        sys.stdout.write(b"bytes")  # type: ignore[arg-type]
    assert sys.stdout.writable()
    sys.stdout.writelines(["one ", "two"])
    assert out.getvalue() == "one two"
