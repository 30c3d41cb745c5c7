"""A shop on loopback for the tests of WooCommerce, and connectors that are connected to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hub_woocommerce import Config, WooCommerce

from hub.testing.peers.woocommerce import WooCommercePeer

PLACE = {
    "first_name": "Anna", "last_name": "Beck", "address_1": "Städtle 49", "city": "Vaduz",
    "postcode": "9490", "country": "LI",
}  # fmt: skip


class Clock:
    """The shop's clock, which stands still until a test moves it."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, **span: float) -> None:
        """Let time pass."""
        self.at += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    """Return the clock of the shop."""
    return Clock()


@pytest.fixture
def peer(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[WooCommercePeer]:
    """Return a shop that answers on loopback, where the hub may call it."""
    made = WooCommercePeer(tmp_path, now=clock)
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


@pytest.fixture
def connect(peer: WooCommercePeer) -> Callable[..., WooCommerce]:
    """Return what makes a connector to the shop, with settings of one's own."""

    def made(**values: Any) -> WooCommerce:
        told = {"url": peer.url, "key": peer.key, "secret": peer.secret, **values}
        return WooCommerce(Config.model_validate(told))

    return made


@pytest.fixture
def sell(peer: WooCommercePeer) -> Callable[..., dict[str, Any]]:
    """Return what lets somebody buy two teas for delivery."""

    def made(**values: Any) -> dict[str, Any]:
        lines = [{"name": "Herb tea", "quantity": 2, "total": "25.00", "sku": "TEA-1"}]
        place = {"shipping": PLACE, "billing": {**PLACE, "email": "anna@example.com"}}
        return peer.sell(**{"currency": "CHF", "line_items": lines, **place, **values})

    return made
