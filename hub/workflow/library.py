"""The workflows of a hub: revisions that never change, and the programs made of them."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import func
from sqlmodel import col, select

from hub.access import audit
from hub.errors import Refused
from hub.store import MerchantRow, RevisionRow, Session, WorkflowRow
from hub.store.columns import new_id
from hub.store.once import insert_once
from hub.workflow.checker import check, parse
from hub.workflow.language import Schedule, Workflow
from hub.workflow.panel import Panel
from hub.workflow.problem import Invalid, Problem
from hub.workflow.program import Program
from hub.workflow.yaml_source import read

if TYPE_CHECKING:
    from hub.hub import Hub

log = logging.getLogger(__name__)
Row = tuple[str, str, str | None]
"""A workflow, its revision in force, and the one for others than the merchants of a canary."""


@dataclass(frozen=True)
class Entry:
    """A workflow in force: its revision's program, or why it has none any more."""

    workflow: str
    revision: str
    program: Program | None
    broken: str = ""
    only: frozenset[str] | None = None
    """The merchants of a canary, by slug or id."""
    apart: frozenset[str] = frozenset()
    """Merchants that have a canary of their own."""

    def takes(self, merchant: str | None, slug: str) -> bool:
        """Say whether what happens to a merchant, or to none, is for this revision."""
        if self.only is not None:
            return among(self.only, merchant, slug)
        return not among(self.apart, merchant, slug)


@dataclass(frozen=True)
class Loaded:
    """What became of a folder: workflows whose text was new, all found, and refused files."""

    saved: tuple[str, ...]
    found: frozenset[str]
    refused: tuple[Invalid, ...]


def among(names: Collection[str], merchant: str | None, slug: str) -> bool:
    """Say whether a merchant, given by id and slug, is named by either."""
    return bool(merchant) and (merchant in names or slug in names)


class Library:
    """The programs of one process; a revision is compiled when it is first met."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._programs: dict[str, Program | Invalid] = {}
        self._in_force: dict[Row, list[tuple[tuple[str, ...], Entry]]] = {}
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
            select(WorkflowRow.name, WorkflowRow.revision, WorkflowRow.others)
            .where(col(WorkflowRow.enabled).is_(True), WorkflowRow.revision != "")
            .order_by(WorkflowRow.name)
        )
        rows = tuple((name, now, others) for name, now, others in session.exec(query))
        if rows != self._index[0]:
            self._index, self._panels = (rows, self._indexed(session, rows)), {}
        return self._index[1]

    def panel(self, type: str, entries: list[Entry]) -> Panel:
        """Return the conditions of the index's `entries` for one type, to be asked together."""
        if type not in self._panels:
            self._panels[type] = Panel(type, [entry.program for entry in entries])
        return self._panels[type]

    def entry(
        self, session: Session, type: str, name: str, merchant: str | None = None
    ) -> Entry | None:
        """Return what a type of event starts of a workflow that is on, for a merchant by its id."""
        row = session.get(MerchantRow, merchant) if merchant else None
        slug = row.slug if row is not None else ""
        for found in self.index(session).get(type, []):
            if found.workflow == name and found.takes(merchant, slug):
                return found
        return None

    def _indexed(self, session: Session, rows: tuple[Row, ...]) -> dict[str, list[Entry]]:
        """Return the workflows in force by the type of event that starts them."""
        index: dict[str, list[Entry]] = {}
        for row in rows:
            if row not in self._in_force:
                self._in_force[row] = self._entries(session, *row)
            for events, entry in self._in_force[row]:
                for event in events:
                    index.setdefault(event, []).append(entry)
        return index

    def schedules(self, session: Session) -> list[tuple[str, int, Schedule]]:
        """Return every schedule of the workflows that are switched on, with its place."""
        found = []
        for entry in self.index(session).get("schedule.due", []):
            # A time belongs to no merchant, so a canary has none.
            if entry.program is not None and entry.only is None:
                for number, trigger in enumerate(entry.program.workflow.on):
                    if trigger.schedule is not None:
                        found.append((entry.workflow, number, trigger.schedule))
        return found

    def _entries(
        self, session: Session, name: str, revision: str, others: str | None
    ) -> list[tuple[tuple[str, ...], Entry]]:
        """Return the revision in force with its events, and beside a canary the one for others."""
        events, now = self._entry(session, name, revision)
        if others is None or now.program is None:
            return [(events, now)]
        merchants = frozenset(now.program.workflow.canary)
        found = [(events, replace(now, only=merchants))]
        if others:
            events, rest = self._entry(session, name, others)
            found.append((events, replace(rest, apart=merchants)))
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
    file = check(text, hub.actions, name or "workflow").workflow
    return keep(session, file, text, author=author).workflow


def keep(
    session: Session, file: Workflow, text: str, *, author: str = "", again: bool = True
) -> Saved:
    """Put a text that was checked in force: as a new revision, or as the one that has it already.

    `file` is the text as it was read. With `again` False a text that was saved before is left
    alone, whatever is in force now.
    """
    digest, workflow = sha256(text), file.workflow
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
        put_in_force(session, row, old.id, file, author)
        note(session, workflow, old.number)
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
    put_in_force(session, row, revision.id, file, author)
    note(session, workflow, revision.number)
    return Saved(workflow, revision.number, "new")


def note(session: Session, workflow: str, number: int) -> None:
    """Write down who put a text in force."""
    said = f"put revision {number} of the workflow {workflow} in force"
    audit.note(session, "workflow.saved", workflow, said)


def put_in_force(
    session: Session, row: WorkflowRow, revision: str, file: Workflow, author: str
) -> None:
    """Let a revision be the one that events start from now on; a canary only for its merchants."""
    if not file.canary:
        row.others = None
    elif row.others is None:
        row.others = row.revision
    row.revision, row.put_by, row.put_at = revision, author, session.now


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
            file = check(text, hub.actions, str(path)).workflow
            name = file.workflow
            if name in seen:
                raise Invalid(str(path), [taken(name, seen[name])])
            seen[name] = path.name
            if name not in replaced and store_text(hub, file, text):
                saved.append(name)
        except Invalid as error:
            refused.append(error)
    for one in refused:
        log.error("a workflow file was not loaded:\n%s", one)
    return Loaded(tuple(saved), frozenset(seen), tuple(refused))


def find_file(name: str) -> Path:
    """Return a file by its path, or one that comes with the hub by its workflow's name.

    Raise `Refused` where there is neither.
    """
    path = Path(name)
    if path.is_file():
        return path
    ours = {file.stem: file for file in sorted(shipped().rglob("*.yaml"))}
    if name not in ours:
        raise Refused(f"there is no file {name}; with the hub come {', '.join(ours)}", "file")
    return ours[name]


def read_file(path: Path) -> str:
    """Return the text of a workflow file; raise `Invalid` where it is not UTF-8."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(str(path), [Problem(1, 1, "the file is not UTF-8")]) from None


def taken(name: str, file: str) -> Problem:
    """Return the mistake that two files hold workflows of one name."""
    return Problem(1, 1, f"the workflow '{name}' is already in {file}")


def store_text(hub: Hub, file: Workflow, text: str) -> bool:
    """Save the checked text of a file; return whether it was new."""
    with hub.store.read() as session:
        found = select(RevisionRow.id).where(
            RevisionRow.workflow == file.workflow, RevisionRow.sha256 == sha256(text)
        )
        if session.exec(found).first() is not None:
            return False
    with hub.store.write() as session:
        return keep(session, file, text, author="file", again=False).outcome == "new"


def shipped() -> Path:
    """Return the folder of the workflows that come with the hub, installed or in a checkout."""
    installed = Path(__file__).parent / "shipped"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "workflows"
