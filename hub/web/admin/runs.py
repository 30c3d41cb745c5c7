"""Runs: what each workflow did, step by step, while it does it and afterwards."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, current_app, render_template, request
from sqlmodel import col

from hub.access import scoped
from hub.errors import Refused
from hub.store import ConnectionRow
from hub.web.admin.workflows import READERS
from hub.web.context import hub, read
from hub.web.policy import allow
from hub.workflow import revisions
from hub.workflow.trace import Passed, lasted, recent, trace

blueprint = Blueprint("runs", __name__, url_prefix="/admin/runs")
STATES = ("queued", "running", "succeeded", "failed", "skipped", "cancelled")
LIVE = ("queued", "running")
SHOWN = 100


@blueprint.get("")
@allow(*READERS)
def page() -> str:
    """Show the latest runs, of one workflow or in one state where the address says so."""
    workflow, state = request.args.get("workflow", ""), request.args.get("state", "")
    if state and state not in STATES:
        raise Refused(f"{state[:30]!r} is no state of a run; choose {', '.join(STATES)}", "state")
    with read() as session:
        rows = recent(session, workflow=workflow, state=state, limit=SHOWN)
        names = [row.name for row, _ in revisions.workflows(session)]
    return render_template(
        "admin/runs.html",
        rows=rows, names=names, states=STATES, workflow=workflow, state=state, shown=SHOWN,
        lasted=lasted,
    )  # fmt: skip


@blueprint.get("/<id>")
@allow(*READERS)
def show(id: str) -> str:
    """Show what a run did."""
    return render_template("admin/run.html", **facts(id))


@blueprint.get("/<id>/trace")
@allow(*READERS)
def live(id: str) -> str:
    """Show the trace alone, while the run goes on."""
    return render_template("admin/_trace.html", **facts(id))


def facts(id: str) -> dict[str, Any]:
    """Return what the page of a run shows."""
    with read() as session:
        found = trace(hub(), session, id)
        used = {one.item for step in found.steps for one in step.tries}
        rows = session.exec(scoped(session, ConnectionRow).where(col(ConnectionRow.id).in_(used)))
        titles = {row.id: row.title for row in rows}
    return {
        "titles": titles,
        "found": found,
        "run": found.run,
        "live": found.run.state in LIVE,
        "lasted": lasted,
        "pretty": pretty,
        "waits": waits,
    }


def waits(step: Passed) -> str:
    """Return for what a waiting step waits, and until when."""
    short = current_app.jinja_env.filters["short"]
    until = f" until {short(step.wake_at)}" if step.wake_at else ""
    return f"waits for {step.waits_for}{until}" if step.waits_for else f"waits{until}"


def pretty(value: Any) -> str:
    """Return a stored value as people read it."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)
