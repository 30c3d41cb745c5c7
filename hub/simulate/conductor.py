"""Play the demo's day: move the clock, follow the script, let the phones drive."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import structlog

from hub.hub import Hub, open_hub
from hub.settings import Settings
from hub.simulate import scenes
from hub.simulate.caller import Caller
from hub.simulate.folder import Folder
from hub.simulate.metronome import Metronome
from hub.simulate.phone import Phone
from hub.simulate.script import Day

STEP = timedelta(seconds=30)
FASTEST = 1200.0
"""Business seconds per second where nobody watches."""

log = structlog.get_logger("demo")


def main(settings: Settings) -> None:
    """Play until the process is ended; a new process goes on where the last one was."""
    hub = open_hub(settings, patience=30)
    folder = Folder(settings.directory)
    stage = scenes.Stage(hub, folder, Caller(settings.public_url, folder.read()["key"]))
    while True:
        Conductor(stage, folder.day()).play()
        if folder.read()["once"]:
            folder.mark("ended", round(time.time(), 1))
            time.sleep(3600)
        else:
            turn_page(folder)


def turn_page(folder: Folder) -> None:
    """Begin the next day."""
    day = folder.day().next()
    folder.write({**folder.read(), "date": day.date.isoformat(), "number": day.number})


class Conductor:
    """One day: scenes at their hour, phones all the time."""

    def __init__(self, stage: scenes.Stage, day: Day) -> None:
        self.stage = stage
        self.day = day
        self.hub: Hub = stage.hub
        self.metronome = Metronome(stage.hub)
        self.phones: list[Phone] = []
        self.speed = float(stage.folder.read()["speed"])

    def play(self) -> None:
        """Play the day to its end."""
        now = max(self.metronome.now(), self.day.begins)
        if now.date() > self.day.date:
            now = self.day.begins
        with ThreadPoolExecutor(4) as pool:
            while not self.is_over():
                self.settle()
                self.run_scenes(now)
                if self.stage.is_marked(self.day, "published"):
                    self.drive(pool, now)
                now = self.step(now)
        self.wait_until(self.metronome.is_idle)
        log.info("day_over", date=self.day.date.isoformat())

    def run_scenes(self, now: datetime) -> None:
        """Play every scene whose hour has come, in order, each once."""
        for scene in scenes.SCENES:
            if now < self.day.at(*scene.hour):
                return
            if self.stage.is_marked(self.day, scene.name):
                continue
            scene.play(self.stage, self.day)
            self.wait_until(self.metronome.is_idle if scene.settles else self.is_in_time)
            self.stage.mark(self.day, scene.name)
            log.info("scene", name=scene.name)

    def drive(self, pool: ThreadPoolExecutor, now: datetime) -> None:
        """Let every phone do what it does until `now`."""
        if not self.phones:
            self.phones = [Phone(caller, self.day) for caller in self.stage.phones()]
        list(pool.map(lambda phone: phone.advance(now), self.phones))

    def step(self, now: datetime) -> datetime:
        """Move the clock one step and wait until it is there."""
        end = now + STEP
        watched = now >= self.day.opens
        speed = min(self.speed, FASTEST) if watched else FASTEST
        seconds = STEP.total_seconds() / speed
        self.metronome.go(now, end, seconds)
        time.sleep(seconds)
        return end

    def settle(self) -> None:
        """Hold the clock while work that is due waits."""
        self.wait_until(self.is_in_time)

    def is_in_time(self) -> bool:
        """Say whether the hub keeps up."""
        return not self.metronome.is_behind()

    def is_over(self) -> bool:
        """Say whether every scene was played and every route is closed."""
        played = all(self.stage.is_marked(self.day, scene.name) for scene in scenes.SCENES)
        return played and bool(self.phones) and all(phone.done for phone in self.phones)

    def wait_until(self, true: Callable[[], bool], limit: float = 120.0) -> None:
        """Wait; after two minutes say so and go on, so that the day shows what is stuck."""
        deadline = time.monotonic() + limit
        while not true():
            if time.monotonic() > deadline:
                log.warning("hub_is_behind", waited=limit)
                return
            time.sleep(0.05)
