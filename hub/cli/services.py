"""Each process of a hub as its own command, so that many machines can share one hub."""

from __future__ import annotations

import os

import click

from hub import address
from hub.settings import Settings


def prepare() -> Settings:
    """Set up logging and return the settings of this process."""
    from hub.logs import configure

    configure()
    return Settings.read(os.environ)


@click.command("web")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, help="Port to listen on.")
def web_command(host: str, port: int) -> None:
    """Serve the pages and the API."""
    from hub.web.server import serve

    settings = prepare()
    if address.running(settings.directory):
        serve(host, port)
        return
    url = os.environ.get("HUB_PUBLIC_URL") or f"http://127.0.0.1:{port}"
    with address.noted(settings.directory, url):
        serve(host, port)


@click.command("live")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8001, show_default=True, help="Port to listen on.")
def live_command(host: str, port: int) -> None:
    """Serve the live channel (server-sent events)."""
    from hub.web.live import main

    main(prepare(), host, port)


@click.command("worker")
@click.argument("queue", type=click.Choice(["fast", "outward", "heavy"]))
def worker_command(queue: str) -> None:
    """Do due work of one QUEUE: fast (inside), outward (connectors) or heavy (planning)."""
    from hub.queue.worker import main
    from hub.workflow.parts import assemble

    main(prepare(), queue, assemble)


@click.command("dispatcher")
def dispatcher_command() -> None:
    """Number events, ring for due work; any number may run, one leads."""
    from hub.queue.dispatcher import main
    from hub.workflow.parts import assemble

    main(prepare(), assemble)


@click.command("positions")
def positions_command() -> None:
    """Process the positions of drivers' phones: geofence and ETA."""
    from hub.tracking.worker import main

    main(prepare())


@click.command("simulate")
def simulate_command() -> None:
    """Drive the demo's phones over the API, as the directory's demo.json says."""
    from hub.simulate.conductor import main

    main(prepare())
