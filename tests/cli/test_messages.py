"""`hub message` and `hub optout`."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from hub.cli import cli
from hub.errors import Missing
from hub.testing.fixtures import World

Command = Callable[..., Result]


def test_a_text_is_counted(command: Command) -> None:
    assert command("message", "segments", "Grüezi").stdout == "1 part, GSM-7, 154 left\n"
    piped = CliRunner().invoke(cli, ["message", "segments"], input="Zoë\n")
    assert piped.stdout == "1 part, UCS-2 because of ë, 67 left\n"


def test_the_list_of_opt_outs_is_kept(command: Command, world: World) -> None:
    said = command("optout", "add", "+41 79 123 45 67", "--merchant", "alpenkraut").stdout
    assert said == "Alpenkraut sends nothing more there\n"
    command("optout", "add", "Anna@Example.com", "--merchant", "alpenkraut")
    rows = json.loads(command("optout", "list", "--json").stdout)
    assert {(row["medium"], row["address"]) for row in rows} == {
        ("email", "anna@example.com"),
        ("sms", "+41791234567"),
    }
    command("optout", "remove", "+41791234567", "--merchant", "alpenkraut")
    assert "+4179" not in command("optout", "list").output
    with pytest.raises(Missing, match="hub optout list"):
        command("optout", "remove", "+41791234567", "--merchant", "alpenkraut")


def test_limits_are_set_one_by_one(command: Command, world: World) -> None:
    def limit(*words: str) -> str:
        return command("message", "limit", "--merchant", "alpenkraut", *words).stdout

    assert limit() == "Alpenkraut: 0 of 500 texts sent today, to CH DE LI\n"
    limit("--daily", "9", "--countries", "LI")
    assert limit("--footer", "Reply STOP") == (
        "Alpenkraut: 0 of 9 texts sent today, to LI\nevery text ends with: Reply STOP\n"
    )


def test_no_messages_are_an_empty_list_to_programs(command: Command) -> None:
    assert command("message", "list", "--json").stdout == "[]\n"
