"""Start a workflow by its name, as a person asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from hub.errors import Missing, Refused
from hub.events import append
from hub.events.catalogue import WorkflowRequested
from hub.events.facts import RequestFacts
from hub.store import Session, WorkflowRow
from hub.workflow.language import TYPES, Input, Workflow
from hub.workflow.library import library_of
from hub.workflow.problem import suggestion

if TYPE_CHECKING:
    from hub.hub import Hub

Plain = str | int | float | bool


def request(
    hub: Hub,
    session: Session,
    name: str,
    *,
    by: str,
    inputs: dict[str, str] | None = None,
    merchant: str | None = None,
) -> str:
    """Ask for a run of a workflow; `inputs` are texts as a person writes them.

    Return the id of the event that will start it. Raise `Missing` for a workflow that is not there,
    `Refused` for one that is switched off, has no `manual: true` under `on:`, or takes no such
    input.
    """
    file = startable(hub, session, name, "manual", merchant)
    given = {field: read(file.inputs, field, text) for field, text in (inputs or {}).items()}
    return append(
        session,
        WorkflowRequested(
            subject=name,
            merchant_id=merchant,
            request=RequestFacts(workflow=name, by=by, inputs=given),
        ),
    )


def startable(
    hub: Hub,
    session: Session,
    name: str,
    kind: Literal["manual", "webhook"],
    merchant: str | None = None,
) -> Workflow:
    """Return the file of a workflow that is on and has a trigger of a kind, for a merchant (id)."""
    row = session.get(WorkflowRow, name)
    if row is None or not row.revision:
        raise Missing(f"there is no workflow {name[:60]}")
    if not row.enabled:
        raise Refused(f"the workflow {name} is switched off; switch it on first", "workflow")
    entry = library_of(hub).entry(session, TYPES[kind], name, merchant)
    if entry is None:
        raise Refused(f"{name} cannot be started so; add `{kind}: true` under on:", "workflow")
    return library_of(hub).program(session, entry.revision).workflow


def read(known: dict[str, Input], field: str, text: str) -> Plain:
    """Return the value of one input; raise `Refused` naming it where it does not fit."""
    if field not in known:
        raise Refused(f"there is no input '{field}'{suggestion(field, known)}", field)
    kind = known[field].type
    try:
        if kind == "bool":
            return {"true": True, "false": False}[text.strip().lower()]
        if kind == "int":
            return int(text)
        return float(text) if kind == "number" else text
    except (KeyError, ValueError):
        raise Refused(f"{field}: {text[:60]!r} is no {kind}", field) from None
