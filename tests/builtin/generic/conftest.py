"""An own system that connectors may call."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builtin.generic.erp import ErpPeer


@pytest.fixture
def erp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ErpPeer]:
    """Return an ERP on loopback."""
    made = ErpPeer(tmp_path / "erp")
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()
