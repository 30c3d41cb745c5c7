"""Start the processes of a hub, restart the ones that die, end them all together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

GRACE = 5.0
SHORTEST_LIFE = 5.0
LONGEST_PAUSE = 10.0


@dataclass
class Service:
    """One process to keep running: its command, and the process while there is one."""

    name: str
    command: list[str]
    outlasts: bool = False
    """Whether it ends only after the others, because they need it to end well."""
    process: subprocess.Popen[str] | None = None
    started: float = 0.0
    pause: float = 0.25
    restart_at: float = 0.0
    restarts: int = 0
    reader: threading.Thread | None = field(default=None, repr=False)


class Supervisor:
    """Keeps services running; each is the leader of its own process group.

    A service that dies has its group ended before it is started anew, so that no child of the
    old one works beside the new one.
    """

    def __init__(
        self, services: list[Service], environ: Mapping[str, str], say: Callable[[str, str], None]
    ) -> None:
        self.services = services
        self.environ = dict(environ)
        self.say = say
        self.stopping = False

    def start(self) -> None:
        """Start every service, in order."""
        for service in self.services:
            self._launch(service)

    def watch(self, tick: Callable[[], bool], every: float = 0.1) -> None:
        """Look after the services until `tick` returns False or a signal says stop."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        while not self.stopping and tick():
            for service in self.services:
                self._look(service)
            time.sleep(every)

    def stop(self) -> None:
        """End all services; what others need ends last. Each group has five seconds."""
        self.stopping = True
        self._end([service for service in self.services if not service.outlasts])
        self._end([service for service in self.services if service.outlasts])

    def _end(self, services: list[Service]) -> None:
        for service in services:
            self._signal(service, signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        for service in services:
            if service.process is not None:
                try:
                    service.process.wait(max(0.1, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    self.say(service.name, "did not stop in time and is ended")
            self._signal(service, signal.SIGKILL)
            if service.process is not None:
                service.process.wait()

    def _stop(self, *_: object) -> None:
        self.stopping = True

    def _launch(self, service: Service) -> None:
        lifeline = [sys.executable, "-m", "hub.lifeline", str(os.getpid())]
        service.process = subprocess.Popen(
            [*lifeline, *service.command],
            # By this name a worker knows what its killed predecessor held.
            env={**self.environ, "HUB_PROCESS": service.name},
            stdin=subprocess.PIPE,  # its end is the lifeline where the kernel has none
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        service.started = time.monotonic()
        service.reader = threading.Thread(target=self._relay, args=(service,), daemon=True)
        service.reader.start()

    def _relay(self, service: Service) -> None:
        process = service.process
        if process is not None and process.stdout is not None:
            for line in process.stdout:
                if line.strip():
                    self.say(service.name, line.rstrip())

    def _look(self, service: Service) -> None:
        process = service.process
        if process is not None and process.poll() is None:
            return
        now = time.monotonic()
        if process is not None:
            self._signal(service, signal.SIGKILL)
            long_lived = now - service.started > SHORTEST_LIFE
            service.pause = 0.25 if long_lived else min(service.pause * 2, LONGEST_PAUSE)
            service.restart_at = now + service.pause
            service.process = None
            self.say(service.name, f"ended ({reason(process.returncode)}); starting it again")
        elif now >= service.restart_at:
            service.restarts += 1
            self._launch(service)

    def _signal(self, service: Service, number: int) -> None:
        if service.process is None:
            return
        try:
            os.killpg(service.process.pid, number)
        except (ProcessLookupError, PermissionError):
            return  # the whole group is gone already


def reason(code: int | None) -> str:
    """Return why a process ended, in words."""
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit {code}"
