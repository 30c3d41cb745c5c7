"""What `hub up` tells whoever starts a hub for the first time."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from hub import address
from hub.access import tokens, users
from hub.cli import cli
from hub.cli.ports import free_port
from hub.cli.up import welcome
from hub.hub import Hub
from hub.settings import Settings
from hub.testing.running import Run


def test_the_link_of_the_greeting_is_for_an_owner_who_may_sign_in(
    hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    with hub.store.write() as session:
        users.add_user(session, "first@example.com", "owner")
        session.flush()
        second = users.add_user(session, "second@example.com", "owner")
        session.flush()
        users.disable(session, "first@example.com")
    welcome(hub.settings)
    link = capsys.readouterr().out.split("/sign-in/")[1].strip()
    with hub.store.read() as session:
        assert tokens.check(session, "sign_in", link) == second.id


@pytest.mark.demo
def test_other_commands_know_the_port_of_a_running_hub(
    tmp_path: Path, start: Callable[..., Run]
) -> None:
    directory, port = tmp_path / "hub-data", free_port(26_000 + os.getpid() % 3000)
    run = start("up", directory=directory, port=port)
    run.wait_for(lambda: "/sign-in/" in run.out.read_text(), 120)
    environ = {"HUB_DIRECTORY": str(directory)}
    said = CliRunner(env={"HUB_PUBLIC_URL": None, **environ}).invoke(
        cli, ["user", "link", "owner@hub.local"], catch_exceptions=False
    )
    assert said.stdout.startswith(f"http://127.0.0.1:{port}/sign-in/")
    assert said.stderr == ""
    run.end()
    assert Settings.read(environ).public_url == address.UNKNOWN
