"""Workflows are checked, saved, compared and taken back from the terminal."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft7Validator

from hub.cli import cli
from hub.errors import Missing, Refused
from hub.events import append, number
from hub.events.catalogue import OrderReceived
from hub.events.facts import CustomerFacts, MerchantFacts, OrderFacts
from hub.hub import Hub
from hub.queue import enqueue, entry
from hub.queue.leader import lead
from hub.store import System
from hub.testing.fixtures import World
from hub.testing.patience import PATIENCE
from hub.workflow.checker import parse
from hub.workflow.library import keep
from hub.workflow.parts import assemble
from hub.workflow.yaml_source import read

Command = Callable[..., Result]

GOOD = """\
workflow: greet
description: A flag per order
on:
  - event: order.received
    if: event.seq > 100
  - schedule: {cron: "0 6 * * *", tz: Europe/Vaduz}
steps:
  - id: flag
    use: dispatch.flag
    with: {kind: seen, text: "Look at it"}
"""
SMALL = """\
workflow: small
on: [{event: order.received}]
steps:
  - id: flag
    use: dispatch.flag
    with: {kind: seen, text: "Call {{ event.customer.name }}"}
  - id: never
    if: event.order.total_minor < 0
    use: dispatch.flag
    with: {kind: seen, text: never}
  - parallel:
      - id: other
        use: dispatch.flag
        with: {kind: other, text: other}
      - id: rest
        delay: 1h
  - id: last
    use: dispatch.flag
    with: {kind: last, text: last}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a workflow file without mistakes."""
    path = tmp_path / "greet.yaml"
    path.write_text(GOOD)
    return path


def fails(*words: str) -> Result:
    """Run a command that ends with status 1."""
    result = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert result.exit_code == 1, result.output
    return result


def comes(hub: Hub, merchant: str) -> None:
    """Let an order be received, and everything happen that is due."""
    order = OrderFacts(id="ord_1", ref="1001", total_minor=12000)
    with hub.store.write(System()) as session:
        append(session, OrderReceived(
            subject=order.id, merchant_id=merchant, order=order,
            merchant=MerchantFacts(id=merchant, name="Alpenkraut"),
            customer=CustomerFacts(name="Rosa Beck", phone="+4232345678"),
        ))  # fmt: skip
    token = lead(hub.store, "dispatcher", "test")
    assert token is not None
    with hub.store.write(System()) as session:
        number(session, token)
        enqueue(session, "evaluate", "events")
    while sum(entry.run(hub, queue, "test") for queue in ("fast", "outward")):
        pass


@pytest.fixture
def ran(hub: Hub, world: World, command: Command, tmp_path: Path) -> str:
    """Return the id of a run that did one step, skipped one and waits within a block."""
    (tmp_path / "small.yaml").write_text(SMALL)
    command("workflow", "save", str(tmp_path / "small.yaml"))
    assemble(hub)
    comes(hub, world.merchant)
    ((run,),) = [json.loads(command("workflow", "runs", "--json").stdout)]
    return str(run["id"])


def test_a_file_is_checked_without_any_database(file: Path, tmp_path: Path) -> None:
    keep = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    nowhere = tmp_path / "no" / "hub"
    done = subprocess.run(
        [sys.executable, "-m", "hub", "workflow", "validate", str(file)],
        capture_output=True, text=True, timeout=3 * PATIENCE,
        env={**keep, "HUB_DIRECTORY": str(nowhere), "HUB_DATABASE_URL": "postgresql://x:1/x"},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "no mistakes in 1 file\n"), done.stderr
    assert not nowhere.exists()


def test_every_mistake_is_a_block_with_its_line_and_a_caret(file: Path) -> None:
    file.write_text(
        GOOD.replace("event.seq", "event.sequ").replace("dispatch.flag", "dispatch.flg")
    )
    done = fails("workflow", "validate", str(file))
    first, second = done.stdout.rstrip("\n").split("\n\n")
    assert first.split("\n") == [
        f"{file}:5:15: event has no field 'sequ'; did you mean 'seq'?",
        "      if: event.sequ > 100",
        "                ^",
    ]
    assert second.startswith(f"{file}:9:10: there is no action 'dispatch.flg'; did you mean")
    assert done.stderr == "2 mistakes in 1 of 1 file\n"


def test_programs_get_the_mistakes_as_one_array(file: Path, tmp_path: Path) -> None:
    file.write_text(GOOD.replace("steps:", "stpes:"))
    rows = json.loads(fails("workflow", "validate", "--json", str(tmp_path)).stdout)
    assert {tuple(row) for row in rows} == {("file", "line", "column", "message")}
    assert [(row["file"], row["line"]) for row in rows] == [(str(file), 1), (str(file), 7)]


def test_programs_get_an_empty_array_for_files_without_mistakes(
    command: Command, file: Path
) -> None:
    assert json.loads(command("workflow", "validate", "--json", str(file)).stdout) == []


def test_two_files_of_one_name_are_a_mistake(file: Path, tmp_path: Path) -> None:
    (tmp_path / "later.yaml").write_text(GOOD)
    said = fails("workflow", "validate", str(tmp_path)).stdout
    assert f"later.yaml:1:1: the workflow 'greet' is already in {file}" in said


def test_a_folder_without_workflows_is_no_success(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"there is no \*\.yaml"):
        fails("workflow", "validate", str(tmp_path))


def test_a_saved_file_is_listed_with_what_starts_it(command: Command, file: Path) -> None:
    said = command("workflow", "save", str(file), "--author", "Mia").stdout
    assert said == "revision 1 of greet is in force\n"
    (row,) = json.loads(command("workflow", "list", "--json").stdout)
    assert (row["name"], row["state"], row["by"]) == ("greet", "on", "Mia")
    assert row["starts_on"] == "order.received, 0 6 * * * (Europe/Vaduz)"


def test_one_that_comes_with_the_hub_is_saved_by_its_name(command: Command) -> None:
    said = command("workflow", "save", "late-apology").stdout
    assert said == "revision 1 of late-apology is in force\n"
    with pytest.raises(Refused, match=r"no file late-apologie; with the hub come .*late-apology"):
        fails("workflow", "save", "late-apologie")


def test_a_file_with_mistakes_is_not_saved(command: Command, file: Path) -> None:
    file.write_text(GOOD.replace("dispatch.flag", "dispatch.flg"))
    assert "\n      use: dispatch.flg\n" in fails("workflow", "save", str(file)).stdout
    assert "there is no workflow" in command("workflow", "list").stderr


def test_a_text_that_was_saved_before_is_put_in_force_again(command: Command, file: Path) -> None:
    command("workflow", "save", str(file))
    changed = file.with_name("changed.yaml")
    changed.write_text(GOOD.replace("> 100", "> 200"))
    command("workflow", "save", str(changed))
    again = command("workflow", "save", str(file)).stdout
    assert again == "revision 1 of greet was saved before and is in force again\n"
    assert "nothing changed" in command("workflow", "save", str(file)).stdout


@pytest.fixture
def edited(command: Command, file: Path) -> Path:
    """Return a file whose workflow has two revisions; it holds the second."""
    command("workflow", "save", str(file), "--author", "Mia")
    file.write_text(GOOD.replace("> 100", "> 200"))
    command("workflow", "save", str(file), "--author", "Ben")
    return file


def test_the_difference_to_the_revision_before_is_shown(command: Command, edited: Path) -> None:
    said = command("workflow", "diff", "greet").stdout
    assert said.startswith("--- greet revision 1\n+++ greet revision 2\n")
    assert "-    if: event.seq > 100\n+    if: event.seq > 200\n" in said


def test_two_revisions_are_compared_in_the_order_that_is_asked_for(
    command: Command, edited: Path
) -> None:
    said = command("workflow", "diff", "greet", "2", "1").stdout
    assert said.startswith("--- greet revision 2\n+++ greet revision 1\n")


def test_a_file_is_compared_with_what_is_in_force(command: Command, edited: Path) -> None:
    assert "are the same" in command("workflow", "diff", str(edited)).stderr
    edited.write_text(GOOD.replace("> 100", "> 300"))
    said = command("workflow", "diff", str(edited)).stdout
    assert "-    if: event.seq > 200\n+    if: event.seq > 300\n" in said


def test_rolling_back_takes_one_command(command: Command, edited: Path) -> None:
    said = command("workflow", "rollback", "greet").stdout
    assert said == "revision 1 of greet is in force again, 2 is no more\n"
    rows = json.loads(command("workflow", "history", "greet", "--json").stdout)
    assert [(row["revision"], row["by"], row["state"]) for row in rows] == [
        (2, "Ben", ""), (1, "Mia", "in force"),
    ]  # fmt: skip
    assert command("workflow", "show", "greet").stdout == GOOD


@pytest.fixture
def outdated(hub: Hub, command: Command, file: Path) -> str:
    """Return a text in force whose action is not installed; the one saved before can run."""
    text = GOOD.replace("dispatch.flag", "gone.flag")
    command("workflow", "save", str(file))
    with hub.store.write(System()) as session:
        keep(session, parse(read(text)), text)
    return text


def test_a_workflow_that_can_no_longer_run_is_listed_with_the_reason(
    command: Command, outdated: str
) -> None:
    (row,) = json.loads(command("workflow", "list", "--json").stdout)
    assert row["state"] == "broken"
    assert row["starts_on"].startswith("cannot run: there is no action 'gone.flag'")


def test_a_revision_that_can_no_longer_run_is_not_put_in_force(
    command: Command, outdated: str
) -> None:
    command("workflow", "rollback", "greet")
    said = fails("workflow", "rollback", "greet", "2").stdout
    assert said.startswith("greet:9:10: there is no action 'gone.flag'")
    assert "\n      use: gone.flag\n           ^\n" in said
    assert command("workflow", "show", "greet").stdout == GOOD


def test_a_revision_that_is_not_in_force_can_be_read(command: Command, edited: Path) -> None:
    shown = command("workflow", "show", "greet", "--revision", "1")
    assert shown.stdout == GOOD
    assert "by Mia, not in force, revision 2 is" in shown.stderr


def test_a_workflow_is_switched_off_and_on(command: Command, edited: Path) -> None:
    for word in ("off", "on"):
        assert command("workflow", word, "greet").stdout == f"greet is {word}\n"
        (row,) = json.loads(command("workflow", "list", "--json").stdout)
        assert row["state"] == word


def test_switching_off_says_what_still_runs(command: Command, ran: str) -> None:
    said = command("workflow", "off", "small").stdout
    assert said == "small is off; 1 run that began before goes on\n"


def test_a_name_that_is_nearly_right_is_answered_with_the_right_one(
    command: Command, edited: Path
) -> None:
    with pytest.raises(Missing, match="there is no workflow gret; did you mean 'greet'"):
        command("workflow", "rollback", "gret")


def test_the_commands_that_the_documents_name_take_a_workflow_there_and_back(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "writing-workflows.md").read_text()
    lines = [shlex.split(line)[1:] for line in page.splitlines() if line.startswith("    hub ")]
    assert len(lines) == 12
    monkeypatch.chdir(tmp_path)
    text = page.split("```yaml\n")[1].split("```")[0]
    Path("order-flagged.yaml").write_text(text + "# first\n")
    command("workflow", "save", "order-flagged.yaml")
    Path("order-flagged.yaml").write_text(text)
    said = [command(*words).stdout for words in lines if words[-1] != "RUN"]
    assert said[0] == "no mistakes in 1 file\n"
    assert "-# first\n" in said[1]
    assert said[2] == "revision 2 of order-flagged is in force\n"
    assert "revision 1 of order-flagged is in force again, 2 is no more\n" in said
    mistake = page.split("block:\n\n")[1].split("\n\nThe exit")[0]
    Path("order-flagged.yaml").write_text(text.split("\n", 1)[1].replace("total", "totl"))
    shown = textwrap.dedent(fails("workflow", "validate", "order-flagged.yaml").stdout)
    assert shown.rstrip("\n") == textwrap.dedent(mistake)


def test_the_schema_is_printed_for_editors(command: Command) -> None:
    schema = json.loads(command("workflow", "schema").stdout)
    Draft7Validator.check_schema(schema)
    assert schema["$schema"].endswith("draft-07/schema#")


def test_runs_are_listed_by_workflow_and_state(command: Command, ran: str) -> None:
    (row,) = json.loads(command("workflow", "runs", "--state", "running", "--json").stdout)
    assert (row["id"], row["workflow"], row["revision"]) == (ran, "small", 1)
    assert row["event"] == "order.received ord_1"
    assert "no such run" in command("workflow", "runs", "--workflow", "other").stderr


def test_before_anything_ran_that_is_said(command: Command) -> None:
    assert command("workflow", "runs").stderr == "no workflow has run yet\n"


def test_a_trace_shows_each_step_with_what_it_saw_and_did(command: Command, ran: str) -> None:
    said = command("workflow", "trace", ran).stdout
    heads = [line.split()[:2] for line in said.splitlines() if line[:1] != " "]
    assert heads == [
        [f"{ran}:", "small"], ["done", "flag"], ["skipped", "never"], ["running", "parallel1"],
        ["done", "parallel1.other"], ["waiting", "parallel1.rest"],
    ]  # fmt: skip
    assert "if    event.order.total_minor < 0 -> false" in said
    assert "waits for its time until 2026-11-23 08:00 UTC" in said
    assert "not reached: last" in said


def test_a_trace_covers_what_is_personal(command: Command, ran: str) -> None:
    for more in ((), ("--json",)):
        said = command("workflow", "trace", ran, *more).stdout
        assert "Call •••" in said
        assert "Rosa" not in said


def test_a_trace_for_programs_holds_steps_and_tries(command: Command, ran: str) -> None:
    found = json.loads(command("workflow", "trace", ran, "--json").stdout)
    flag = found["steps"][0]
    assert (flag["path"], flag["action"], flag["count"]) == ("flag", "dispatch.flag", 1)
    assert (found["revision"], found["missed"]) == (1, ["last"])


def test_a_run_that_there_is_not_is_named(command: Command) -> None:
    with pytest.raises(Missing, match="there is no run run_x"):
        command("workflow", "trace", "run_x")


def test_the_address_of_a_workflow_is_printed_once(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "hooked.yaml"
    file.write_text(GOOD.replace("on:\n", "on:\n  - webhook: true\n", 1))
    command("workflow", "save", str(file))
    first, second = (command("workflow", "address", "greet").stdout for _ in range(2))
    assert first != second
    assert "/hooks/workflow/greet/" in first
    assert "nobody can start greet" in command("workflow", "address", "greet", "--end").stdout


def test_a_workflow_without_a_webhook_has_no_address(command: Command, file: Path) -> None:
    command("workflow", "save", str(file))
    with pytest.raises(Refused, match="add `webhook: true` under on:"):
        fails("workflow", "address", "greet")
