"""Open the steps within a step: side by side, for each item of a list, or the chosen way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hub.errors import PluginError, Rejected
from hub.queue.faults import reach
from hub.queue.work import Claim, finish
from hub.store import StepRow
from hub.workflow.flow import Flow, first_of
from hub.workflow.program import Move
from hub.workflow.runs import Book, hold
from hub.workflow.scene import Scene

if TYPE_CHECKING:
    from hub.hub import Hub

MOST_ITEMS = 1000


def open_block(hub: Hub, claim: Claim, here: Scene) -> None:
    """Let a `parallel`, `foreach` or `choose` begin what stands within it."""
    firsts, told = paths(here.step.path, here.move, here.facts, here.data)
    with hub.store.write(here.principal) as session:
        here.stage(session)
        row = session.get_one(StepRow, here.step.id)
        run = hold(session, row.run)
        row.input = here.covered(told)
        Flow(here.course, run, Book(session, run)).enter(row, here.move, firsts)
        reach("before_commit")
        finish(session, claim)


def paths(
    path: str, move: Move, facts: dict[str, Any], data: dict[str, Any]
) -> tuple[list[str], dict[str, Any]]:
    """Return the first steps of what a block begins, and what is kept as its input."""
    if move.kind == "parallel":
        return [first_of(path, move, number) for number in range(len(move.sides))], {}
    if move.kind == "choose":
        return chosen(path, move, data)
    if move.kind == "foreach":
        found = listed(move, facts, data)
        return [first_of(path, move, number) for number in range(len(found))], {"items": found}
    raise PluginError(f"{move.kind} is no block")


def chosen(path: str, move: Move, data: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """Return the first step of the first case that holds, and which case that is."""
    for number, way in enumerate(move.ways):
        if way.condition is None or way.condition.holds(data):
            return [f"{path}.{way.first.rpartition('.')[2]}"], {"case": number}
    return [], {"case": None}


def listed(move: Move, facts: dict[str, Any], data: dict[str, Any]) -> list[Any]:
    """Return the items of a loop; raise `Rejected` for what is no list or too long a one."""
    if move.loop is None:
        return []
    text = move.loop.foreach.in_.strip()
    found = read(facts, text) if move.loop.items is None else move.loop.items.value(data)
    if found is None:
        return []
    if not isinstance(found, list):
        raise Rejected(f"{text} is no list", "in")
    if len(found) > MOST_ITEMS:
        raise Rejected(f"{text} has {len(found)} items; at most {MOST_ITEMS} are gone through")
    return found


def read(facts: dict[str, Any], text: str) -> Any:
    """Return the value of a dotted field, None where it is not there."""
    found: Any = facts
    for part in text.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found
