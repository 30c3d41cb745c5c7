"""Run all peers in one process: `python -m hub.testing.peers --directory D`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import threading
from pathlib import Path

from hub.testing.peers.nominatim import NominatimPeer
from hub.testing.peers.server import Peer
from hub.testing.peers.sms import SmsPeer
from hub.testing.peers.xero import ROOT, XeroPeer


def main() -> None:
    """Start the peers, write `peers.json`, and answer until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m hub.testing.peers", description=__doc__)
    parser.add_argument("--directory", type=Path, required=True, help="for logs and peers.json")
    parser.add_argument("--gazetteer", type=Path, help="CSV: line1,postcode,city,country,lat,lon")
    given = parser.parse_args()
    peers = start(given.directory, given.gazetteer)
    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    ended.wait()
    for peer in peers:
        peer.stop()


def start(directory: Path, gazetteer: Path | None = None) -> list[Peer]:
    """Start every peer, on the ports of an earlier start where there was one."""
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "peers.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    ports = {name: int(told["port"]) for name, told in known.items()}
    peers: list[Peer] = [
        SmsPeer(directory, ports.get("sms", 0)),
        XeroPeer(directory, ports.get("xero", 0)),
        NominatimPeer(directory, ports.get("nominatim", 0), gazetteer),
    ]
    for peer in peers:
        peer.start()
    written = directory / "peers.json.new"
    written.write_text(json.dumps({peer.service: described(peer) for peer in peers}, indent=2))
    os.replace(written, file)
    return peers


def described(peer: Peer) -> dict[str, object]:
    """Return where a peer is: `url` is what goes into a connection's settings."""
    root = ROOT if isinstance(peer, XeroPeer) else ""
    return {
        "port": peer.port,
        "url": peer.url + root,
        "page": peer.url + "/",
        "control": peer.url + "/control",
        "token": peer.token,
        "address": f"127.0.0.1:{peer.port}",
        "log": str(peer.log.path.absolute()),
    }


if __name__ == "__main__":
    main()
