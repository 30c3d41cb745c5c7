"""Where to look while a demo runs."""

from __future__ import annotations

import json

import click

from hub.settings import Settings
from hub.simulate.seed import PASSWORD


def print_links(settings: Settings) -> None:
    """Print logins and links; those of drivers and recipients follow when routes are out."""
    root = settings.public_url
    peers = json.loads((settings.directory / "peers" / "peers.json").read_text())
    rows = [
        ("Board", f"{root}/  (desk@example.com / {PASSWORD})"),
        ("Owner", f"{root}/admin/connections  (owner@example.com / {PASSWORD})"),
        ("A shop's view", f"{root}/sign-in  (shop@example.com / {PASSWORD})"),
        ("Received SMS", peers["sms"].get("page", "")),
        ("Xero records", peers["xero"].get("page", "")),
    ]
    tell(rows)
    click.echo("  A driver's page and a tracking page follow once routes are out.", err=True)


def tell(rows: list[tuple[str, str]]) -> None:
    """Print names and links in two columns."""
    for name, link in rows:
        click.echo(f"  {name:<16} {link}", err=True)


def day_links(settings: Settings) -> list[tuple[str, str]]:
    """Return a driver's page and a tracking page of the day, once there are any."""
    from sqlmodel import col, select

    from hub.driving.links import driver_link
    from hub.hub import open_hub
    from hub.store import RouteRow, StopRow
    from hub.tracking.links import tracking_url

    hub = open_hub(settings)
    try:
        with hub.store.read() as session:
            stop = session.exec(
                select(StopRow)
                .where(StopRow.state == "dispatched")
                .order_by(col(StopRow.position).desc())
                .limit(1)
            ).first()
        if stop is None or stop.route is None:
            return []
        with hub.store.write() as session:
            driver = session.get_one(RouteRow, stop.route).driver
            link = driver_link(hub, session, driver)
        return [("A driver's page", link), ("A tracking page", tracking_url(hub, stop.id))]
    finally:
        hub.close()
