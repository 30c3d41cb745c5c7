"""Stops as an engine is asked for them: when, with what load, by whom, and which go together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from math import isfinite
from typing import Literal, cast

from hub.nouns import Loads, ProblemStop, Shipment, Unserved, Window
from hub.orders.wishes import read_windows
from hub.store import StopRow

LAST = 86_399
"""23:59:59, where a window has no end."""
FIRST = -3600
"""Where a window has no beginning: before every shift of the day, also where the clocks go back in
its first hours, so that they lie before second 0."""
Point = tuple[float, float]


def asked(
    row: StopRow, places: dict[Point, int], zero: datetime, names: Sequence[str] = ()
) -> ProblemStop:
    """Return a stop as an engine is asked for it; a new place gets the next number.

    `names` are the operator's measures of load in the problem's order; without them only the first
    counts. The goods of a pair are the shipment's, not the stop's.
    """
    loads = () if row.pair or row.kind == "service" else taken(row, names)
    return ProblemStop(
        id=row.id,
        point=places.setdefault((row.lat, row.lon), len(places)),
        service=row.service_time,
        deliver=() if row.kind == "collection" else loads,
        collect=loads if row.kind == "collection" else (),
        windows=windows(row, zero),
        skills=frozenset(row.skills),
        vehicles=frozenset([row.driver] if row.driver else []),
        priority=row.priority,
        position=cast(Literal["", "first", "last"], row.turn),
        on_board=row.on_board,
    )


def taken(row: StopRow, names: Sequence[str]) -> Loads:
    """Return what a stop takes in each measure."""
    return (row.load, *(row.loads.get(name, 0) for name in names[1:]))


def windows(row: StopRow, zero: datetime) -> tuple[Window, ...]:
    """Return the windows of a stop: the promised one, or those that were ordered."""
    promised = row.promised_start is not None or row.promised_end is not None
    if row.windows and not promised:
        found = read_windows(row.windows)
        return tuple((seconds_since(zero, one), seconds_since(zero, two)) for one, two in found)
    start, end = row.promised_start or row.window_start, row.promised_end or row.window_end
    if start is None and end is None:
        return ()
    low = FIRST if start is None else seconds_since(zero, start)
    return ((low, max(low, LAST) if end is None else seconds_since(zero, end)),)


def seconds_since(zero: datetime, at: datetime) -> int:
    """Return the whole seconds from `zero` to `at`, rounded down."""
    return int((at - zero).total_seconds() // 1)


def somewhere(row: StopRow) -> bool:
    """Say whether a stop lies on the map at all."""
    return isfinite(row.lat) and isfinite(row.lon) and abs(row.lat) <= 90 and abs(row.lon) <= 180


def shipments(
    rows: Iterable[StopRow], names: Sequence[str] = ()
) -> tuple[list[Shipment], list[Unserved]]:
    """Return what is fetched at one stop and brought to another, and the halves without the other.

    A pair is one collection and one delivery of a merchant that have the same `pair`.
    """
    pairs: dict[tuple[str, str], list[StopRow]] = defaultdict(list)
    for row in rows:
        if row.pair:
            pairs[row.merchant, row.pair].append(row)
    found, alone = [], []
    for (_, pair), halves in pairs.items():
        by_kind = {row.kind: row for row in halves}
        if len(halves) == 2 and by_kind.keys() == {"collection", "delivery"}:
            pickup, delivery = by_kind["collection"], by_kind["delivery"]
            load = taken(delivery, names)
            found.append(Shipment(pickup=pickup.id, delivery=delivery.id, load=load))
        else:
            said = incomplete(pair.partition(":")[2], halves)
            alone += [Unserved(stop=row.id, reason=said, rule="shipment") for row in halves]
    return found, alone


def incomplete(pair: str, halves: Sequence[StopRow]) -> str:
    """Return what is wrong with a pair, in words."""
    if len(halves) > 2:
        return f"{len(halves)} stops have the pair {pair}; it takes one collection and one delivery"
    if len(halves) == 2:
        kinds = "collections" if halves[0].kind == "collection" else "deliveries"
        return f"both stops of the pair {pair} are {kinds}; one has to be the other half"
    other = "collection" if halves[0].kind == "delivery" else "delivery"
    return f"the {other} of its pair {pair} is not open at this depot on this day"
