"""`hub demo`: a delivery day through the real parts, with simulated phones."""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub import address
from hub.cli import up
from hub.cli.supervisor import Supervisor

if TYPE_CHECKING:
    from hub.maps import LoadedMap
    from hub.store import Store

EVERY = 0.5
"""Seconds between two looks at the day's progress."""
LONGEST = 900.0
"""Seconds after which a day that does not end is given up."""


@click.command("demo")
@click.option("--once", is_flag=True, help="Play one day, print what happened, stop.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
@click.option("--speed", type=float, help="Business seconds per second; default 20.")
@click.option("--directory", type=click.Path(path_type=Path), help="Where to keep it.")
@click.option(
    "--map", "extract", type=click.Path(path_type=Path),
    help="OpenStreetMap extract (.osm.pbf) on whose streets the day is played.",
)  # fmt: skip
@click.option("--port", default=8000, show_default=True, help="Port of the pages, or the next.")
def demo_command(
    once: bool,
    as_json: bool,
    speed: float | None,
    directory: Path | None,
    extract: Path | None,
    port: int,
) -> None:
    """Play a delivery day: orders in, planned, driven, proven, told and recorded.

    In a terminal the day opens in mid-morning and goes on until Ctrl-C; elsewhere, and with
    --once, one day is played and its figures are printed.
    """
    once = once or not sys.stdout.isatty()
    with tempfile.TemporaryDirectory(prefix="hub-demo-") as spare:
        where = (directory or Path(spare)).absolute()
        demo = Demo(where, once=once, as_json=as_json, speed=speed, port=port)
        demo.extract = extract
        demo.run()


class Demo:
    """One run of the demo."""

    def __init__(
        self, directory: Path, *, once: bool, as_json: bool, speed: float | None, port: int
    ) -> None:
        self.directory = directory
        self.once = once
        self.as_json = as_json
        self.speed = speed or (1e9 if once else 20.0)
        self.port = port
        self.began = time.monotonic()
        self.ready = False
        self.linked = once
        """Whether the links that need routes have been printed, where anybody reads them."""
        self.code = 0
        self.drawn = 0.0
        self.store: Store | None = None
        self.extract: Path | None = None
        """Extract of the map to play on, if one was given."""

    def run(self) -> None:
        """Set up where it is not yet, supervise, and print the end."""
        self.settings = up.settle(self.directory, self.port, self.port + 1)
        fresh = not (self.directory / "demo.json").exists()
        up.prepare(self.settings)
        one = self.load_map() if self.extract else None
        if fresh:
            self.seed(one)
        up.open_demo(self.settings)
        self.log = (self.directory / "hub.log").open("a", buffering=1)
        supervisor = Supervisor(
            up.services(self.settings), up.settings_environ(self.settings), self.note
        )
        with address.noted(self.directory, self.settings.public_url):
            supervisor.start()
            try:
                supervisor.watch(self.tick)
            finally:
                supervisor.stop()
                self.log.close()
        self.finish()

    def load_map(self) -> LoadedMap:
        """Load the map of the extract, unless that is done already."""
        from datetime import UTC, datetime

        from hub.cli.bars import Bars
        from hub.maps import loaded
        from hub.maps.load import check, is_current, load, name_of

        extract = self.extract or Path()
        check(extract, name_of(extract), ())
        for one in loaded(self.settings.maps):
            if is_current(one, extract, ("car",)):
                return one
        with Bars() as bars:
            return load(self.settings.maps, extract, now=datetime.now(UTC), tell=bars).map

    def seed(self, one: LoadedMap | None) -> None:
        """Make the demo's operator, and its history where somebody will look at it."""
        from hub.hub import open_hub
        from hub.simulate.history import invent
        from hub.simulate.seed import seed

        hub = open_hub(self.settings)
        seed(hub, speed=self.speed, once=self.once, one=one)
        if not self.once:
            invent(hub, days=14)
        hub.close()

    def note(self, service: str, line: str) -> None:
        """Write one log line to the file."""
        print(f"{time.strftime('%H:%M:%S')} {service:<10} {line}", file=self.log)

    def tick(self) -> bool:
        """Show how far the day is; say False when it is over."""
        if not self.ready and up.answers(self.settings.public_url):
            self.ready = True
            self.greet()
        if self.ready and not self.linked:
            self.link()
        if self.ready and sys.stderr.isatty():
            self.draw()
        if time.monotonic() - self.began > LONGEST and self.once:
            click.secho(f"the day did not end; see {self.log.name}", fg="red", err=True)
            self.code = 1
            return False
        return not (self.once and self.is_over())

    def is_over(self) -> bool:
        """Say whether the one day has been played."""
        from hub.simulate.report import ended

        return ended(self.directory)

    def greet(self) -> None:
        """Print where to look."""
        from hub.simulate.links import print_links

        seconds = time.monotonic() - self.began
        click.echo(f"The hub is up after {seconds:.1f} s.", err=True)
        if not self.once:
            print_links(self.settings)

    def link(self) -> None:
        """Print a driver's and a customer's page as soon as routes are out."""
        from hub.simulate.folder import Folder
        from hub.simulate.links import day_links, tell

        day = Folder(self.directory)
        found = day_links(self.settings) if day.marked(f"{day.day().number}:published") else []
        if found:
            self.linked = True
            click.echo("\r\033[K", err=True, nl=False)
            tell(found)

    def draw(self) -> None:
        """Draw the progress of the day in one line."""
        from hub.simulate.progress import line
        from hub.store import Store

        if time.monotonic() - self.drawn < EVERY:
            return
        self.drawn = time.monotonic()
        self.store = self.store or Store(self.settings.database_url)
        click.echo("\r" + line(self.store, self.directory) + "\033[K", err=True, nl=False)

    def finish(self) -> None:
        """Print the figures of the day."""
        from hub.simulate.folder import Folder
        from hub.simulate.report import tally
        from hub.simulate.table import table
        from hub.store import Store

        if not self.once:
            return
        if sys.stderr.isatty():
            click.echo("", err=True)
        store = Store(self.settings.database_url)
        day = date.fromisoformat(Folder(self.directory).read()["date"])
        figures = tally(store, self.directory, day, time.monotonic() - self.began)
        store.close()
        click.echo(figures.model_dump_json() if self.as_json else table(figures))
        if self.code:
            raise SystemExit(self.code)
