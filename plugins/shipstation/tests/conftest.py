"""A ShipStation of the tests' own, and accounts at it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hub_shipstation import Config, ShipStation

from hub import DeliveryStatus
from hub.testing.peers.shipstation import ShipStationPeer

Account = Callable[..., ShipStation]


@pytest.fixture
def station(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ShipStationPeer]:
    """Return a ShipStation on loopback that the connector may call."""
    made = ShipStationPeer(tmp_path / "station")
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


@pytest.fixture
def account(station: ShipStationPeer) -> Account:
    """Return what makes the connector of an account there."""

    def make(**values: Any) -> ShipStation:
        told = {"url": station.url, "key": station.key, "secret": station.secret}
        told["keys_url"] = f"{station.url}/jwks"
        return ShipStation(Config.model_validate({**told, **values}))

    return make


@pytest.fixture
def status() -> Callable[..., DeliveryStatus]:
    """Return what makes news of a delivery."""

    def make(order: str | int, said: str = "delivered", **values: Any) -> DeliveryStatus:
        told: dict[str, Any] = {
            "key": f"run_1:{said}:{order}", "order": str(order), "status": said, "stop": "stp_1",
            "at": datetime(2026, 11, 24, 6, 30, tzinfo=UTC), "carrier": "Alpenkraut",
            "tracking_url": "https://hub.example/t/abc",
        }  # fmt: skip
        if said in ("delivered", "partial"):
            told |= {"received_by": "A. Beck", "proof_url": "https://hub.example/p/abc"}
        return DeliveryStatus.model_validate({**told, **values})

    return make


@pytest.fixture(scope="session")
def peers() -> Path:
    """Return the folder of the services' published descriptions."""
    beside = Path(__file__).parents[4] / "shared" / "peers"
    return Path(os.environ.get("HUB_PEERS") or beside)
