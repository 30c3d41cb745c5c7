"""The workflows of a hub: revisions that never change, and the programs made of them."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import func
from sqlmodel import col, select

from hub.store import RevisionRow, Session, WorkflowRow
from hub.store.columns import new_id
from hub.store.once import insert_once
from hub.workflow.checker import check, parse
from hub.workflow.language import Schedule
from hub.workflow.panel import Panel
from hub.workflow.problem import Invalid, Problem
from hub.workflow.program import Program
from hub.workflow.yaml_source import read

if TYPE_CHECKING:
    from hub.hub import Hub

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """A workflow in force: its revision's program, or why it has none any more."""

    workflow: str
    revision: str
    program: Program | None
    broken: str = ""


@dataclass(frozen=True)
class Loaded:
    """What became of a folder: workflows whose text was new, all found, and refused files."""

    saved: tuple[str, ...]
    found: frozenset[str]
    refused: tuple[Invalid, ...]


class Library:
    """The programs of one process; a revision is compiled when it is first met."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._programs: dict[str, Program | Invalid] = {}
        self._in_force: dict[tuple[str, str], tuple[tuple[str, ...], Entry]] = {}
        self._index: tuple[tuple[Any, ...], dict[str, list[Entry]]] = ((), {})
        self._panels: dict[str, Panel] = {}

    def program(self, session: Session, revision: str) -> Program:
        """Return the program of a revision; raise `Invalid` where it does not fit this hub."""
        if revision not in self._programs:
            row = session.get_one(RevisionRow, revision)
            try:
                made: Program | Invalid = check(row.text, self.hub.actions, row.workflow)
            except Invalid as error:
                made = error
            self._programs[revision] = made
        found = self._programs[revision]
        if isinstance(found, Invalid):
            raise found
        return found

    def index(self, session: Session) -> dict[str, list[Entry]]:
        """Return the workflows that are switched on, by the type of event that starts them."""
        query = (
            select(WorkflowRow.name, WorkflowRow.revision)
            .where(col(WorkflowRow.enabled).is_(True), WorkflowRow.revision != "")
            .order_by(WorkflowRow.name)
        )
        rows = tuple((name, revision) for name, revision in session.exec(query))
        if rows != self._index[0]:
            self._index, self._panels = (rows, self._indexed(session, rows)), {}
        return self._index[1]

    def panel(self, type: str, entries: list[Entry]) -> Panel:
        """Return the conditions of the index's `entries` for one type, to be asked together."""
        if type not in self._panels:
            self._panels[type] = Panel(type, [entry.program for entry in entries])
        return self._panels[type]

    def _indexed(
        self, session: Session, rows: tuple[tuple[str, str], ...]
    ) -> dict[str, list[Entry]]:
        """Return the workflows in force by the type of event that starts them."""
        index: dict[str, list[Entry]] = {}
        for name, revision in rows:
            if (name, revision) not in self._in_force:
                self._in_force[name, revision] = self._entry(session, name, revision)
            events, entry = self._in_force[name, revision]
            for event in events:
                index.setdefault(event, []).append(entry)
        return index

    def schedules(self, session: Session) -> list[tuple[str, int, Schedule]]:
        """Return every schedule of the workflows that are switched on, with its place."""
        found = []
        for entry in self.index(session).get("schedule.due", []):
            if entry.program is not None:
                for number, trigger in enumerate(entry.program.workflow.on):
                    if trigger.schedule is not None:
                        found.append((entry.workflow, number, trigger.schedule))
        return found

    def _entry(self, session: Session, name: str, revision: str) -> tuple[tuple[str, ...], Entry]:
        try:
            program = self.program(session, revision)
        except Invalid as error:
            log.error("workflow %s can no longer run: %s", name, error)
            return self._events(session, revision), Entry(name, revision, None, str(error))
        return tuple(program.courses), Entry(name, revision, program)

    def _events(self, session: Session, revision: str) -> tuple[str, ...]:
        """Return the events that a broken workflow would have started on, as far as it says."""
        row = session.get_one(RevisionRow, revision)
        try:
            workflow = parse(read(row.text, row.workflow))
        except Invalid:
            return ()
        return tuple({trigger.type for trigger in workflow.on})


def library_of(hub: Hub) -> Library:
    """Return the programs of this process."""
    found: Library = hub.parts.setdefault("workflows", Library(hub))
    return found


@dataclass(frozen=True)
class Saved:
    """What became of a text: a new revision, an old one in force again, or nothing."""

    workflow: str
    number: int
    """Of the revision that holds the text."""
    outcome: Literal["new", "again", "same"]
    """same: nothing changed."""


def save(hub: Hub, session: Session, text: str, *, author: str = "", name: str = "") -> str:
    """Check a workflow's text, put it in force as `keep` does, and return the workflow's name.

    `name` is what mistakes are reported under. Raise `Invalid` for a text with mistakes. A check
    takes tens of milliseconds: a process that has work to do beside it checks first, then keeps.
    """
    workflow = check(text, hub.actions, name or "workflow").workflow.workflow
    return keep(session, workflow, text, author=author).workflow


def keep(
    session: Session, workflow: str, text: str, *, author: str = "", again: bool = True
) -> Saved:
    """Put a text that was checked in force: as a new revision, or as the one that has it already.

    With `again` False a text that was saved before is left alone, whatever is in force now.
    """
    digest = sha256(text)
    insert_once(session, WorkflowRow(name=workflow))
    row = session.exec(
        select(WorkflowRow).where(WorkflowRow.name == workflow).with_for_update()
    ).one()
    old = session.exec(
        select(RevisionRow).where(RevisionRow.workflow == workflow, RevisionRow.sha256 == digest)
    ).first()
    if old is not None:
        if not again or row.revision == old.id:
            return Saved(workflow, old.number, "same")
        row.revision = old.id
        return Saved(workflow, old.number, "again")
    count = session.exec(select(func.count()).where(RevisionRow.workflow == workflow)).one()
    revision = RevisionRow(
        id=new_id("rev"),
        workflow=workflow,
        number=count + 1,
        text=text,
        sha256=digest,
        author=author,
        saved_at=session.now,
    )
    session.add(revision)
    row.revision = revision.id
    return Saved(workflow, revision.number, "new")


def sha256(text: str) -> str:
    """Return the SHA-256 by which two revisions of a workflow are told apart."""
    return hashlib.sha256(text.encode()).hexdigest()


def load_folder(hub: Hub, folder: Path, replaced: frozenset[str] = frozenset()) -> Loaded:
    """Save every `*.yaml` of a folder; a file with mistakes is refused and the rest still load.

    A text that was saved before is left alone: loading the same files at every start undoes
    neither an edit made elsewhere nor a roll-back. Workflows whose names are in `replaced` are
    left out.
    """
    saved, refused = [], []
    seen: dict[str, str] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            text = read_file(path)
            name = check(text, hub.actions, str(path)).workflow.workflow
            if name in seen:
                raise Invalid(str(path), [taken(name, seen[name])])
            seen[name] = path.name
            if name not in replaced and store_text(hub, name, text):
                saved.append(name)
        except Invalid as error:
            refused.append(error)
    for one in refused:
        log.error("a workflow file was not loaded:\n%s", one)
    return Loaded(tuple(saved), frozenset(seen), tuple(refused))


def read_file(path: Path) -> str:
    """Return the text of a workflow file; raise `Invalid` where it is not UTF-8."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(str(path), [Problem(1, 1, "the file is not UTF-8")]) from None


def taken(name: str, file: str) -> Problem:
    """Return the mistake that two files hold workflows of one name."""
    return Problem(1, 1, f"the workflow '{name}' is already in {file}")


def store_text(hub: Hub, workflow: str, text: str) -> bool:
    """Save the checked text of a file; return whether it was new."""
    with hub.store.read() as session:
        found = select(RevisionRow.id).where(
            RevisionRow.workflow == workflow, RevisionRow.sha256 == sha256(text)
        )
        if session.exec(found).first() is not None:
            return False
    with hub.store.write() as session:
        return keep(session, workflow, text, author="file", again=False).outcome == "new"


def shipped() -> Path:
    """Return the folder of the workflows that come with the hub, installed or in a checkout."""
    installed = Path(__file__).parent / "shipped"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "workflows"
