"""Which workflows a connection matters to: those whose steps go through it, or that it starts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.actions import Outward
from hub.store import ConnectionRow, MerchantRow, Session
from hub.workflow.library import library_of
from hub.workflow.pulls import hands_over

if TYPE_CHECKING:
    from hub.actions import Action
    from hub.hub import Hub
    from hub.workflow.program import Course, Move

ARRIVALS = ("order.received", "order.needs_address")
"""What an order from a source tells first."""


@dataclass(frozen=True)
class Use:
    """One workflow in force, and what it has to do with a connection."""

    workflow: str
    steps: tuple[str, ...] = ()
    """The steps that go through the connection, by their names in the file."""
    starts: tuple[str, ...] = ()
    """The events of an order that comes in here, and that start it."""


def uses(hub: Hub, session: Session, row: ConnectionRow) -> list[Use]:
    """Return the workflows in force that use a connection of this kind, by name."""
    merchant = session.get(MerchantRow, row.merchant) if row.merchant else None
    slug = merchant.slug if merchant is not None else ""
    source = hands_over(hub, row)
    steps: dict[str, list[str]] = {}
    starts: dict[str, list[str]] = {}
    for event, entries in library_of(hub).index(session).items():
        for entry in entries:
            if entry.program is None or not (entry.takes(row.merchant, slug) or not row.merchant):
                continue
            if source and event in ARRIVALS:
                starts.setdefault(entry.workflow, []).append(event)
            for move in moves(entry.program.courses[event]):
                if move.action is not None and goes_through(hub, move.action, row):
                    steps.setdefault(entry.workflow, []).append(move.path)
    return [
        Use(name, tuple(dict.fromkeys(steps.get(name, ()))), tuple(sorted(starts.get(name, ()))))
        for name in sorted({*steps, *starts})
    ]


def moves(course: Course) -> Iterator[Move]:
    """Yield every step of a course: undo steps, `else` actions and on_error steps too."""
    for move in (*course.moves.values(), *course.on_error):
        yield move
        if move.otherwise is not None:
            yield move.otherwise
        if move.undo is not None:
            yield move.undo


def goes_through(hub: Hub, action: Action, row: ConnectionRow) -> bool:
    """Say whether an action calls a connection of this kind, as far as its settings let it."""
    plugin = hub.plugins.owner(row.connector)
    if plugin is None:
        return False
    kind = plugin.connectors[row.connector]
    if action.method:
        return hasattr(kind, action.method)
    if action.medium and kind.medium != action.medium:
        return False
    if action.hooks:
        kinds = plugin.kinds.get(row.connector, set()) & set(action.hooks)
        return any(hub.connections.serves(row, hook) for hook in kinds)
    return isinstance(action, Outward) and action.name in plugin.actions


def rival(hub: Hub, session: Session, row: ConnectionRow) -> str | None:
    """Return the title of the connection that messages go through instead of `row`, if any.

    A message goes through one channel: the merchant's own before the operator's, the oldest first.
    """
    hooks = hub.plugins.owner(row.connector)
    if hooks is None or "notification_channels" not in hooks.kinds.get(row.connector, set()):
        return None
    medium = hooks.connectors[row.connector].medium
    first = hub.connections.find(session, "notification_channels", row.merchant, medium=medium)
    return first[0].title if first and first[0].id != row.id else None
