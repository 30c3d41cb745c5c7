"""Read what changed in an account: open orders first, then those that were called off."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from hub import Cancelled, Cursor, Order, RefusedRow

Found = Order | Cancelled | RefusedRow


@dataclass(frozen=True)
class Page:
    """One page of a list, oldest change first."""

    records: list[Any]
    changes: list[str]
    """When its records were changed, so written that later is greater."""
    more: bool
    """Whether another page follows."""


class Listing(Protocol):
    """What has orders in pages."""

    opened: str
    """The status of orders that are to be delivered."""
    cancelled: str
    """The status of those that were called off."""

    def page(self, status: str, since: str, number: int) -> Page:
        """Return one page of what has a status and changed since about then."""
        ...

    def read(self, records: list[Any]) -> Iterator[Found]:
        """Yield what records say; one that cannot be read is refused, the rest go on."""
        ...

    def rest(self) -> None:
        """Raise `Retry` where nothing more may be asked just now."""
        ...


@dataclass(frozen=True)
class Reading:
    """How far an account has been read: the last change seen of open and of cancelled orders."""

    opened: str = ""
    cancelled: str = ""

    @classmethod
    def of(cls, cursor: Cursor) -> Reading:
        """Return the reading that a cursor stands for; an empty one starts at the beginning.

        Before there were cancellations the second part was the number of a page.
        """
        opened, _, cancelled = cursor.value.partition("|")
        return cls(opened, cancelled if "T" in cancelled else "")

    def cursor(self) -> Cursor:
        """Return the cursor that stands for this reading."""
        return Cursor(value=f"{self.opened}|{self.cancelled}")


def pull(listing: Listing, cursor: Cursor) -> Iterator[Found | Cursor]:
    """Yield the next page of open orders and its cursor; behind the last, what was called off."""
    reading = Reading.of(cursor)
    newest, more = yield from step(listing, listing.opened, reading.opened)
    # What was called off before the first order was read is nothing to the hub.
    reading = Reading(newest, reading.cancelled or newest)
    yield reading.cursor()
    if more:
        listing.rest()
        return
    if not reading.cancelled:
        return
    newest, more = yield from step(listing, listing.cancelled, reading.cancelled)
    yield replace(reading, cancelled=newest).cursor()
    if more:
        listing.rest()


def step(listing: Listing, status: str, since: str) -> Generator[Found, None, tuple[str, bool]]:
    """Yield records page after page until something newer came or there is no more.

    Return the last change seen, and whether there is more. Pages without anything newer hold what
    is read again on purpose, so that a cursor behind them would lead nowhere.
    """
    number = 1
    while True:
        page = listing.page(status, since, number)
        yield from listing.read(page.records)
        newest = max([*page.changes, since])
        if newest > since or not page.more:
            return newest, page.more
        listing.rest()
        number += 1
