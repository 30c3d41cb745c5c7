"""Places for proofs on loopback, each as strict as a real one: a bucket and an SFTP server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builtin.bucket import Bucket
from tests.builtin.sftp_server import SftpPeer


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """Return a bucket that connectors may call."""
    made = Bucket()
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


@pytest.fixture
def sftp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SftpPeer]:
    """Return an SFTP server that connectors may call."""
    made = SftpPeer(tmp_path / "sftp")
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()
