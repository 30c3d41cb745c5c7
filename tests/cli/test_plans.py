"""`hub plan` at a terminal and away from one."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import click
import pytest
from sqlmodel import select as choose

from hub.cli.plans import shared
from hub.cli.watching import STOPPING, Watching
from hub.dispatch.sheets import Name, RouteSheet
from hub.hub import Hub
from hub.nouns import Found, Order
from hub.orders.intake import take as take_in
from hub.orders.stops import create_stop
from hub.store import PlanRow, RouteRow, System, VehicleRow
from hub.testing.fixtures import World
from hub.testing.patience import PATIENCE
from hub.testing.town import DAY, Town, at
from hub.testing.town import town as town
from tests.cli.conftest import Command, Connect

WORDS = ("plan", "--depot", "Vaduz", "--date", str(DAY))


def test_a_day_is_planned_by_options_alone(command: Command, town: Town) -> None:
    town.stops(3)
    said = command(*WORDS, "--seconds", "0.5").output
    assert " by PyVRP (travel times are approximate)" in said
    assert "3 stops" in said


def test_programs_get_json_and_nothing_else(command: Command, town: Town) -> None:
    town.stop()
    sheet = json.loads(command(*WORDS, "--json", "--seconds", "0.5").stdout)
    assert (sheet["state"], sheet["engine"], sheet["why"]) == ("done", "pyvrp", "PyVRP")


def test_an_engine_is_named(command: Command, town: Town) -> None:
    town.stop()
    assert "by OR-Tools, as asked" in command(*WORDS, "--engine", "ortools").output


def test_without_a_day_the_usage_says_what_to_write(run: Connect, town: Town) -> None:
    result = run("plan")
    assert result.exit_code == 2
    assert "hub plan --depot NAME --date YYYY-MM-DD" in result.output


def test_away_from_a_terminal_there_are_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with Watching("planning Vaduz") as watching:
        assert watching(Found(cost=2000, left_out=1, seconds=0.5), 10)
        watching.at = -1.0
        assert watching(Found(cost=1500, left_out=1, seconds=2), 10)
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "planning Vaduz ...",
        "0.5 of 10 s, cost 2,000, 1 left out",
        "2.0 of 10 s, cost 1,500 (-25.0 %), 1 left out",
    ]


def test_a_search_for_a_day_costs_what_the_operator_counts_by(
    hub: Hub, command: Command, town: Town
) -> None:
    town.stops(3)
    with hub.store.write(System()) as session:
        session.get_one(VehicleRow, town.world.vehicle).cost_hour = Decimal(30)
    said = command("plan", "--date", "2026-11-23")
    assert "planning Vaduz 2026-11-23 ..." in said.stderr, "the only depot needs no name"
    told = re.search(r"km  (\S+ CHF)", said.stdout)
    assert told is not None
    assert f"cost {told[1]}" in said.stderr


def test_where_nobody_knows_prices_a_search_names_no_currency(command: Command, town: Town) -> None:
    town.stops(3)
    said = command("plan", "--date", "2026-11-23")
    assert re.search(r" s, cost \d{1,3}\.\d\d(,|$| )", said.stderr)
    assert "CHF" not in said.stderr


def test_the_first_interrupt_ends_the_search_and_the_second_gives_up() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Watching("planning") as watching:
        assert watching(Found(cost=1), 10)
        os.kill(os.getpid(), signal.SIGINT)
        assert not watching(Found(cost=1), 10)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


class Terminal:
    """`hub plan` in a process with a terminal of its own."""

    def __init__(self, hub: Hub, *words: str) -> None:
        self.mine, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hub", *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, **hub.settings.environ(), "COLUMNS": "100"},
            start_new_session=True,
            preexec_fn=lambda: take(theirs),
        )
        os.close(theirs)
        self.said = ""

    def until(self, text: str, seconds: float = 3 * PATIENCE) -> None:
        """Read until `text` comes."""
        ends = time.monotonic() + seconds
        while text not in self.said:
            assert time.monotonic() < ends, self.said
            self.read()

    def read(self) -> bool:
        """Read some more; return whether there may be more still."""
        if not select.select([self.mine], [], [], 0.2)[0]:
            return self.process.poll() is None
        try:
            part = os.read(self.mine, 10_000)
        except OSError:
            return False
        self.said += click.unstyle(part.decode(errors="replace"))
        return bool(part)

    def press(self, key: bytes) -> None:
        """Press a key."""
        os.write(self.mine, key)

    def end(self) -> int:
        """Read the rest and return the exit code."""
        while self.read():
            pass
        os.close(self.mine)
        return self.process.wait(PATIENCE)


def take(terminal: int) -> None:
    """Make a terminal the one whose keys this process hears."""
    import fcntl
    import termios

    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


@pytest.fixture
def busy(town: Town) -> Town:
    """Return a town with more stops than are planned in a moment."""
    for number in range(130):
        town.stop(0.001 * (number % 13), 0.0015 * (number // 13), service_time=60)
    return town


def test_ctrl_c_at_a_terminal_ends_the_search_with_the_best_so_far(hub: Hub, busy: Town) -> None:
    terminal = Terminal(hub, *WORDS, "--seconds", "200")
    terminal.until("of 200 s, cost ")
    terminal.press(b"\x03")
    assert terminal.end() == 0
    assert f"\r{STOPPING}" in terminal.said, "whatever the width"
    assert "stops  " in terminal.said
    assert "make it ready with: hub publish" in terminal.said
    with hub.store.read(System()) as session:
        row = session.exec(choose(PlanRow)).one()
    assert row.state == "done"
    assert row.progress["seconds"] < 190


def test_routes_are_told_in_the_time_of_the_depot(hub: Hub, command: Command, town: Town) -> None:
    town.stop(window_start=at(14), window_end=at(14, 30), service_time=60)
    said = command(*WORDS, "--seconds", "0.5").output
    with hub.store.read(System()) as session:
        (route,) = session.exec(choose(RouteRow)).all()
    zone = ZoneInfo("Europe/Vaduz")
    hours = f"{route.starts_at.astimezone(zone):%H:%M}-{route.ends_at.astimezone(zone):%H:%M}"
    assert f" {hours}  " in said
    assert hours.startswith(("13:", "14:"))
    assert "UTC" not in said


def test_orders_with_hardly_an_address_are_told_like_others(
    hub: Hub, command: Command, town: Town, world: World
) -> None:
    here, far = ({"lat": lat, "lon": 9.52} for lat in (47.15, 47.16))
    given: list[dict[str, Any]] = [
        {"ref": "bare", "location": here},
        {"ref": "odd", "location": far, "address": {"line1": "  ", "city": "Ⅷ · 九"}},
        {"ref": "heavy", "location": far, "lines": [{"name": "Anvil", "load": 1_000_000}]},
    ]
    with hub.store.write(System()) as session:
        for order in given:
            taken = take_in(hub, session, world.merchant, "test", Order(service_date=DAY, **order))
            create_stop(session, taken.id)
    said = command(*WORDS, "--seconds", "0.5").output
    assert " 2 stops " in said
    assert "left out: heavy: its load of 1000000 is more than any vehicle takes (at most" in said


def test_a_plan_is_told_in_the_time_of_its_depot(command: Command, town: Town) -> None:
    town.stop()
    assert " UTC" not in command(*WORDS, "--seconds", "0.5").output


def test_a_day_without_stops_is_told_as_that(command: Command, town: Town) -> None:
    said = command(*WORDS, "--seconds", "0.5").output
    assert f"Vaduz has no open stops on {DAY}" in said
    assert "hub publish" not in said


def test_a_van_that_two_drivers_have_at_once_is_named() -> None:
    def route(driver: str, vehicle: str, begins: int, ends: int) -> RouteSheet:
        name, day = Name(id=driver, name=driver), datetime(2026, 11, 23, tzinfo=UTC)
        return RouteSheet.model_construct(
            driver=name,
            vehicle=Name(id=vehicle, name=vehicle),
            starts_at=day.replace(hour=begins),
            ends_at=day.replace(hour=ends),
        )

    late, early = route("Lea", "Van 1", 10, 14), route("Urs", "Van 1", 8, 10)
    assert list(shared([early, late, route("Mia", "Van 2", 8, 14)])) == []
    (said,) = shared([late, route("Urs", "Van 1", 8, 11)])
    assert said.startswith("Lea and Urs both drive Van 1 at the same time")
