"""`hub up`: the whole hub on one machine."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

from hub import address
from hub.cli.ports import free_port
from hub.cli.supervisor import Service, Supervisor
from hub.settings import Settings, runtime_directory


@click.command("up")
@click.option("--directory", type=click.Path(path_type=Path), help="Where all data lies.")
@click.option("--port", default=8000, show_default=True, help="Port of the pages, or the next.")
@click.option("--live-port", default=8001, show_default=True, help="Port of the live channel.")
def up_command(directory: Path | None, port: int, live_port: int) -> None:
    """Run the whole hub: database, queue, pages, live channel, workers.

    Everything lies in one directory (HUB_DIRECTORY, default ./hub-data). Ctrl-C stops it.
    """
    settings = settle(directory, port, live_port)
    prepare(settings)
    open_demo(settings)
    supervisor = Supervisor(services(settings), settings_environ(settings), print_line)
    with address.noted(settings.directory, settings.public_url):
        supervisor.start()
        try:
            supervisor.watch(Greeting(settings))
        finally:
            supervisor.stop()
            print_line("hub", "stopped")


def settle(directory: Path | None, port: int, live_port: int) -> Settings:
    """Return the settings of this machine, with ports that are free."""
    environ = dict(os.environ)
    if directory is not None:
        environ["HUB_DIRECTORY"] = str(directory)
    web = free_port(port)
    live = free_port(live_port, taken=frozenset({web}))
    environ.setdefault("HUB_PUBLIC_URL", f"http://127.0.0.1:{web}")
    environ.setdefault("HUB_LIVE_URL", f"http://127.0.0.1:{live}")
    environ["HUB_WEB_PORT"], environ["HUB_LIVE_PORT"] = str(web), str(live)
    os.environ.update(environ)
    return Settings.read(environ)


def settings_environ(settings: Settings) -> dict[str, str]:
    """Return the environment of every service."""
    return {**os.environ, **settings.environ(), "PYTHONUNBUFFERED": "1"}


def prepare(settings: Settings) -> None:
    """Make the directory, create an empty database's schema, refuse an old one."""
    from hub.store import Store, migrations

    settings.directory.mkdir(parents=True, exist_ok=True)
    runtime_directory(settings.directory).mkdir(mode=0o700, parents=True, exist_ok=True)
    store = Store(settings.database_url, patience=30)
    if migrations.current(store) is None:
        migrations.upgrade(store)
    migrations.check(store)
    store.close()
    load(settings)


def load(settings: Settings) -> None:
    """Save the workflows of this version and of the directory; say what is wrong with any."""
    from hub.hub import open_hub
    from hub.workflow.parts import assemble, load_workflows

    hub = open_hub(settings, patience=30)
    assemble(hub)
    for problem in load_workflows(hub).refused:
        print_line("workflows", str(problem))
    for plugin in hub.plugins.plugins.values():
        if plugin.error:
            print_line("plugins", f"{plugin.name} did not load: {plugin.error}")
    hub.close()


def services(settings: Settings) -> list[Service]:
    """Return all processes of a hub on one machine, in the order of their start."""
    hub = [sys.executable, "-m", "hub"]
    listed = []
    if "HUB_REDIS_URL" not in os.environ:
        listed.append(Service("queue", redis_command(settings), outlasts=True))
    listed += [
        Service("web", [*hub, "web", "--port", os.environ["HUB_WEB_PORT"]]),
        Service("live", [*hub, "live", "--port", os.environ["HUB_LIVE_PORT"]]),
        Service("dispatcher", [*hub, "dispatcher"]),
        Service("fast", [*hub, "worker", "fast"]),
        Service("outward", [*hub, "worker", "outward"]),
        Service("heavy", [*hub, "worker", "heavy"]),
        Service("positions", [*hub, "positions"]),
    ]
    if (settings.directory / "demo.json").exists():
        listed.append(Service("peers", peers_command(settings)))
        listed.append(Service("phones", [*hub, "simulate"]))
    return listed


def open_demo(settings: Settings) -> None:
    """Let the hub call the recording services of a demo's directory, which are on this machine."""
    if not (settings.directory / "demo.json").exists():
        return
    from hub.simulate.seed import allowed

    listed = [os.environ.get("HUB_ALLOW_ADDRESSES", ""), allowed(settings.directory)]
    os.environ["HUB_ALLOW_ADDRESSES"] = ",".join(part for part in listed if part)


def peers_command(settings: Settings) -> list[str]:
    """Return how the demo's recording services are run."""
    from importlib.resources import files

    gazetteer = files("hub.simulate").joinpath("data/addresses.csv")
    return [
        sys.executable, "-m", "hub.testing.peers",
        "--directory", str(settings.directory / "peers"), "--gazetteer", str(gazetteer),
    ]  # fmt: skip


def redis_command(settings: Settings) -> list[str]:
    """Return how the embedded Valkey is run: on a private socket, with an append-only file."""
    from hub.queue.server import server_binary

    folder = settings.directory / "queue"
    folder.mkdir(parents=True, exist_ok=True)
    socket = settings.redis_url.removeprefix("unix://")
    return [
        server_binary(), "--port", "0", "--unixsocket", socket, "--unixsocketperm", "700",
        "--dir", str(folder), "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
        "--maxmemory-policy", "noeviction", "--daemonize", "no", "--loglevel", "warning",
    ]  # fmt: skip


class Greeting:
    """Says where the hub is as soon as its pages answer."""

    def __init__(self, settings: Settings, then: Callable[[], None] | None = None) -> None:
        self.settings = settings
        self.began = time.monotonic()
        self.said = False
        self.then = then

    def __call__(self) -> bool:
        """Look once; always go on."""
        if not self.said and answers(self.settings.public_url):
            self.said = True
            seconds = time.monotonic() - self.began
            print_line("hub", f"ready after {seconds:.1f} s at {self.settings.public_url}")
            welcome(self.settings)
        return True


def welcome(settings: Settings) -> None:
    """Print a sign-in link for the owner while nobody has an account with a password."""
    from sqlmodel import col, select

    from hub.access import tokens, users
    from hub.store import Store, UserRow

    store = Store(settings.database_url)
    with store.write() as session:
        rows = session.exec(select(UserRow).where(col(UserRow.disabled_at).is_(None))).all()
        if any(row.password for row in rows):
            return
        owner = next((row for row in rows if row.role == "owner"), None)
        if owner is None:
            owner = users.add_user(session, "owner@hub.local", "owner", name="Owner")
            session.flush()
        token = tokens.issue(session, "sign_in", owner.id)
    store.close()
    print_line("hub", f"sign in as owner (works once): {settings.public_url}/sign-in/{token}")


def answers(url: str) -> bool:
    """Say whether the pages answer at `url`."""
    import urllib.request

    local = f"http://127.0.0.1:{os.environ.get('HUB_WEB_PORT', '8000')}"
    try:
        with urllib.request.urlopen(f"{local}/readyz", timeout=2) as reply:  # noqa: S310
            return bool(reply.status == 200)
    except OSError:
        return False


def print_line(name: str, line: str) -> None:
    """Print one log line: when, which service, what."""
    print(f"{time.strftime('%H:%M:%S')} {name:<10} {line}", flush=True)
