"""One workflow: its text in an editor, its revisions, and the way back."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request
from flask_login import current_user
from pydantic import BaseModel
from werkzeug.wrappers import Response

from hub.access import audit
from hub.actions import Action
from hub.events.catalogue import catalogue
from hub.store import RevisionRow, Session
from hub.web.admin.workflows import READERS, WRITERS, card, number_of, tally
from hub.web.answers import answer, tagged
from hub.web.bodies import body
from hub.web.context import hub, read, write
from hub.web.policy import allow
from hub.web.security import policy
from hub.workflow import checker, hooks, revisions
from hub.workflow.json_schema import described, first_line
from hub.workflow.library import Saved, keep, library_of
from hub.workflow.problem import Invalid, Problem
from hub.workflow.program import Program
from hub.workflow.schemas import event_shape
from hub.workflow.trace import recent

blueprint = Blueprint("editor", __name__, url_prefix="/admin")
LATEST = 8
"""Runs shown beside the text."""
EMPTY = """\
workflow: my-workflow
description: What it is for, in one sentence
on:
  - event: order.received
steps:
  - id: look
    use: dispatch.flag
    with:
      kind: look
      text: "Order {{ event.order.ref }} has come in"
"""
DEEPEST = 3
"""Fields of fields of an event that the editor offers."""
_NAME = re.compile(r"^workflow:[ \t]*", re.MULTILINE)


class Draft(BaseModel):
    """A text that is being written."""

    text: str
    name: str = ""
    """The workflow that it is to be; empty for a new one."""


@blueprint.get("/new-workflow")
@allow(*WRITERS)
def new() -> Response:
    """Show the editor with a small workflow to begin with."""
    return shown(render(None, EMPTY))


@blueprint.post("/new-workflow")
@allow(*WRITERS)
def add() -> Response:
    """Put a new workflow in force."""
    return saved("")


@blueprint.get("/workflows/<name>")
@allow(*READERS)
def page(name: str) -> Response:
    """Show a workflow: its text, its latest runs and its revisions."""
    with read() as session:
        text = revisions.revision(session, name).text
    return shown(render(name, text))


@blueprint.post("/workflows/<name>")
@allow(*WRITERS)
def save(name: str) -> Response:
    """Put what was written in force as a new revision, unless it has mistakes."""
    return saved(name)


@blueprint.post("/workflows/lint")
@allow(*WRITERS)
def lint() -> Response:
    """Return the mistakes of a text as `[{line, column, message}]`; nothing is stored."""
    draft = body(Draft)
    try:
        checked(draft.text, draft.name)
    except Invalid as error:
        return answer([spot(problem) for problem in error.problems])
    return answer([])


@blueprint.get("/workflow-words")
@allow(*READERS)
def words() -> Response:
    """Return what may stand in a workflow: actions, events with their fields, and keys."""
    return tagged(
        {
            "actions": [action(name, one) for name, one in sorted(hub().actions.items())],
            "events": [
                {
                    "name": kind,
                    "info": first_line(model.__doc__),
                    "fields": list(fields(event_shape(model), "event")),
                }
                for kind, model in sorted(catalogue().items())
            ],
            "keys": keys(),
        }
    )


@blueprint.get("/workflows/<name>/revisions/<int:number>")
@allow(*READERS)
def revision(name: str, number: int) -> str:
    """Show a revision and what it changed in the one before."""
    with read() as session:
        row = revisions.revision(session, name, number)
        before = revisions.revision(session, name, number - 1) if number > 1 else None
        now = revisions.revision(session, name)
    names = (f"revision {number - 1}", f"revision {number}")
    return render_template(
        "admin/revision.html",
        row=row,
        now=now,
        before=before,
        changes=revisions.difference(before.text, row.text, names).splitlines() if before else [],
    )


@blueprint.post("/workflows/<name>/restore")
@allow(*WRITERS)
def restore(name: str) -> Response:
    """Put an older revision in force again."""
    number = number_of(request.form.get("revision", ""))
    try:
        with read() as session:
            revisions.usable(session, hub(), name, number)
        with write() as session:
            revisions.roll_back(session, hub(), name, number, author())
    except Invalid as error:
        said = error.problems[0]
        flash(f"Revision {number} no longer fits: line {said.line}: {said.message}", "bad")
    else:
        flash(f"Revision {number} is in force again. Runs that have begun stay on theirs.", "good")
    return redirect(f"/admin/workflows/{name}")


@blueprint.post("/workflows/<name>/address")
@allow(*WRITERS)
def address(name: str) -> Response:
    """Make the address at which other systems start a workflow, or end it; it is shown once."""
    with write() as session:
        text = revisions.revision(session, name).text
        if request.form.get("end"):
            hooks.close_address(session, name)
            made = ""
        else:
            made = hooks.open_address(hub(), session, name)
        said = f"{'made' if made else 'ended'} the address that starts the workflow {name}"
        audit.note(
            session, "workflow.address_made" if made else "workflow.address_ended", name, said
        )
    if not made:
        flash(f"Nobody can start {name} by its address any more.", "good")
        return redirect(f"/admin/workflows/{name}")
    return shown({**render(name, text), "address": made})


def saved(name: str) -> Response:
    """Save what the form says and go on to the workflow, or show it again with its mistakes."""
    # Browsers end the lines of a form with CR LF; a text that nobody changed has to stay the same.
    text = request.form.get("text", "").replace("\r\n", "\n")
    base = request.form.get("base", "")
    try:
        program = checked(text, name)
    except Invalid as error:
        return shown(render(name or None, text, error.problems, base=base), 422)
    workflow = program.workflow.workflow
    with write() as session:
        other = newer(session, workflow, base)
        if other is None:
            made = keep(session, program.workflow, text, author=author())
    if other is not None:
        return shown(render(name or None, text, other=other, base=other.id), 409)
    flash(told(made), "good")
    return redirect(f"/admin/workflows/{workflow}")


def checked(text: str, name: str) -> Program:
    """Return a text's program; raise `Invalid` for mistakes and for a name that is not `name`."""
    program = checker.check(text, hub().actions, name or "workflow")
    if name and program.workflow.workflow != name:
        found = _NAME.search(text)
        line = text.count("\n", 0, found.start()) + 1 if found else 1
        column = found.end() - found.start() + 1 if found else 1
        message = f"a workflow keeps its name, '{name}'; write another one as a new workflow"
        raise Invalid(name, [Problem(line, column, message)])
    return program


def newer(session: Session, name: str, base: str) -> RevisionRow | None:
    """Return the revision in force where it is not the one that was being edited."""
    known = {row.name: found for row, found in revisions.workflows(session)}.get(name)
    return known if known is not None and known.id != base else None


def told(made: Saved) -> str:
    """Return what became of a text, in a sentence."""
    if made.outcome == "same":
        return f"Nothing had changed; revision {made.number} stays in force."
    again = "again " if made.outcome == "again" else ""
    return f"Saved. Revision {made.number} is {again}in force for whatever happens from now on."


def author() -> str:
    """Return the name under which the reader's revisions are kept."""
    return str(current_user.row.name or current_user.row.email)


def spot(problem: Problem) -> dict[str, int | str]:
    """Return a mistake as the editor takes it."""
    return {"line": problem.line, "column": problem.column, "message": problem.message}


def render(
    name: str | None,
    text: str,
    problems: list[Problem] | None = None,
    *,
    other: RevisionRow | None = None,
    base: str = "",
) -> dict[str, Any]:
    """Return what the page shows: of a workflow, or of a new one."""
    facts: dict[str, Any] = {"name": name, "text": text, "problems": problems or [], "base": base}
    facts.update(other=other, card=None, history=[], runs=[])
    if name is None:
        return facts
    with read() as session:
        row, now = revisions.workflow(session, name), revisions.revision(session, name)
        facts.update(
            card=card(session, row, now, tally(session, [name])[name]),
            now=now,
            put=row,
            **in_force(session, name, now),
            base=base or now.id,
            history=revisions.history(session, name),
            runs=recent(session, workflow=name, limit=LATEST),
        )
    return facts


def in_force(session: Session, name: str, now: RevisionRow) -> dict[str, Any]:
    """Return what the text in force asks the page to show.

    `hook` says whether other systems can start it: `no`, not `yet`, or `yes`; `canary` names the
    merchants that alone have it.
    """
    try:
        file = library_of(hub()).program(session, now.id).workflow
    except Invalid:
        return {"hook": "no", "canary": []}
    hook = "no"
    if any(trigger.webhook for trigger in file.on):
        hook = "yes" if hooks.has_address(session, name) else "yet"
    return {"hook": hook, "canary": file.canary}


def shown(facts: Mapping[str, Any], status: int = 200) -> Response:
    """Return the page; the editor's own style element is let in by a nonce."""
    nonce = secrets.token_urlsafe(16)
    html = render_template("admin/workflow.html", nonce=nonce, **facts)
    response = make_response(html, status)
    own = policy(hub().settings).replace("style-src 'self'", f"style-src 'self' 'nonce-{nonce}'")
    response.headers["Content-Security-Policy"] = own
    return response


def action(name: str, one: Action) -> dict[str, Any]:
    """Return an action with what stands under its `with:`."""
    inputs = [
        {"name": key, "info": found.description or "", "required": found.is_required()}
        for key, found in one.Input.model_fields.items()
    ]
    return {"name": name, "info": described(one), "inputs": inputs}


def fields(shape: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield the dotted fields of a shape."""
    for name, kind in shape.items():
        inner = getattr(kind, "model_fields", None)
        if isinstance(kind, Mapping):
            yield from fields(kind, f"{path}.{name}")
        elif inner is not None and path.count(".") < DEEPEST:
            found = {key: one.annotation for key, one in inner.items()}
            yield from fields(found, f"{path}.{name}")
        else:
            yield f"{path}.{name}"


def keys() -> dict[str, list[str]]:
    """Return the keys that may stand under each word of the language; under '' those at the top."""
    found = {"": checker.words(("",))}
    paths: list[tuple[str, ...]] = [(word,) for word in found[""]]
    while paths:
        path = paths.pop()
        inner = checker.words((*path, ""))
        if inner and path[-1] not in found:
            found[path[-1]] = inner
            paths += [(*path, word) for word in inner]
    return found
