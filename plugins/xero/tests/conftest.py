"""Xero's books on loopback, and connectors that are pointed at them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_xero import Config, Xero

from hub.testing.fixtures import redis_url
from hub.testing.peers.xero import CONNECTIONS, ROOT, TOKEN, XeroPeer

__all__ = ["redis_url"]
Build = Callable[..., Xero]


@pytest.fixture
def accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[XeroPeer]:
    """Return Xero's books."""
    made = XeroPeer(tmp_path / "accounts")
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


@pytest.fixture
def build(accounts: XeroPeer) -> Build:
    """Return a function that makes a connector with certain settings."""

    def made(**settings: Any) -> Xero:
        told = {
            "url": accounts.url + ROOT, "identity_url": accounts.url + TOKEN,
            "connections_url": accounts.url + CONNECTIONS, "token": accounts.token,
            "tenant": "tenant-1", "per_minute": 0, **settings,
        }  # fmt: skip
        return Xero(Config.model_validate(told))

    return made
