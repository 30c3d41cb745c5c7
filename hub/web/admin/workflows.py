"""Workflows: which there are, how each one does, and its switch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flask import Blueprint, flash, redirect, render_template, request
from sqlalchemy import func
from sqlmodel import col, select
from werkzeug.wrappers import Response

from hub.access.scope import visible
from hub.errors import Refused
from hub.store import RevisionRow, RunRow, Session, StepRow, WorkflowRow
from hub.web.context import hub, read, write
from hub.web.policy import allow
from hub.workflow import revisions
from hub.workflow.library import library_of
from hub.workflow.problem import Invalid

blueprint = Blueprint("workflows", __name__, url_prefix="/admin/workflows")
READERS = ("owner", "dispatcher", "ops")
WRITERS = ("owner", "ops")
DAY = timedelta(hours=24)
SHOWN = ("succeeded", "failed", "skipped", "running", "waiting", "queued", "cancelled")
"""How a run of the last 24 hours may stand, in the order in which the page counts them."""


@dataclass
class Tally:
    """What has become of the runs of one workflow."""

    day: dict[str, int] = field(default_factory=dict)
    """Runs that began in the last 24 hours, by how they stand."""
    letters: int = 0
    """Failed runs that nobody has seen to, however old."""
    last: datetime | None = None
    """When its latest run began, in business time."""


@dataclass(frozen=True)
class Card:
    """A workflow as the list shows it."""

    name: str
    enabled: bool
    number: int
    """Of the revision in force."""
    description: str
    starts: tuple[str, ...]
    broken: str
    """Why it cannot run any more, or nothing."""
    tally: Tally

    @property
    def health(self) -> tuple[str, str]:
        """The state that colours its chip, and its health in words."""
        letters, day = self.tally.letters, self.tally.day
        if self.broken:
            return "broken", "Cannot run"
        if not self.enabled:
            return "off", "Off"
        if letters:
            return "failed", "Needs you"
        if day.get("waiting") or day.get("running") or day.get("queued"):
            return "running", "At work"
        return ("healthy", "Works") if self.tally.last else ("planned", "Has not run yet")


@blueprint.get("")
@allow(*READERS)
def page() -> str:
    """Show all workflows, those that need somebody first."""
    with read() as session:
        cards = all_cards(session)
    return render_template(
        "admin/workflows.html",
        cards=sorted(cards, key=lambda card: not (card.broken or card.tally.letters)),
        states=SHOWN,
    )


@blueprint.post("/<name>/switch")
@allow(*WRITERS)
def switch(name: str) -> Response:
    """Let events start a workflow, or no more."""
    enabled = request.form.get("enabled") == "yes"
    with write() as session:
        revisions.switch(session, name, enabled)
    rest = "Events start it again." if enabled else "Runs that have begun go on."
    flash(f"{name} is {'on' if enabled else 'off'}. {rest}", "good")
    back = request.form.get("back") == "workflow"
    return redirect(f"/admin/workflows/{name}" if back else "/admin/workflows")


def all_cards(session: Session) -> list[Card]:
    """Return every workflow as the list shows it, by name."""
    found = revisions.workflows(session)
    tallies = tally(session, [row.name for row, _ in found])
    return [card(session, row, known, tallies[row.name]) for row, known in found]


def card(session: Session, row: WorkflowRow, known: RevisionRow, counted: Tally) -> Card:
    """Return one workflow as the list shows it."""
    try:
        file = library_of(hub()).program(session, known.id).workflow
    except Invalid as error:
        said = error.problems[0]
        why = f"line {said.line}: {said.message}"
        return Card(row.name, row.enabled, known.number, "", (), why, counted)
    return Card(
        name=row.name,
        enabled=row.enabled,
        number=known.number,
        description=file.description,
        starts=tuple(dict.fromkeys(trigger.told for trigger in file.on)),
        broken="",
        tally=counted,
    )


def tally(session: Session, names: Sequence[str]) -> dict[str, Tally]:
    """Return what has become of the runs of these workflows, as far as the reader may see."""
    made: dict[str, Tally] = defaultdict(Tally)
    seen = visible(RunRow, session.principal)
    mine = seen & col(RunRow.workflow).in_(names)
    recent = mine & (col(RunRow.started_at) > session.now - DAY)
    waiting = col(RunRow.id).in_(select(StepRow.run).where(StepRow.state == "waiting"))
    latest = select(RunRow.workflow, func.max(RunRow.started_at)).where(mine)
    for name, at in session.exec(latest.group_by(RunRow.workflow)):
        made[name].last = at
    counts = select(RunRow.workflow, RunRow.state, func.count()).group_by(
        RunRow.workflow, RunRow.state
    )
    for name, state, number in session.exec(counts.where(recent)):
        made[name].day[state] = number
    for name, _, number in session.exec(counts.where(recent, RunRow.state == "running", waiting)):
        made[name].day["waiting"] = number
        made[name].day["running"] -= number
    for name, _, number in session.exec(counts.where(mine, RunRow.state == "failed")):
        made[name].letters = number
    return made


def number_of(said: str) -> int:
    """Return a revision's number as a form sent it; raise `Refused` where it is none."""
    if not said.isdecimal() or len(said) > 9:
        raise Refused("name the revision by its number", "revision")
    return int(said)
