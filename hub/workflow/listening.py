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
        found = candidates(session, events)
    asked_already: Asked = set()
    return compare(hub, library, events, found, asked_already), asked_already


def late(
    hub: Hub, library: Library, session: Session, events: list[EventRow], asked_already: Asked
) -> Ended:
    """Return the waits that have begun since `matched` looked, and are ended all the same."""
    found = candidates(session, events)
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
        for step in found.get(event.id, ()):
            if step in ended or (step, event.id) in asked_already:
                continue
            asked_already.add((step, event.id))
            if fits(hub, library, step, event):
                ended[step] = event
    return ended


def candidates(session: Session, events: list[EventRow]) -> dict[str, list[str]]:
    """Return, by event, the steps that wait for one of its type and about its ids."""
    waited = select(StepRow.wait_event).where(
        StepRow.state == "waiting", col(StepRow.wait_event).in_({event.type for event in events})
    )
    # Mostly nobody waits, and asking for that is much quicker than asking about every id.
    types = set(session.exec(waited.distinct())) if events else set()
    if not types:
        return {}
    about = {event.id: keys(event) for event in events if event.type in types}
    query = (
        select(StepRow.id, StepRow.wait_event, StepRow.wait_key, RunRow.merchant)
        .join(RunRow, col(RunRow.id) == StepRow.run)
        .where(
            StepRow.state == "waiting", col(StepRow.wait_event).in_(types),
            col(StepRow.wait_key).in_({key for found in about.values() for key in found}),
        )
    )  # fmt: skip
    waiting: dict[tuple[str, str], list[tuple[str, str | None]]] = {}
    for step, type, key, merchant in session.exec(query.order_by(StepRow.id)):
        waiting.setdefault((type, key), []).append((step, merchant))
    return {
        event.id: sorted(
            step
            for key in about.get(event.id, ())
            for step, merchant in waiting.get((event.type, key), ())
            if event.merchant is None or merchant in (None, event.merchant)
        )
        for event in events
    }


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
