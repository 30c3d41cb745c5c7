"""What follows when a step ends: pure of expressions and, behind a ledger, of the database.

The same moves are made on rows of the database and, in tests of workflows and in replays, on rows
in memory.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from hub.store import RunRow, StepRow
from hub.workflow.program import UNDO, Course, Move, beside, holder

RESCUE = 10_000
"""Number of the first undo or on_error step; those of ordinary steps are below."""
ENDED = ("done", "skipped", "failed", "cancelled")


class Ledger(Protocol):
    """Where the steps of one run are kept."""

    @property
    def now(self) -> datetime:
        """Business time."""

    def row(self, path: str) -> StepRow | None:
        """Return the step of that path, if it was opened."""

    def rows(self) -> list[StepRow]:
        """Return every step that was opened, in the order in which they ended."""

    def open(self, path: str, number: int) -> StepRow:
        """Make a step due, anew if it was there before."""

    def fail(self, error: dict[str, Any]) -> None:
        """Make the run a dead letter and tell about it."""

    def succeed(self) -> None:
        """End the run well."""


class Flow:
    """Takes one run from step to step."""

    def __init__(self, course: Course, run: RunRow, ledger: Ledger) -> None:
        self.course, self.run, self.ledger = course, run, ledger

    def begin(self) -> StepRow:
        """Open the first step."""
        return self.open(self.course.first)

    def open(self, path: str) -> StepRow:
        """Open the step of a row path."""
        return self.ledger.open(path, self.course.number(path))

    def end(
        self,
        row: StepRow,
        state: str,
        output: dict[str, Any] | None = None,
        error: dict[str, Any] | None = None,
    ) -> None:
        """End a step and let its run go on, unless the run has ended by itself meanwhile."""
        row.state, row.ended_at, row.wake_at = state, self.ledger.now, None
        row.started_at = row.started_at or self.ledger.now
        row.output, row.error = output or {}, error or {}
        if row.number >= RESCUE:
            self._next_rescue(row)
            return
        if self.run.state != "running":
            return
        move = self.course.move(row.path)
        if state == "failed" and not move.continue_on_error:
            self._leave(row.path, row.error)
        elif move.following:
            self.open(beside(row.path, move.following))
        else:
            self._leave(row.path, {})

    def enter(self, row: StepRow, move: Move, firsts: list[str]) -> None:
        """Let a block step begin its branches, each named by the path of its first step."""
        row.state, row.started_at = "running", self.ledger.now
        row.output = {"count": len(firsts), "left": len(firsts), "begun": 0, "failures": 0}
        if not firsts:
            self.end(row, "done", row.output)
            return
        most = move.loop.foreach.max_parallel if move.loop else len(firsts)
        self._begin_more(row, move, most, firsts)

    def _begin_more(
        self, row: StepRow, move: Move, count: int, firsts: list[str] | None = None
    ) -> None:
        """Open the next branches of a block, at most `count` of them."""
        begun, total = row.output["begun"], row.output["count"]
        upto = min(begun + count, total)
        for number in range(begun, upto):
            self.open(firsts[number] if firsts else first_of(row.path, move, number))
        row.output = {**row.output, "begun": upto}

    def _leave(self, path: str, error: dict[str, Any]) -> None:
        """Count a branch of a block as ended; the block ends with its last one."""
        above = holder(path)
        if not above:
            self._finish(error)
            return
        row, move = self.ledger.row(above), self.course.move(above)
        if row is None or row.state in ENDED:
            return
        told = {**row.output, "left": row.output["left"] - 1}
        if error:
            told["failures"] += 1
            row.error = row.error or error
        row.output = told
        if move.kind == "foreach":
            self._next_item(row, move)
        if row.output["left"] == 0:
            bad = row.error if row.output["failures"] and not forgiving(move) else {}
            self.end(row, "failed" if bad else "done", row.output, bad)

    def _next_item(self, row: StepRow, move: Move) -> None:
        """Begin one more item of a loop, or drop the rest after a failure that stops it."""
        told = row.output
        if told["failures"] and not forgiving(move):
            dropped = told["count"] - told["begun"]
            left = told["left"] - dropped + told.get("dropped", 0)
            row.output = {**told, "left": left, "dropped": dropped}
        elif told["begun"] < told["count"]:
            self._begin_more(row, move, 1)

    def _finish(self, error: dict[str, Any]) -> None:
        if error:
            self.fail(error)
        else:
            self.ledger.succeed()

    def fail(self, error: dict[str, Any]) -> None:
        """Make the run a dead letter, take back what can be, and begin its on_error steps."""
        self.ledger.fail(error)
        paths = self.rescues()
        if paths:
            self.ledger.open(paths[0], RESCUE)

    def rescues(self) -> list[str]:
        """Return what is done after a failure: undo steps, the latest first, then on_error."""
        done = [row for row in self.ledger.rows() if row.state == "done" and row.number < RESCUE]
        undo = [f"{UNDO}{row.path}" for row in reversed(done) if self._undoable(row.path)]
        return [*undo, *(move.path for move in self.course.on_error)]

    def _undoable(self, path: str) -> bool:
        return self.course.move(path).undo is not None

    def _next_rescue(self, row: StepRow) -> None:
        """Begin the rescue step after this one; one that fails does not hold up the others."""
        paths = self.rescues()
        if row.path in paths and paths.index(row.path) + 1 < len(paths):
            after = paths.index(row.path) + 1
            self.ledger.open(paths[after], RESCUE + after)

    def resume(self, row: StepRow) -> None:
        """Make a failed step due again, and every block around it go on."""
        above = holder(row.path)
        while above:
            block = self.ledger.row(above)
            if block is not None and block.state == "failed":
                block.state, block.error, block.ended_at = "running", {}, None
                told = block.output
                left = told["left"] + 1 + told.get("dropped", 0)
                failures = told["failures"] - 1
                block.output = {**told, "left": left, "failures": failures, "dropped": 0}
            above = holder(above)
        self.ledger.open(row.path, row.number)


def first_of(path: str, move: Move, number: int) -> str:
    """Return the row path of the first step of one branch or item of the block at `path`."""
    if move.loop is not None:
        return f"{path}[{number}].{move.loop.first.rpartition('.')[2]}"
    return f"{path}.{move.sides[number].rpartition('.')[2]}"


def forgiving(move: Move) -> bool:
    """Say whether a loop goes on, and ends well, although items failed."""
    return move.loop is not None and move.loop.foreach.on_item_error == "continue"
