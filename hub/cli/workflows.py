"""`hub workflow`: check files, put them in force, compare and take back, look at what ran."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from hub.cli.rehearsals import run_dry, run_replay, run_tests, start_run
from hub.cli.terminal import BY, opened, show, show_link
from hub.cli.traces import list_runs, show_trace
from hub.errors import Refused
from hub.hub import Hub
from hub.store import RevisionRow, RunRow, Session
from hub.workflow import revisions
from hub.workflow.library import Library, find_file, keep, library_of, read_file, taken
from hub.workflow.problem import Invalid

AS_JSON = click.option("--json", "as_json", is_flag=True, help="For programs.")
NONE = "there is no workflow; those that come with the hub are saved when it starts: hub up"


@click.group("workflow")
def workflow_command() -> None:
    """Check, save, compare and follow workflows."""


workflow_command.add_command(list_runs)
workflow_command.add_command(show_trace)
workflow_command.add_command(run_dry)
workflow_command.add_command(run_tests)
workflow_command.add_command(run_replay)
workflow_command.add_command(start_run)


@contextmanager
def assembled() -> Iterator[Hub]:
    """Open the hub of this machine with every action that is installed."""
    from hub.workflow.parts import assemble

    with opened() as hub:
        assemble(hub)
        yield hub


@workflow_command.command("validate")
@click.argument(
    "paths", nargs=-1, required=True, metavar="FILE|FOLDER...",
    type=click.Path(exists=True, path_type=Path),
)  # fmt: skip
@AS_JSON
def validate(paths: tuple[Path, ...], as_json: bool) -> None:
    """Check workflow files against what is installed here; of a folder, every *.yaml.

    Mistakes are printed one a block: file:line:column and what is wrong, the line, and a caret
    under the column. The exit status is 1 if there is any. No database is needed.
    """
    from hub.workflow.checker import check
    from hub.workflow.parts import installed_actions

    actions, seen = installed_actions(), dict[str, Path]()
    files = dict.fromkeys(file for path in paths for file in workflow_files(path))
    bad: list[tuple[Invalid, str]] = []
    for file in files:
        text = ""
        try:
            text = read_file(file)
            name = check(text, actions, str(file)).workflow.workflow
            if name in seen and not seen[name].samefile(file):
                raise Invalid(str(file), [taken(name, str(seen[name]))])
            seen[name] = file
        except Invalid as error:
            bad.append((error, text))
    tell(bad, as_json)
    count = sum(len(error.problems) for error, _ in bad)
    if not as_json:
        said = f"{counted(count, 'mistake')} in {len(bad)} of " if bad else "no mistakes in "
        click.echo(said + counted(len(files), "file"), err=bool(bad))
    if bad:
        raise SystemExit(1)


def workflow_files(path: Path) -> list[Path]:
    """Return a file, or the workflow files of a folder; raise `Refused` where it has none."""
    if path.is_file():
        return [path]
    found = sorted(path.glob("*.yaml"))
    if not found:
        raise Refused(f"there is no *.yaml in {path}")
    return found


def tell(bad: list[tuple[Invalid, str]], as_json: bool) -> None:
    """Print mistakes with the lines of their files, or as one JSON array."""
    if as_json:
        rows = [
            {"file": error.name, "line": one.line, "column": one.column, "message": one.message}
            for error, _ in bad
            for one in error.problems
        ]
        click.echo(json.dumps(rows))
    elif bad:
        click.echo("\n\n".join(error.blocks(text) for error, text in bad))


def counted(number: int, noun: str) -> str:
    """Return `1 file` or `3 files`."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


@contextmanager
def telling(text: str, as_json: bool = False) -> Iterator[None]:
    """Print the mistakes of a text that is refused, and end with status 1."""
    try:
        yield
    except Invalid as error:
        tell([(error, text)], as_json)
        raise SystemExit(1) from None


@workflow_command.command("list")
@AS_JSON
def list_workflows(as_json: bool) -> None:
    """Print the workflows: whether they are on, what is in force, what starts them."""
    with assembled() as hub, hub.store.read(BY) as session:
        library = library_of(hub)
        rows = [
            {
                "name": row.name,
                "revision": found.number,
                "saved_at": found.saved_at,
                "by": found.author,
                **starting(library, session, found, row.enabled),
            }
            for row, found in revisions.workflows(session)
        ]
    show(rows, ("name", "state", "revision", "saved_at", "by", "starts_on"), as_json, NONE)


def starting(library: Library, session: Session, row: RevisionRow, on: bool) -> dict[str, Any]:
    """Return whether a workflow is on, and what starts it; or why it cannot run any more."""
    try:
        file = library.program(session, row.id).workflow
    except Invalid as error:
        return {"state": "broken", "starts_on": f"cannot run: {error.problems[0].message}"}
    return {
        "state": "on" if on else "off",
        "starts_on": ", ".join(dict.fromkeys(trigger.told for trigger in file.on)),
        "description": file.description,
    }


@workflow_command.command("address")
@click.argument("name")
@click.option("--end", is_flag=True, help="Let nobody start it by its address any more.")
def workflow_address(name: str, end: bool) -> None:
    """Make and print the address at which other systems start NAME; the one before ends.

    Only for a workflow with `webhook: true` under on:.
    """
    from hub.workflow import hooks

    with assembled() as hub, hub.store.write(BY) as session:
        if end:
            hooks.close_address(session, revisions.workflow(session, name).name)
            click.echo(f"nobody can start {name} by its address any more")
            return
        made = hooks.open_address(hub, session, name)
    show_link(hub, made)
    click.echo("whoever knows this address can start the workflow; it is not shown again", err=True)


@workflow_command.command("show")
@click.argument("name")
@click.option("--revision", type=click.IntRange(1), help="Its number; by default the one in force.")
def show_workflow(name: str, revision: int | None) -> None:
    """Print the text of workflow NAME, ready to be put into a file."""
    with opened() as hub, hub.store.read(BY) as session:
        row = revisions.revision(session, name, revision)
        now = revisions.revision(session, name)
    state = "in force" if row.id == now.id else f"not in force, revision {now.number} is"
    saved = f"{row.saved_at:%Y-%m-%d %H:%M} UTC by {row.author or 'the hub'}"
    click.echo(f"revision {row.number} of {name}, saved {saved}, {state}", err=True)
    click.echo(row.text, nl=not row.text.endswith("\n"))


@workflow_command.command("history")
@click.argument("name")
@AS_JSON
def show_history(name: str, as_json: bool) -> None:
    """Print the revisions of workflow NAME, newest first."""
    with opened() as hub, hub.store.read(BY) as session:
        now = revisions.revision(session, name)
        rows = [
            {
                "revision": row.number,
                "saved_at": row.saved_at,
                "by": row.author,
                "state": "in force" if row.id == now.id else "",
                "sha256": row.sha256,
            }
            for row in revisions.history(session, name)
        ]
    show(rows, ("revision", "saved_at", "by", "state"), as_json, "")


@workflow_command.command("diff")
@click.argument("target", metavar="NAME|FILE")
@click.argument("old", metavar="[N]", type=click.IntRange(1), required=False)
@click.argument("new", metavar="[M]", type=click.IntRange(1), required=False)
def show_difference(target: str, old: int | None, new: int | None) -> None:
    """Print what changed: in a FILE against what is in force, or between revisions N and M.

    Without M, revision N against the one in force; without N, the one before it.
    """
    if Path(target).suffix or "/" in target:
        if old is not None:
            raise click.UsageError("a file is compared with what is in force; leave the numbers")
        compare_file(Path(target))
        return
    with opened() as hub, hub.store.read(BY) as session:
        one = revisions.revision(session, target, old) if old else None
        before = one or revisions.revision_before(session, target)
        after = revisions.revision(session, target, new)
    print_difference(before.text, after.text, label(before), label(after))


def compare_file(path: Path) -> None:
    """Print what a file would change; raise `Missing` for a workflow that was never saved."""
    from hub.workflow.checker import parse
    from hub.workflow.yaml_source import read

    if not path.is_file():
        raise click.UsageError(f"there is no file {path}")
    text = read_file(path)
    with telling(text):
        name = parse(read(text, str(path))).workflow
    with opened() as hub, hub.store.read(BY) as session:
        row = revisions.revision(session, name)
    print_difference(row.text, text, label(row), str(path))


def label(row: RevisionRow) -> str:
    """Return how a revision is named in a difference."""
    return f"{row.workflow} revision {row.number}"


def print_difference(old: str, new: str, old_name: str, new_name: str) -> None:
    """Print a unified diff, in colours where it is read by a person."""
    colours = {"+": "green", "-": "red", "@": "cyan"}
    found = revisions.difference(old, new, (old_name, new_name))
    if not found:
        click.echo(f"{old_name} and {new_name} are the same", err=True)
    for line in found.splitlines():
        click.secho(line, fg=colours.get(line[:1]))


@workflow_command.command("save")
@click.argument("name", metavar="FILE|NAME")
@click.option("--author", default=BY.user, show_default=True, help="Who is named in its history.")
@AS_JSON
def save_file(name: str, author: str, as_json: bool) -> None:
    """Put the workflow in FILE, or one that comes with the hub by its NAME, in force.

    Events start it from the next one on. It becomes a new revision; a text that was saved before
    gets none, its own is put in force again. Runs that have begun stay on the revision they began
    with.
    """
    from hub.workflow.checker import check

    file = find_file(name)
    with telling("", as_json):
        text = read_file(file)
    with assembled() as hub:
        with telling(text, as_json):
            read = check(text, hub.actions, str(file)).workflow
        with hub.store.write(BY) as session:
            saved = keep(session, read, text, author=author)
    said = {
        "new": "is in force",
        "again": "was saved before and is in force again",
        "same": "is in force already; nothing changed",
    }[saved.outcome]
    facts = {"workflow": read.workflow, "revision": saved.number, "outcome": saved.outcome}
    told = f"revision {saved.number} of {read.workflow} {said}"
    click.echo(json.dumps(facts) if as_json else told)


@workflow_command.command("rollback")
@click.argument("name")
@click.argument("number", metavar="[N]", type=click.IntRange(1), required=False)
def roll_back(name: str, number: int | None) -> None:
    """Put revision N of workflow NAME in force again, by default the one before.

    Runs that have begun stay on theirs. Loading the files at the next start does not undo it.
    """
    with assembled() as hub:
        with hub.store.read(BY) as session:
            now = revisions.revision(session, name)
            wanted = None if number is None else revisions.revision(session, name, number)
            wanted = wanted or revisions.revision_before(session, name)
            with telling(wanted.text):
                revisions.usable(session, hub, name, wanted.number)
        with hub.store.write(BY) as session:
            row = revisions.roll_back(session, hub, name, wanted.number, BY.user)
    click.echo(f"revision {row.number} of {name} is in force again, {now.number} is no more")


@workflow_command.command("on")
@click.argument("name")
def switch_on(name: str) -> None:
    """Let events start workflow NAME."""
    with opened() as hub, hub.store.write(BY) as session:
        revisions.switch(session, name, on=True)
    click.echo(f"{name} is on")


@workflow_command.command("off")
@click.argument("name")
def switch_off(name: str) -> None:
    """Let nothing start workflow NAME any more; runs that have begun go on."""
    from sqlmodel import col, func, select

    with opened() as hub, hub.store.write(BY) as session:
        revisions.switch(session, name, on=False)
        going_on = select(func.count()).where(
            RunRow.workflow == name, col(RunRow.state).in_(("running", "queued"))
        )
        count = session.exec(going_on).one()
    click.echo(f"{name} is off" + (f"; {going(count)}" if count else ""))


def going(count: int) -> str:
    """Return how many runs go on."""
    return f"{counted(count, 'run')} that began before {'goes' if count == 1 else 'go'} on"


@workflow_command.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of workflow files with the installed actions, for editors."""
    from hub.workflow.json_schema import json_schema
    from hub.workflow.parts import installed_actions

    click.echo(json.dumps(json_schema(installed_actions()), indent=2, ensure_ascii=False))
