"""A Shopify shop on loopback for the tests of its connector."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.testing.peers.shopify import ShopifyPeer


@pytest.fixture
def peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ShopifyPeer]:
    """Return a shop that answers, and that the connector may call."""
    made = ShopifyPeer(tmp_path / "shopify")
    made.rate = made.maximum = made.points = 1e9  # what runs short of points says so
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()
