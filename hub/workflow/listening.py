"""Steps that wait for an event, and the event that ends their wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import col, select

from hub.queue import enqueue
from hub.store import EventRow, RunRow, Session, StepRow
from hub.workflow.library import Library
from hub.workflow.pauses import asked, heard, keys, matches
from hub.workflow.problem import Invalid
from hub.workflow.scene import scene

if TYPE_CHECKING:
    from hub.hub import Hub

Ended = dict[str, EventRow]
"""Step id -> the event that it waited for."""


Asked = set[tuple[str, str]]
"""(step id, event id) of what was compared."""


def matched(hub: Hub, library: Library, events: list[EventRow]) -> tuple[Ended, Asked]:
    """Return the waits that these events end, each by the first that fits, and what was asked."""
    with hub.store.read() as session:
        found = {event.id: candidates(session, event) for event in events}
    asked_already: Asked = set()
    return compare(hub, library, events, found, asked_already), asked_already


def late(
    hub: Hub, library: Library, session: Session, events: list[EventRow], asked_already: Asked
) -> Ended:
    """Return the waits that have begun since `matched` looked, and are ended all the same."""
    found = {event.id: candidates(session, event) for event in events}
    return compare(hub, library, events, found, asked_already)


def compare(
    hub: Hub,
    library: Library,
    events: list[EventRow],
    found: dict[str, list[str]],
    asked_already: Asked,
) -> Ended:
    """Ask each waiting step about the events that may be meant, in their order."""
    ended: Ended = {}
    for event in events:
        for step in found[event.id]:
            if step in ended or (step, event.id) in asked_already:
                continue
            asked_already.add((step, event.id))
            if fits(hub, library, step, event):
                ended[step] = event
    return ended


def candidates(session: Session, event: EventRow) -> list[str]:
    """Return the steps that wait for an event of this type and about these ids."""
    query = (
        select(StepRow.id)
        .join(RunRow, col(RunRow.id) == StepRow.run)
        .where(
            StepRow.state == "waiting", StepRow.wait_event == event.type,
            col(StepRow.wait_key).in_(keys(event)),
        )
    )  # fmt: skip
    if event.merchant is not None:
        mine = col(RunRow.merchant).is_(None) | (col(RunRow.merchant) == event.merchant)
        query = query.where(mine)
    return list(session.exec(query.order_by(StepRow.id)))


def fits(hub: Hub, library: Library, step: str, event: EventRow) -> bool:
    """Say whether an event is what a step waits for."""
    try:
        here = scene(hub, library, step)
    except Invalid:
        return False
    with hub.store.read() as session:
        return matches(session, here, asked(here.move), event)


def wake(session: Session, ended: Ended) -> None:
    """Make the steps due whose wait is over."""
    for id, event in ended.items():
        step = session.get_one(StepRow, id, with_for_update={"key_share": True})
        if step.state != "waiting":
            continue
        step.state, step.wake_at, step.output = "pending", None, heard(event)
        session.flush()
        enqueue(session, "step", step.id)
