"""`hub workflow runs` and `hub workflow trace`: what workflows have done, as it is stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from hub.cli.terminal import BY, cell, opened, show
from hub.store import RunRow
from hub.workflow.problem import harmless
from hub.workflow.trace import Passed, Trace, lasted, recent, trace

STATES = ("queued", "running", "succeeded", "failed", "cancelled", "skipped")
LONGEST = 400
"""Characters of one value that people are shown; programs get it whole."""


@click.command("runs")
@click.option("--workflow", default="", help="Only of the workflow of that name.")
@click.option("--state", type=click.Choice(STATES), default=None, help="Only in that state.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_runs(workflow: str, state: str | None, limit: int, as_json: bool) -> None:
    """Print the latest runs, newest first."""
    with opened() as hub, hub.store.read(BY) as session:
        rows: list[dict[str, Any]] = [
            {
                **run.model_dump(exclude={"revision", "key"}),
                "revision": number,
                "event": f"{event.type} {event.subject}",
                "took": lasted(run.started_at, run.ended_at),
                "why": why(run),
            }
            for run, number, event in recent(
                session, workflow=workflow, state=state or "", limit=limit
            )
        ]
    if not as_json:
        rows = [{**row, "why": shortened(row["why"], 80)} for row in rows]
    columns = ("id", "workflow", "revision", "state", "started_at", "took", "event", "why")
    show(rows, columns, as_json, "no workflow has run yet" if not (workflow or state) else
         "there is no such run; list all with: hub workflow runs")  # fmt: skip


@click.command("trace")
@click.argument("run")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show_trace(run: str, as_json: bool) -> None:
    """Print what RUN (its id) did step by step: conditions, inputs, outputs, tries, times.

    Personal values are covered as they are stored.
    """
    from hub.workflow.parts import assemble

    with opened() as hub:
        assemble(hub)
        with hub.store.read(BY) as session:
            found = trace(hub, session, run)
    if as_json:
        from pydantic_core import to_json

        click.echo(to_json(found).decode())
        return
    for line in lines(found):
        click.echo(line)


def lines(found: Trace) -> Iterator[str]:
    """Yield a trace line by line."""
    run, event = found.run, found.event
    shadow = ", shadow: nothing was done" if run.mode == "shadow" else ""
    yield f"{run.id}: {run.workflow} revision {found.revision}, {run.state}{shadow}"
    took = lasted(run.started_at, run.ended_at)
    yield f"  began  {cell(run.started_at)}" + (f", took {took}" if took else "")
    yield f"  event  {event.type} about {event.subject}, {event.id}"
    if run.parent:
        yield f"  called by step {run.parent}"
    if run.inputs:
        yield f"  inputs {value(run.inputs)}"
    if why(run):
        yield f"  why    {shortened(why(run))}"
    if not found.steps:
        yield "  It came to no step."
    width = max((len(name(step)) for step in found.steps), default=0)
    for step in found.steps:
        yield from step_lines(step, width)
    if found.missed:
        yield f"  not reached: {', '.join(found.missed)}"


def step_lines(step: Passed, width: int) -> Iterator[str]:
    """Yield one step: a line with its name and end, then what it saw and did."""
    ended = lasted(step.started_at, step.ended_at)
    tried = "" if not step.count else "1 try" if step.count == 1 else f"{step.count} tries"
    does = step.action or (step.kind if step.kind != "use" else "")
    facts = "  ".join(part for part in (does, tried, ended) if part)
    yield f"{step.state:<10}{name(step):<{width}}  {facts}".rstrip()
    pad = " " * (12 + 2 * step.depth)
    if step.condition:
        yield f"{pad}if    {shortened(step.condition)}{verdict(step.held)}"
    for word, given in (("in", step.input), ("out", step.output)):
        if given:
            yield f"{pad}{word:<5} {value(given)}"
    if step.error:
        yield f"{pad}error {step.error.get('kind', '')}: " + shortened(
            str(step.error.get("message", ""))
        )
    if step.state == "waiting":
        yield f"{pad}waits for {step.waits_for or 'its time'} until {cell(step.wake_at)}"
    for one in step.tries:
        said = f": {shortened(one.message)}" if one.message else ""
        took = lasted(one.started_at, one.ended_at)
        yield f"{pad}try {one.number} through {one.item}: {one.outcome} after {took}{said}"


def name(step: Passed) -> str:
    """Return a step's path, moved in by the blocks around it."""
    return "  " * step.depth + step.path


def verdict(held: bool | None) -> str:
    """Return what came of a condition, as far as it is known."""
    return "" if held is None else " -> true" if held else " -> false"


def why(run: RunRow) -> str:
    """Return why a run failed, waits, or was skipped or cancelled."""
    if run.error:
        step = f"{run.error['step']}: " if run.error.get("step") else ""
        return f"{step}{run.error.get('message', '')}"
    return run.reason


def value(given: dict[str, Any]) -> str:
    """Return a stored value in one line."""
    return shortened(json.dumps(given, ensure_ascii=False, default=str))


def shortened(text: str, longest: int = LONGEST) -> str:
    """Return a text in one line of bounded length, safe to print."""
    line = harmless(" ".join(text.split()))
    return line if len(line) <= longest else f"{line[: longest - 3]}..."
