"""What an order asks of who brings it, settled: windows, loads by measure, skills, who and when."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sqlmodel import col, select

from hub.errors import Refused
from hub.fleet import shifts
from hub.fleet.measures import Measures, check_names, measures
from hub.nouns import Order, TimeWindow
from hub.store import DepotRow, DriverRow, OrderLineRow, OrderRow, Session, StopRow

if TYPE_CHECKING:
    from hub.orders.resolve import Desk

HEAVIEST = 1_000_000
"""Units of load of one order in each measure: what the largest vehicle carries."""
COPIED = ("windows", "skills", "priority", "driver", "turn", "on_board")
"""What a stop has of its order as it stands there."""


@dataclass(frozen=True)
class Totals:
    """What an order takes: of the first measure, and of the others by name."""

    load: int
    loads: dict[str, int]


def settle_wishes(desk: Desk, order: Order) -> dict[str, Any]:
    """Return the column values of an order's wishes; raise `Refused` naming the field at fault."""
    check_names(desk.measures, order.loads, "loads")
    for number, line in enumerate(order.lines):
        check_names(desk.measures, line.loads, f"lines.{number}.loads")
    if order.pair and order.kind == "service":
        raise Refused("a pair is a collection and a delivery, so no service has one", "pair")
    return {
        "loads": dict(order.loads),
        "skills": sorted(set(order.skills)),
        "priority": order.priority,
        "driver": settle_driver(desk, order.driver.strip()),
        "turn": order.turn,
        "on_board": order.on_board,
        "pair": order.pair.strip(),
    }


def settle_driver(desk: Desk, wanted: str) -> str | None:
    """Return the id of the driver who is meant, None where an order names none."""
    if not wanted:
        return None
    alike = (one for one in desk.drivers if one.casefold() == wanted.casefold())
    found = desk.drivers.get(wanted) or [id for one in alike for id in desk.drivers[one]]
    if len(found) == 1:
        return found[0]
    if found:
        raise Refused(f"{len(found)} drivers are named {wanted[:60]!r}; write the id", "driver")
    raise Refused(f"there is no driver {wanted[:60]!r}; leave it empty for any", "driver")


def drivers_by_word(session: Session) -> dict[str, list[str]]:
    """Return the ids of the active drivers by id and by name."""
    found: dict[str, list[str]] = {}
    query = select(DriverRow.id, DriverRow.name).where(col(DriverRow.active).is_(True))
    for id, name in session.exec(query):
        found.setdefault(id, []).append(id)
        found.setdefault(name, []).append(id)
    return found


def settle_windows(
    order: Order, depot: DepotRow, day: date
) -> list[tuple[datetime | None, datetime | None]]:
    """Return the windows as instants, in their order; times of day are the depot's on that day."""
    first, last = order.window_start_local, order.window_end_local
    if order.windows and (order.window is not None or first or last):
        raise Refused("say either one window or several windows, not both", "windows")
    if order.windows:
        found = [one_window(window, depot, day, "windows") for window in order.windows]
        return sorted(found)
    if order.window is not None:
        return [one_window(order.window, depot, day, "window")]
    start = shifts.at_depot(depot, day, first, "window_start_local") if first else None
    end = shifts.at_depot(depot, day, last, "window_end_local") if last else None
    if start is not None and end is not None and end <= start:
        raise Refused(f"the window ends at {last}, before it starts at {first}", "window_end_local")
    return [(start, end)] if start is not None or end is not None else []


def one_window(
    window: TimeWindow | str, depot: DepotRow, day: date, field: str
) -> tuple[datetime, datetime]:
    """Return a window of the day of delivery as instants."""
    if isinstance(window, str):
        first, _, last = (part.strip() for part in window.partition("-"))
        start, end = (shifts.at_depot(depot, day, clock).astimezone(UTC) for clock in (first, last))
        if end <= start:
            raise Refused(f"the window ends at {last}, before it starts at {first}", field)
        return start, end
    start, end = window.start.astimezone(UTC), window.end.astimezone(UTC)
    if not start < end <= start + timedelta(days=1):
        raise Refused("a window ends after it starts, within 24 hours", field)
    midnight = datetime.combine(day, time(), shifts.zone(depot))
    if not midnight <= start < midnight + timedelta(days=1, hours=1):
        raise Refused(f"the window does not begin on {day}, the day of delivery", field)
    return start, end


def window_values(windows: list[tuple[datetime | None, datetime | None]]) -> dict[str, Any]:
    """Return windows as column values: the first start and the last end, and all if several."""
    if not windows:
        return {"window_start": None, "window_end": None, "windows": []}
    return {
        "window_start": windows[0][0],
        "window_end": max((end for _, end in windows if end is not None), default=None),
        "windows": [[str(at and at.isoformat()) for at in one] for one in windows]
        if len(windows) > 1
        else [],
    }


def read_windows(rows: Iterable[Iterable[str]]) -> list[tuple[datetime, datetime]]:
    """Return windows out of their column."""
    found = ([datetime.fromisoformat(at) for at in pair] for pair in rows)
    return [(start, end) for start, end in found]


def totals(
    counted: Measures,
    said: Mapping[str, float],
    lines: Iterable[tuple[int, int, Mapping[str, float]]],
) -> Totals:
    """Return what an order takes, by its own words and by its lines (quantity, load, loads).

    Fractions count as the next whole unit of the whole order.
    """
    all_lines = list(lines)
    first, *others = counted.names
    plain = sum(quantity * loads.get(first, load) for quantity, load, loads in all_lines)
    more = {
        name: said.get(name, sum(quantity * loads.get(name, 0) for quantity, _, loads in all_lines))
        for name in others
    }
    return Totals(
        load=whole(said[first]) if first in said else max(1, whole(plain)),
        loads={name: whole(amount) for name, amount in more.items() if amount},
    )


def whole(amount: float) -> int:
    """Return the next whole unit; what a sum of fractions is off by is no unit."""
    return math.ceil(round(amount, 6))


def totals_of(session: Session, order: OrderRow) -> Totals:
    """Return what an order takes, as its rows say it."""
    rows = session.exec(
        select(OrderLineRow.quantity, OrderLineRow.load, OrderLineRow.loads).where(
            OrderLineRow.order == order.id
        )
    )
    return totals(measures(session), order.loads, rows.all())


def said_totals(counted: Measures, order: Order) -> Totals:
    """Return what an order takes, as its source says it; raise `Refused` for too much."""
    found = totals(
        counted, order.loads, [(one.quantity, one.load, one.loads) for one in order.lines]
    )
    for name, amount in {counted.first.name: found.load, **found.loads}.items():
        if amount > HEAVIEST:
            raise Refused(
                f"the order takes {amount:,} {name}; an order has at most {HEAVIEST:,}", "loads"
            )
    return found


def follow_wishes(stop: StopRow, order: OrderRow) -> None:
    """Let a stop ask what its order asks."""
    for name in COPIED:
        setattr(stop, name, getattr(order, name))
    stop.pair = pair_of(order)


def pair_of(order: OrderRow) -> str:
    """Return what the two halves of a pair have in common, and no others of the merchant."""
    return f"{order.source}:{order.pair}" if order.pair else ""
