"""Servers on loopback, each as strict as a real one: a bucket, SFTP, mail and a mailbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.http import allowed_addresses
from hub.testing.peers.mailbox import MailboxPeer
from tests.builtin.bucket import Bucket
from tests.builtin.mail_server import Mailbox, Server, Start, server
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


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def start(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Return a function that starts a mail server that connectors may call."""
    made: list[Server] = []

    def begin(**named: Any) -> Server:
        made.append(server(mailbox, **named))
        monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made[-1].port}")
        return made[-1]

    yield begin
    for one in made:
        one.end()


@pytest.fixture
def imap(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailboxPeer]:
    """Return a mailbox that connectors may call; begin with it after the mail server."""
    made = MailboxPeer()
    made.start()
    opened = ",".join([*allowed_addresses(), f"127.0.0.1:{made.port}"])
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", opened)
    yield made
    made.stop()
