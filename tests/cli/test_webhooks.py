"""Webhooks from the terminal: added, listed without secrets, rotated, sent again."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from hub.cli import cli
from tests.cli.conftest import Command
from tests.outgoing.conftest import Post, Receiver, verified
from tests.outgoing.conftest import post as post  # fixtures, shared
from tests.outgoing.conftest import receiver as receiver


def test_an_endpoint_is_added_listed_rotated_and_sent_a_range_again(
    post: Post, receiver: Receiver, command: Command
) -> None:
    words = ("webhook", "add", receiver.url + "?token=s3cret", "--name", "ERP")
    id, secret = command(*words, "--type", "stop.arrived").stdout.split()
    post.happen("stp_1", times=2)
    post.send()
    assert verified(secret, *receiver.requests[0])
    listed = command("webhook", "list").stdout
    assert id in listed
    assert "ERP" in listed
    (row,) = json.loads(command("webhook", "list", "--json").stdout)
    assert row["types"] == ["stop.arrived"]
    assert "s3cret" not in listed + json.dumps(row)
    fresh = command("webhook", "rotate", id).stdout.strip()
    assert fresh.startswith("whsec_")
    assert fresh != secret
    said = command("webhook", "replay", id, "--after", "1", "--until", "2").stdout
    assert "1 event sent again" in said
    post.send()
    assert verified(fresh, *receiver.requests[-1])
    assert len(receiver.requests) == 3


def test_without_any_it_says_how_to_add_one(command: Command) -> None:
    assert "hub webhook add URL" in command("webhook", "list").stderr


@pytest.mark.parametrize("words", [(), ("--failed", "--until", "3")])
def test_a_replay_says_what_it_needs(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(cli, ["webhook", "replay", "end_1", *words])
    assert result.exit_code == 2
    assert "either --failed or a range" in result.output
