"""The kit, run on the connector for OSRM with a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.builtin.osrm import Osrm
from hub.testing.conformance import ConnectorTests
from hub.testing.peers import Reply, Request
from hub.testing.peers.osrm import OsrmPeer


class TestOsrm(ConnectorTests):
    connector = Osrm
    config = {"url": "https://osrm.example"}  # noqa: RUF012

    @pytest.fixture(autouse=True)
    def country(self, tmp_path: Path) -> Iterator[None]:
        self.behind = OsrmPeer(tmp_path / "behind")
        yield
        self.behind.server.server_close()
        self.behind.log.close()

    def serve(self, request: Request) -> Reply | None:
        """Answer as a server of the made-up country."""
        return self.behind.answer(request)
