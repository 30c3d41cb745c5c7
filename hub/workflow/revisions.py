"""What a workflow said before: its revisions, what changed between two, and the way back."""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING

from sqlmodel import col

from hub.access import audit, scoped
from hub.errors import Missing, Refused
from hub.store import RevisionRow, Session, WorkflowRow
from hub.workflow.library import library_of, put_in_force
from hub.workflow.problem import suggestion

if TYPE_CHECKING:
    from hub.hub import Hub


def workflows(session: Session) -> list[tuple[WorkflowRow, RevisionRow]]:
    """Return every workflow with the revision that is in force, by name."""
    rows = session.exec(scoped(session, WorkflowRow).order_by(WorkflowRow.name)).all()
    ids = [row.revision for row in rows]
    found = session.exec(scoped(session, RevisionRow).where(col(RevisionRow.id).in_(ids)))
    revisions = {revision.id: revision for revision in found}
    return [(row, revisions[row.revision]) for row in rows if row.revision in revisions]


def workflow(session: Session, name: str, *, held: bool = False) -> WorkflowRow:
    """Return a workflow, with `held` locked until the transaction ends; raise `Missing`."""
    query = scoped(session, WorkflowRow).where(WorkflowRow.name == name)
    row = session.exec(query.with_for_update() if held else query).one_or_none()
    if row is None:
        names = session.exec(scoped(session, WorkflowRow)).all()
        hint = suggestion(name, [one.name for one in names])
        raise Missing(f"there is no workflow {name[:60]}{hint}")
    return row


def history(session: Session, name: str) -> list[RevisionRow]:
    """Return the revisions of a workflow, newest first; raise `Missing` for an unknown name."""
    row = workflow(session, name)
    query = scoped(session, RevisionRow).where(RevisionRow.workflow == row.name)
    return list(session.exec(query.order_by(col(RevisionRow.number).desc())))


def revision(session: Session, name: str, number: int | None = None) -> RevisionRow:
    """Return a revision by its number, or the one in force; raise `Missing` for none."""
    row = workflow(session, name)
    query = scoped(session, RevisionRow).where(RevisionRow.workflow == row.name)
    wanted = RevisionRow.id == row.revision if number is None else RevisionRow.number == number
    found = session.exec(query.where(wanted)).one_or_none()
    if found is None:
        which = "in force" if number is None else str(number)
        raise Missing(f"the workflow {name} has no revision {which}")
    return found


def revision_before(session: Session, name: str) -> RevisionRow:
    """Return the revision saved before the one in force; raise `Refused` where it is the first."""
    now = revision(session, name)
    if now.number == 1:
        raise Refused(f"the workflow {name} has no revision before 1, which is in force")
    return revision(session, name, now.number - 1)


def difference(old: str, new: str, names: tuple[str, str] = ("before", "after")) -> str:
    """Return what changed from one text to another as a unified diff, empty for equal texts."""
    lines = unified_diff(parts(old), parts(new), *names)
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def parts(text: str) -> list[str]:
    """Return the lines of a text with their ends; only a line feed ends one, as in git."""
    *lines, last = text.split("\n")
    return [f"{line}\n" for line in lines] + ([last] if last else [])


def roll_back(
    session: Session, hub: Hub, name: str, number: int | None = None, author: str = ""
) -> RevisionRow:
    """Put a revision in force again, by default the one before; return it.

    Runs that have begun stay on theirs. Raise `Missing` for a revision that there is not,
    `Refused` for the one in force, `Invalid` for one that no longer fits this hub. Unless this
    process has compiled the revision before, that takes tens of milliseconds; see `usable`.
    """
    row = workflow(session, name, held=True)
    wanted = usable(session, hub, name, number)
    if wanted.id == row.revision:
        raise Refused(f"revision {wanted.number} of {name} is in force already")
    file = library_of(hub).program(session, wanted.id).workflow
    put_in_force(session, row, wanted.id, file, author)
    said = f"put revision {wanted.number} of the workflow {name} in force again"
    audit.note(session, "workflow.restored", name, said)
    return wanted


def usable(session: Session, hub: Hub, name: str, number: int | None = None) -> RevisionRow:
    """Return the revision that `roll_back` would take, compiled; raise as it does.

    Called in a reading session first, it keeps the slow part out of the writing one.
    """
    known = revision_before(session, name) if number is None else revision(session, name, number)
    library_of(hub).program(session, known.id)
    return known


def switch(session: Session, name: str, on: bool) -> WorkflowRow:
    """Let events start a workflow, or no more; runs that have begun go on. Raise `Missing`."""
    row = workflow(session, name, held=True)
    row.enabled = on
    said = f"switched the workflow {name} {'on' if on else 'off'}"
    audit.note(session, "workflow.switched", name, said)
    return row
