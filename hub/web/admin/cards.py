"""Connections as cards: how each one stands, what went through it and what waits for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import current_app, url_for
from sqlmodel import col, select

from hub.access import scoped
from hub.connections import pulse
from hub.connections.grants import by_consent
from hub.connections.states import ATTENTION, Standing, standing
from hub.connections.tally import Tally, tallies
from hub.store import ConnectionRow, MerchantRow, Session, WorkRow
from hub.tracking import devices
from hub.web.admin.kinds import KINDS, grade_of, hook_of, kind_title, version_of
from hub.web.context import hub
from hub.workflow import checks, pulls, trackers

OPERATOR = "operator"
"""What the filter calls those that belong to no merchant."""


@dataclass(frozen=True)
class Card:
    """One connection as the list and its own page show it."""

    row: ConnectionRow
    standing: Standing
    kind: str
    """What people call its connector."""
    hook: str
    version: str
    grade: str
    owner: str
    installed: bool
    source: bool
    locates: bool
    """Whether it knows where devices are."""
    strangers: list[str]
    """Devices that it told about and that are no driver's."""
    busy: bool
    """Whether it is being checked or read now."""
    rests_until: datetime | None
    tally: Tally

    @property
    def reconnect(self) -> str:
        """The page on which it gets new credentials: its consent, or its settings."""
        plugin = hub().plugins.owner(self.row.connector)
        by = plugin is not None and by_consent(plugin.connectors[self.row.connector])
        if by and "consent.page" in current_app.view_functions:
            return url_for("consent.page", id=self.row.id)
        return url_for("connections.edit", id=self.row.id)

    @property
    def last(self) -> datetime | None:
        """When anything last happened over it."""
        row = self.row
        known = [at for at in (row.checked_at, row.pulled_at, self.tally.last_at) if at is not None]
        return max(known, default=None)


def all_cards(session: Session) -> list[Card]:
    """Return every connection that the reader may see, oldest first."""
    rows = session.exec(scoped(session, ConnectionRow).order_by(col(ConnectionRow.created_at)))
    return cards_of(session, list(rows))


def cards_of(session: Session, rows: list[ConnectionRow]) -> list[Card]:
    """Return the cards of `rows`."""
    ids = [row.id for row in rows]
    counted = tallies(session, ids)
    busy = running(session, ids)
    merchants = {row.id: row.name for row in session.exec(scoped(session, MerchantRow))}
    return [
        Card(
            row=row,
            standing=standing(hub().connections, session, row),
            kind=kind_title(row.connector),
            hook=hook_of(row.connector),
            version=version_of(row.connector),
            grade=grade_of(row.connector),
            owner=merchants.get(row.merchant or "", "Operator"),
            installed=hub().plugins.owner(row.connector) is not None,
            source=pulls.hands_over(hub(), row),
            locates=locates(row),
            strangers=devices.strangers(hub(), row.id) if locates(row) else [],
            busy=row.id in busy,
            rests_until=pulse.rests(row, session.wall),
            tally=counted[row.id],
        )
        for row in rows
    ]


def locates(row: ConnectionRow) -> bool:
    """Say whether a connection knows where devices are."""
    return trackers.is_source(hub(), row.connector)


def running(session: Session, ids: list[str]) -> set[str]:
    """Return the connections that are being checked or read."""
    query = select(WorkRow.subject).where(
        col(WorkRow.kind).in_([checks.KIND, pulls.KIND]),
        col(WorkRow.subject).in_(ids),
        col(WorkRow.state).in_(["ready", "leased"]),
    )
    return set(session.exec(query))


def groups(cards: list[Card]) -> list[tuple[str, str, list[Card]]]:
    """Return the cards by kind: (hook, its title, cards)."""
    titles = {**KINDS, "": "Not installed any more"}
    found = [(hook, title, [c for c in cards if c.hook == hook]) for hook, title in titles.items()]
    return [(hook, title, group) for hook, title, group in found if group]


def urgent(cards: list[Card]) -> list[Card]:
    """Return those that need somebody, the most urgent first."""
    found = [card for card in cards if card.standing.state in ATTENTION]
    return sorted(found, key=lambda card: ATTENTION.index(card.standing.state))


def chosen(cards: list[Card], asked: Callable[[str], str]) -> list[Card]:
    """Return the cards that fit what the form asks for: state, kind, owner and words."""
    state, kind, owner = asked("state"), asked("kind"), asked("owner")
    words = asked("q").lower().split()
    return [
        card
        for card in cards
        if (not state or card.standing.state == state)
        and (not kind or card.hook == kind)
        and (not owner or (card.row.merchant or OPERATOR) == owner)
        and all(word in f"{card.row.title} {card.kind} {card.owner}".lower() for word in words)
    ]
