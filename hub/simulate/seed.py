"""Fill an empty hub with the demo's operator: merchants, depots, drivers, connections."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from hub.access import tokens, users
from hub.hub import Hub
from hub.maps import LoadedMap
from hub.simulate.folder import Folder
from hub.simulate.ground import Ground, choose, ground_of
from hub.simulate.script import ZONE, Day
from hub.store import (
    ClockRow,
    DepotRow,
    DriverRow,
    MerchantRow,
    Session,
    SettingRow,
    ShiftRow,
    VehicleRow,
)

PASSWORD = "demo-demo"  # noqa: S105 - printed for everybody who starts a demo
SCOPES = ["orders:read", "orders:write", "plans:write", "routes:write", "fleet:write"]
MERCHANTS = (
    ("alpenkraut", "Alpenkraut", "#2f7d4f", "+423 230 10 10"),
    ("rheinwein", "Rheinwein", "#8b1e3f", "+423 230 20 20"),
)
DRIVERS = (
    ("Lea Frick", 0, "Van 1", "#1f6feb"),
    ("Tim Gassner", 0, "Van 2", "#d9730d"),
    ("Mia Schreiber", 1, "Van 3", "#8250df"),
)


def seed(
    hub: Hub,
    *,
    speed: float,
    once: bool,
    start: datetime | None = None,
    one: LoadedMap | None = None,
) -> None:
    """Set the demo up; the day in play is today, its clock stands at half past six.

    On a map `one` the addresses are that map's, and it is the one that finds them.
    """
    ground = choose(one) if one else ground_of(hub.settings.directory)
    if ground.moved:
        ground.write(hub.settings.directory)
    day = Day((start or datetime.now(ZONE)).date())
    peers = claim_ports(hub.settings.directory / "peers")
    hashed = users.hash_password(PASSWORD)
    with hub.store.write() as session:
        session.add(ClockRow(anchor=day.begins, since=time.time(), speed=0))
        session.add(SettingRow(name="operator", value={"name": "Rhine Valley Deliveries"}))
        merchants = add_merchants(session)
        add_fleet(session, ground)
        key = tokens.issue_key(session, "demo", SCOPES, None)
        users.add_user(session, "owner@example.com", "owner", name="Olivia", hashed=hashed)
        users.add_user(session, "desk@example.com", "dispatcher", name="Desk", hashed=hashed)
        users.add_user(
            session, "shop@example.com", "merchant", name="Rheinwein shop", hashed=hashed,
            merchant=merchants["rheinwein"],
        )  # fmt: skip
    connect(hub, merchants, peers, searched=one is None)
    Folder(hub.settings.directory).write(
        {"date": day.date.isoformat(), "number": 1, "speed": speed, "once": once, "key": key}
    )


def add_merchants(session: Session) -> dict[str, str]:
    """Add the two shops and return their ids by slug."""
    ids = {}
    for slug, name, accent, phone in MERCHANTS:
        row = MerchantRow(
            slug=slug, name=name, accent=accent, phone=phone, sender=name[:11],
            email=f"hello@{slug}.example",
        )  # fmt: skip
        session.add(row)
        ids[slug] = row.id
    return ids


def add_fleet(session: Session, ground: Ground) -> None:
    """Add depots, vehicles and drivers who work every day."""
    depots = [DepotRow(**asdict(depot), timezone=ZONE.key) for depot in ground.depots]
    session.add_all(depots)
    vehicles = {vehicle: VehicleRow(name=vehicle, capacity=160) for _, _, vehicle, _ in DRIVERS}
    session.add_all(vehicles.values())
    session.flush()
    for name, depot, vehicle, colour in DRIVERS:
        driver = DriverRow(
            name=name, depot=depots[depot].id, vehicle=vehicles[vehicle].id, colour=colour
        )
        session.add(driver)
        session.flush()
        for weekday in range(7):
            session.add(ShiftRow(driver=driver.id, weekday=weekday, starts="08:00", ends="16:00"))


def connect(
    hub: Hub, merchants: dict[str, str], peers: dict[str, int], *, searched: bool = True
) -> None:
    """Connect the recording services, each the way a merchant or the operator would.

    `searched`: also the one that finds addresses; a loaded map does without.
    """
    from hub.testing.peers.sms import SmsPeer
    from hub.testing.peers.xero import ROOT, XeroPeer

    def url(service: str) -> str:
        return f"http://127.0.0.1:{peers[service]}"

    xero = {
        "url": url("xero") + ROOT, "token": XeroPeer.token,
        "per_minute": 0, "per_day": 0,  # a day passes in minutes
    }  # fmt: skip
    wanted: list[tuple[str, str | None, str, dict[str, Any]]] = [
        ("sms", None, "SMS gateway", {"url": url("sms"), "token": SmsPeer.token}),
        ("nominatim", None, "Address search", {
            "url": url("nominatim"), "email": "owner@example.com", "consent": True,
            "per_second": 50,
        }),
        ("folder", None, "Proof folder", {"path": str(hub.settings.directory / "proofs")}),
        ("xero", merchants["alpenkraut"], "Xero (Alpenkraut)", {**xero, "tenant": "alpenkraut"}),
        ("xero", merchants["rheinwein"], "Xero (Rheinwein)", {
            **xero, "tenant": "rheinwein", "token": "xero-token-1",
        }),
    ]  # fmt: skip
    with hub.store.write() as session:
        for connector, merchant, title, settings in wanted:
            if connector == "nominatim" and not searched:
                continue
            hub.connections.save(session, connector, settings, merchant=merchant, title=title)


def claim_ports(folder: Path) -> dict[str, int]:
    """Choose free ports for the recording services and write them where they look."""
    import socket

    folder.mkdir(parents=True, exist_ok=True)
    held = [socket.socket() for _ in range(3)]
    for each in held:
        each.bind(("127.0.0.1", 0))
    names = ("sms", "xero", "nominatim")
    ports = {name: each.getsockname()[1] for name, each in zip(names, held, strict=True)}
    for each in held:
        each.close()
    (folder / "peers.json").write_text(json.dumps({n: {"port": p} for n, p in ports.items()}))
    return ports


def allowed(directory: Path) -> str:
    """Return HUB_ALLOW_ADDRESSES for a demo: its recording services and nothing else."""
    told = json.loads((directory / "peers" / "peers.json").read_text())
    return ",".join(f"127.0.0.1:{found['port']}" for found in told.values())
