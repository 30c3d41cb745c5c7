"""Commands of the hub, run in this process against a hub of their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from hub.cli import cli
from hub.hub import Hub

Command = Callable[..., Result]


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
