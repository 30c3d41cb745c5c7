"""Processes are restarted when they die, end together, and leave no orphans."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from hub.cli.ports import free_port
from hub.cli.supervisor import Service, Supervisor
from hub.testing.patience import PATIENCE, until

SLEEPER = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(60)"
PARENT = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", sys.argv[2], sys.argv[1]])
time.sleep(60)
"""

pytestmark = pytest.mark.whole


def pids(path: Path, count: int) -> list[int]:
    """Wait until `count` processes have written their ids, and return them."""
    until(lambda: path.exists() and path.read_text().count("\n") >= count)
    return [int(pid) for pid in path.read_text().split()]


def is_alive(pid: int) -> bool:
    """Say whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_gone(pid: int) -> None:
    """Wait until a process has ended."""
    until(lambda: not is_alive(pid))


@pytest.fixture
def said() -> list[tuple[str, str]]:
    return []


def supervise(services: list[Service], said: list[tuple[str, str]]) -> Supervisor:
    """Return a supervisor that keeps its log in a list."""
    return Supervisor(services, os.environ, lambda name, line: said.append((name, line)))


def test_a_service_that_is_killed_is_started_again_and_its_end_is_told(
    tmp_path: Path, said: list[tuple[str, str]]
) -> None:
    log = tmp_path / "pids"
    supervisor = supervise([Service("one", [sys.executable, "-c", SLEEPER, str(log)])], said)
    supervisor.start()
    (first,) = pids(log, 1)
    os.kill(first, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE
    supervisor.watch(lambda: len(log.read_text().split()) < 2 and time.monotonic() < deadline)
    _, second = pids(log, 2)
    assert is_alive(second)
    assert ("one", "ended (SIGKILL); starting it again") in said
    supervisor.stop()
    wait_gone(second)


def test_the_children_of_a_dead_service_are_ended_before_it_is_started_anew(
    tmp_path: Path, said: list[tuple[str, str]]
) -> None:
    log = tmp_path / "pids"
    command = [sys.executable, "-c", PARENT, str(log), SLEEPER]
    service = Service("family", command)
    supervisor = supervise([service], said)
    supervisor.start()
    (child,) = pids(log, 1)
    assert service.process is not None
    os.kill(service.process.pid, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE
    supervisor.watch(lambda: is_alive(child) and time.monotonic() < deadline)
    wait_gone(child)
    supervisor.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's tie is Linux's")
def test_killing_the_supervisor_leaves_no_orphan(tmp_path: Path) -> None:
    log = tmp_path / "pids"
    code = textwrap.dedent(
        """
        import os, sys
        from hub.cli.supervisor import Service, Supervisor
        service = Service("one", [sys.executable, "-c", sys.argv[2], sys.argv[1]])
        supervisor = Supervisor([service], os.environ, lambda *_: None)
        supervisor.start()
        supervisor.watch(lambda: True)
        """
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(log), SLEEPER])
    (child,) = pids(log, 1)
    parent.kill()
    parent.wait()
    wait_gone(child)


def test_a_taken_port_is_passed_over() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) > port
