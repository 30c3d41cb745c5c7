"""`hub workflow test|run|replay|start`: what a workflow would do, and asking for a run of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.workflow.facts import masked, private_values

if TYPE_CHECKING:
    from hub.workflow.examples import Outcome
    from hub.workflow.problem import Invalid
    from hub.workflow.rehearsal import Stage
    from hub.workflow.replay import Difference


@click.command("test")
@click.argument(
    "paths", nargs=-1, required=True, metavar="FILE|FOLDER...",
    type=click.Path(exists=True, path_type=Path),
)  # fmt: skip
def run_tests(paths: tuple[Path, ...]) -> None:
    """Run the `tests:` of workflow files; of a folder, of every *.yaml in it.

    Every action is stubbed and nothing is stored or sent. The exit status is 1 if an expectation
    fails or a file has mistakes. No database is needed.
    """
    from hub.workflow.examples import run_file
    from hub.workflow.parts import installed_actions
    from hub.workflow.problem import Invalid

    actions, began = installed_actions(), time.perf_counter()
    outcomes: list[Outcome] = []
    broken: list[Invalid] = []
    for file in files_of(paths):
        try:
            found = run_file(file, actions)
        except Invalid as error:
            broken.append(error)
            click.secho(f"{file} E", fg="red")
            continue
        outcomes += found
        click.echo(f"{file} {dots(found)}")
    failed = report(outcomes, broken)
    passed = sum(not one.faults for one in outcomes)
    summary = f"{passed} passed, {failed} failed in {time.perf_counter() - began:.1f} s"
    click.secho(summary, fg="red" if failed else "green")
    if failed:
        raise SystemExit(1)


def files_of(paths: tuple[Path, ...]) -> list[Path]:
    """Return the files meant, each once."""
    found: dict[Path, None] = {}
    for path in paths:
        found |= dict.fromkeys(sorted(path.rglob("*.yaml")) if path.is_dir() else [path])
    return list(found)


def dots(outcomes: list[Outcome]) -> str:
    """Return one letter per example, or that there is none."""
    return "".join("F" if one.faults else "." for one in outcomes) or "(no tests)"


def report(outcomes: list[Outcome], broken: list[Invalid]) -> int:
    """Print every failed expectation and mistake; return how many examples or files failed."""
    for error in broken:
        click.secho(f"\n{error}", fg="red")
    failed = [one for one in outcomes if one.faults]
    for one in failed:
        click.secho(f"\n{one.file}:{one.line}: {one.name}", fg="red", bold=True)
        for fault in one.faults:
            click.echo(f"    {fault}")
    if failed or broken:
        click.echo()
    return len(failed) + len(broken)


@click.command("replay")
@click.argument("file", type=click.Path(exists=True, path_type=Path, dir_okay=False))
@click.option("--since", default="7d", show_default=True, help="How far back: 12h, 7d ...")
@click.option("--dry", is_flag=True, help="Nothing is written or sent; there is no other way.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--most", default=20, show_default=True, help="Differences that are printed.")
def run_replay(file: Path, since: str, dry: bool, as_json: bool, most: int) -> None:
    """Run an edited workflow over recorded events and print what it would have done otherwise."""
    import json
    from dataclasses import asdict

    from hub.cli.terminal import BY
    from hub.cli.workflows import assembled, telling
    from hub.workflow.library import read_file
    from hub.workflow.replay import replay
    from hub.workflow.words import duration

    try:
        span = duration(since)
    except ValueError as error:
        raise click.BadParameter(f"{since} {error}", param_hint="--since") from None
    text = read_file(file)
    with assembled() as hub, telling(text, as_json):
        found = replay(hub, BY, text, span)
    if as_json:
        click.echo(json.dumps(asdict(found) | {"counts": found.counts()}, default=str))
        return
    tell(found, most)


def tell(found: Difference, most: int) -> None:
    """Print what a replay found: the counts, then each difference with what was and would be."""
    import json

    runs = f"{found.started} runs where there were {found.ran}"
    since = f"{found.since:%Y-%m-%d %H:%M}"
    click.echo(f"{found.workflow}: {found.events} events since {since}, {runs}")
    if found.endless:
        click.echo(f"{found.endless} runs came to no end and are left out")
    click.echo(f"{found.same} actions as they were" if found.same else "no action as it was")
    for action, row in found.counts().items():
        click.echo("  " + action + ": " + ", ".join(f"{n} {word}" for word, n in row.items() if n))
    for item in found.items[:most]:
        where = f"{item.at:%m-%d %H:%M} {item.type} {item.step}"
        click.echo(f"{item.change:<8} {where} ({item.action})")
        for sign, given in (("-", item.before), ("+", item.after)):
            if given is not None:
                click.echo(f"    {sign} {json.dumps(given, ensure_ascii=False)}")
    if len(found.items) > most:
        click.echo(f"... and {len(found.items) - most} more; see --most or --json")


@click.command("run")
@click.argument("file", type=click.Path(exists=True, path_type=Path, dir_okay=False))
@click.option("--dry", is_flag=True, help="Do and store nothing; `hub workflow start` runs it.")
@click.option("--event", help="A recorded event, by its id.")
@click.option(
    "--given", type=click.Path(exists=True, path_type=Path, dir_okay=False),
    help="A file with what stands under `given:` of a test, and `mock:` beside it.",
)  # fmt: skip
def run_dry(file: Path, dry: bool, event: str | None, given: Path | None) -> None:
    """Show the way that one run of a file would take; every action is stubbed."""
    from hub.cli.terminal import BY
    from hub.cli.workflows import assembled, telling
    from hub.workflow.examples import try_out
    from hub.workflow.library import read_file
    from hub.workflow.replay import rerun

    if not dry or (event is None) == (given is None):
        raise click.UsageError("say --dry, and either --event ID or --given FILE")
    text = read_file(file)
    if given is not None:
        from hub.workflow.checker import check
        from hub.workflow.parts import installed_actions

        actions = installed_actions()
        with telling(text):
            check(text, actions, str(file))
        with telling(read_file(given)):
            stage = try_out(file, given, actions)
    else:
        with assembled() as hub, telling(text):
            stage = rerun(hub, BY, text, event or "")
    show_way(stage)


def show_way(stage: Stage | None) -> None:
    """Print the steps of a rehearsed run in the order in which they ended."""
    import json

    if stage is None:
        click.echo("it would not start")
        return
    hidden = private_values(stage.person, stage.link)
    for row in stage.ended:
        line = f"{row.state:<9} {row.path} {stage.actions.get(row.path, '')}".rstrip()
        told = masked(stage.given.get(row.path), hidden)
        click.echo(line if told is None else f"{line} {json.dumps(told, ensure_ascii=False)}")
        if row.error:
            click.echo(f"          {masked(row.error.get('message', ''), hidden)}")
    click.echo(f"the run would be {stage.run.state}")


@click.command("start")
@click.argument("name")
@click.option("--input", "pairs", multiple=True, metavar="NAME=VALUE", help="One of its inputs.")
@click.option("--merchant", help="Run it for this merchant (id).")
def start_run(name: str, pairs: tuple[str, ...], merchant: str | None) -> None:
    """Ask for a run of a workflow that has `manual: true`; a running hub does it."""
    from hub.cli.terminal import BY
    from hub.cli.workflows import assembled
    from hub.workflow.requests import request

    for pair in pairs:
        if "=" not in pair:
            raise click.BadParameter(f"{pair} has no =", param_hint="--input")
    given = dict(pair.split("=", 1) for pair in pairs)
    with assembled() as hub, hub.store.write(BY) as session:
        made = request(hub, session, name, by="command line", inputs=given, merchant=merchant)
    click.echo(f"asked for {name} (event {made}); see: hub workflow runs --workflow {name}")
