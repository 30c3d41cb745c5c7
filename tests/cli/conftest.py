"""Commands of the hub, run in this process against a hub of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub.cli import cli, connect
from hub.hub import Hub
from hub.testing.peers import Peer

Command = Callable[..., Result]
Connect = Callable[..., Result]


@pytest.fixture
def command(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Return a function that runs a command; expected errors are raised, usage is checked."""
    for name, value in hub.settings.environ().items():
        monkeypatch.setenv(name, value)

    def run(*words: str) -> Result:
        result = CliRunner().invoke(cli, words, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result

    return run


@pytest.fixture
def run(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Return a function that runs `hub` with words, whatever it ends with."""
    for name, value in hub.settings.environ().items():
        monkeypatch.setenv(name, value)

    def call(*words: str, said: str | None = None) -> Result:
        return CliRunner().invoke(cli, words, input=said, catch_exceptions=False)

    return call


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let somebody sit at the terminal."""
    monkeypatch.setattr(connect, "is_asked", lambda: True)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Return what starts peers and lets the hub call them."""
    begun: list[Peer] = []

    def start(*peers: Peer) -> None:
        for peer in peers:
            peer.start()
            begun.append(peer)
        opened = ",".join(f"127.0.0.1:{peer.port}" for peer in begun)
        monkeypatch.setenv("HUB_ALLOW_ADDRESSES", opened)

    yield start
    for peer in begun:
        peer.stop()


@pytest.fixture
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of somebody's own, outside of the hub's."""
    return tmp_path_factory.mktemp("given")
