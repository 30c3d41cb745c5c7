"""Breaks and reloads of a route on the road: which of them are over, and which are to come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hub.nouns import Break
from hub.planning.day import seconds_since
from hub.store import RouteRow, StopRow

DOOR = ("dispatched", "en_route", "arrived")
"""States of a stop that the driver has not left yet: what follows it is to come."""
Pauses = list[dict[str, Any]]


def parted(route: RouteRow, rows: Sequence[StopRow], now: datetime) -> tuple[Pauses, Pauses]:
    """Return the pauses of a route that have begun or were left out, and those that are to come.

    What follows a stop that the driver has not left is to come, however late it is. Behind that it
    is the plan that says whether one has begun; a driver who is on the way to the next stop, or was
    there, has loaded before.
    """
    over: Pauses = []
    due: Pauses = []
    for pause in route.pauses:
        (due if is_due(pause, rows, now) else over).append(pause)
    return over, due


def is_due(pause: Mapping[str, Any], rows: Sequence[StopRow], now: datetime) -> bool:
    """Say whether a pause is still to come."""
    stop = next((row for row in rows if row.id == pause["after"]), None)
    if stop is not None and stop.state in DOOR:
        return True
    place = 0 if stop is None else stop.position or 0
    gone_on = any(
        row.state == "en_route" or (row.arrived_at is not None and (row.position or 0) > place)
        for row in rows
    )
    if pause["kind"] == "reload" and gone_on:
        return False
    return begins(pause) > now


def begins(pause: Mapping[str, Any]) -> datetime:
    """Return when a pause begins as planned."""
    return datetime.fromisoformat(str(pause["begins"]))


def lasts(pause: Mapping[str, Any]) -> int:
    """Return the seconds of a pause."""
    ends = datetime.fromisoformat(str(pause["ends"]))
    return round((ends - begins(pause)).total_seconds())


def resting(over: Sequence[Mapping[str, Any]], now: datetime) -> datetime:
    """Return when a driver who rests now goes on; `now` for one who does not."""
    ends = (datetime.fromisoformat(str(one["ends"])) for one in over if one["kind"] == "break")
    return max((end for end in ends if end > now), default=now)


def still_due(
    rests: Sequence[Break], over: Pauses, due: Pauses, zero: datetime, free: int
) -> tuple[Break, ...]:
    """Return the breaks of a driver's day that are to come for who is free at second `free`.

    Breaks that the plan has are known to be over or not, whatever the hour says; one that should
    have begun by now is taken as soon as can be.
    """
    left = list(rests)
    found: list[Break] = []
    told = [(one, True) for one in over] + [(one, False) for one in due]
    for pause, taken in told:
        if pause["kind"] != "break" or not left:
            continue
        second = seconds_since(zero, begins(pause))
        rest = min(left, key=lambda one: away(one, second))
        left.remove(rest)
        if not taken:
            opens = max(rest.window[0], free)
            window = (opens, max(opens, rest.window[1]))
            found.append(rest.model_copy(update={"window": window}))
    return tuple(sorted([*found, *left], key=lambda one: one.window))


def away(rest: Break, second: int) -> int:
    """Return by how many seconds a time lies outside of a break's window."""
    return max(rest.window[0] - second, second - rest.window[1], 0)
