"""`hub workflow test`: run the examples that workflow files bring along, like pytest."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hub.workflow.examples import Outcome
    from hub.workflow.problem import Invalid


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
