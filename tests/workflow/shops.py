"""A shop that sends by itself, for the tests of what becomes of that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlmodel import select

from hub.nouns import Delivery, Incoming
from hub.queue.work import Claim, hold
from hub.store import (
    ActivityRow,
    ConnectionRow,
    InboxRow,
    OrderRow,
    RejectedRow,
    System,
    WorkRow,
)
from hub.testing.receivers import signed
from hub.workflow import incoming

from .conftest import Toys


class Shop:
    """A connection to which something was delivered."""

    def __init__(self, toys: Toys, merchant: str | None) -> None:
        self.toys, self.hub = toys, toys.hub
        with toys.hub.store.write(System()) as session:
            self.id = toys.hub.connections.save(session, "bell", {}, merchant=merchant).id

    @property
    def row(self) -> ConnectionRow:
        (found,) = self.toys.rows(ConnectionRow, id=self.id)
        return found

    def deliver(self, *items: Any, **headers: str) -> str:
        """Keep a delivery as the web process does; return its id."""
        body, said = signed(*items, **headers)
        return self.keep(Incoming(body=body, headers=said, at=self.hub.store.clock.wall()))

    def keep(self, request: Incoming) -> str:
        kept = incoming.kept(self.hub.keys, self.row, request, Delivery(topic="t"))
        with self.hub.store.write() as session:
            incoming.write(session, [kept])
        return self.toys.rows(InboxRow, source=self.id)[-1].id

    def states(self) -> list[int]:
        """Return the states of all deliveries, oldest first."""
        return [row.status for row in self.toys.rows(InboxRow, source=self.id)]

    def log(self) -> list[tuple[str, str]]:
        """Return how the deliveries ended, oldest first."""
        rows = self.toys.rows(ActivityRow, connection=self.id, what="delivery")
        return [(row.outcome, row.text) for row in rows]

    def rejected(self, state: str = "open") -> list[RejectedRow]:
        return self.toys.rows(RejectedRow, connection=self.id, state=state)

    def claim(self, *, lost: bool) -> Claim:
        """Claim the work that waits, as a worker does whose predecessor may have died."""
        with self.hub.store.write() as session:
            row = session.exec(select(WorkRow).where(WorkRow.kind == incoming.KIND)).one()
            row.state = "leased" if lost else "ready"
            return hold(session, row, "test")


def order(ref: str, **values: Any) -> dict[str, Any]:
    return {"order": {"ref": ref, **values}}


def placed(ref: str) -> dict[str, Any]:
    return order(ref, location={"lat": 47.14, "lon": 9.52})


def refs(toys: Toys) -> list[str]:
    return [row.ref for row in toys.rows(OrderRow)]


def failing(error: Exception, times: int = 10**6) -> Callable[[Incoming], None]:
    """Return what raises an error as often as it is told."""
    left = [times]

    def fail(_: Incoming) -> None:
        if left[0]:
            left[0] -= 1
            raise error

    return staticmethod(fail)  # type: ignore[return-value]
