"""`hub bench routing`: engines side by side on known instances, on equal processor time."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from math import inf
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any

import click

from hub.errors import Refused

if TYPE_CHECKING:
    from hub.cli.instances import Instance
    from hub.cli.measuring import Result

SPARE = 0.3
"""Points of gap by which an engine counts as better than another on one instance."""


@click.group("bench")
def bench_command() -> None:
    """Measure what this installation can do."""


@bench_command.command("routing")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--engines",
    default="auto",
    show_default=True,
    help="Engines by name, with commas between them; `auto` is the one that a plan would be made "
    "by, `pyvrp-plain` PyVRP without anything of ours.",
)
@click.option("--seconds", default=10.0, show_default=True, help="Processor time of each search.")
@click.option(
    "--seed",
    "seeds",
    multiple=True,
    type=click.IntRange(0, 2**31 - 1),
    default=(1,),
    show_default=True,
)
@click.option(
    "--best-known", type=float, help="Cost that is known to be best, of one file; else its .sol."
)
@click.option(
    "--round",
    "rounding",
    type=click.Choice(["auto", "round", "trunc", "dimacs", "exact"]),
    default="auto",
    show_default=True,
    help="How distances are made whole; auto: as the set is published.",
)
@click.option("--jobs", default=1, show_default=True, help="Searches at once, a core for each.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line per file and engine.")
def routing(
    files: tuple[Path, ...],
    engines: str,
    seconds: float,
    seeds: tuple[int, ...],
    best_known: float | None,
    rounding: Any,
    jobs: int,
    as_json: bool,
) -> None:
    """Let engines solve instances in VRPLIB or Solomon form, one core each.

    Every plan is checked as those of real days are; the exit code is 1 when one is wrong, or a
    file was refused. The others are measured all the same.
    """
    from hub.cli.measuring import Run, measured, runners
    from hub.plugins import Plugins

    paths = found(files)
    sensible(paths, seconds, jobs, best_known)
    plugins = Plugins()
    names = [name.strip() for name in engines.split(",") if name.strip()]
    runners(plugins, names)
    results: list[Result] = []
    with Counted(len(paths), len(names) * len(seeds)) as counted:
        for path in paths:
            tasks = counted.read(path, rounding, best_known)
            runs = [Run(t, name, seconds, seed) for t in tasks for name in names for seed in seeds]
            for first in range(0, len(runs), jobs):
                some = runs[first : first + jobs]
                for result in measured(plugins, some, counted.begin(some)):
                    counted.clear()
                    results.append(result)
                    click.echo(json.dumps(result.told()) if as_json else line(result))
                    sys.stdout.flush()
    if results and not as_json:
        click.echo("\n" + "\n".join(summary(names, results)))
    counted.tell_refused()
    if counted.refused or not all(result.valid for result in results):
        raise SystemExit(1)


def sensible(paths: Sequence[Path], seconds: float, jobs: int, best: float | None) -> None:
    """Raise `Refused` for numbers with which nothing can be measured."""
    if not 0 < seconds < inf or jobs < 1:
        raise Refused("seconds and jobs have to be more than 0")
    if best is not None and (len(paths) > 1 or not 0 < best < inf):
        raise Refused("--best-known is the cost of one file, more than 0", "best_known")


def found(files: Iterable[Path]) -> list[Path]:
    """Return the files, and of folders the instances in them; a folder without any as it is."""
    paths: list[Path] = []
    for path in files:
        inside = sorted([*path.rglob("*.vrp"), *path.rglob("*.txt")]) if path.is_dir() else []
        paths += inside or [path]
    return paths


class Counted:
    """Says on standard error which search is going on, where somebody may wait for it."""

    def __init__(self, files: int, each: int) -> None:
        self.files, self.each, self.number = files, each, 0
        self.refused: list[str] = []
        self.terminal = sys.stderr.isatty()

    @property
    def count(self) -> int:
        """How many searches there are, as far as is known."""
        return (self.files - len(self.refused)) * self.each

    def __enter__(self) -> Counted:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def read(self, path: Path, rounding: Any, best: float | None) -> list[Instance]:
        """Return the instance in a file; of one that cannot be read say why, and return none."""
        from hub.cli.instances import instance

        try:
            return [instance(path, rounding, best)]
        except (Refused, OSError) as error:
            self.refused.append(path.name)
            click.echo(f"hub: {error}", err=True)
            return []

    def tell_refused(self) -> None:
        """Say at the end which files were refused: a long table hides what was said before it."""
        if self.refused:
            names = ", ".join(self.refused[:5]) + (", ..." if len(self.refused) > 5 else "")
            none = "; nothing was measured" if len(self.refused) == self.files else ""
            said = f"hub: {len(self.refused)} of {self.files} files refused: {names}{none}"
            click.echo(said, err=True)

    def begin(self, runs: Sequence[Any]) -> Any:
        """Say what begins, and return what shows how it goes on."""
        names = ", ".join(f"{run.task.name} by {run.engine}" for run in runs)
        first = self.number + 1
        self.number += len(runs)
        label = f"{first} of {self.count}: {names}"
        if not self.terminal:
            click.echo(label, err=True)

        def show(run: Any, cost: int, left: int, seconds: float) -> None:
            if self.terminal:
                much = f"{run.task.units(cost):,.1f}" + (f", {left} left out" if left else "")
                click.echo(f"\r{label}: {seconds:.0f} s, {much}\033[K", err=True, nl=False)

        return show

    def clear(self) -> None:
        """Leave the line to somebody else."""
        if self.terminal:
            click.echo("\r\033[K", err=True, nl=False)


def line(result: Result) -> str:
    """Return a result for people."""
    gap = "" if result.gap is None else f"{result.gap:+.2f} %"
    wrong = "" if result.valid else f"  WRONG: {result.fault}"
    left = f"  {result.left_out} left out" if result.left_out else ""
    cost = "-" if result.cost is None else f"{result.cost:,.1f}"
    return (
        f"{result.instance:<16} {result.engine:<12} seed {result.seed:<3} {cost:>12} {gap:>9}"
        f"  {result.cpu_seconds:6.1f} s{left}{wrong}"
    )


def summary(names: Sequence[str], results: Sequence[Result]) -> list[str]:
    """Return a line per engine: its mean gap, and on how many instances it is behind the best."""
    best: dict[str, float] = {}
    for one in results:
        if one.gap is not None:
            best[one.instance] = min(one.gap, best.get(one.instance, one.gap))
    lines = []
    for name in names:
        mine = [one for one in results if one.asked == name]
        gaps = [one.gap for one in mine if one.gap is not None]
        behind = {
            o.instance for o in mine if o.gap is not None and o.gap > best[o.instance] + SPARE
        }
        told = f"mean gap {mean(gaps):.2f} % of {len(gaps)}" if gaps else "no gaps known"
        lines.append(
            f"{name:<12} {told}, behind the best by more than {SPARE} points on {len(behind)}, "
            f"{sum(not one.valid for one in mine)} wrong, {sum(o.left_out for o in mine)} left out"
        )
    return lines
