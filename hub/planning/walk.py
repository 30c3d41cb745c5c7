"""One vehicle on its way, leg by leg: driving, waiting, serving, reloading and resting."""

from __future__ import annotations

from collections.abc import Sequence

from hub.nouns import Break, Pause, Problem, ProblemStop, ProblemVehicle, Visit
from hub.planning.rules import AtDepot, Breach, Item

NEVER = 10_000_000
"""Seconds and metres of a way that does not exist; negative cells of a matrix mean the same."""
ENDLESS = 2**31


class Walk:
    """Where a vehicle is and when, and what came late on the way so far."""

    def __init__(self, problem: Problem, vehicle: ProblemVehicle, starts: int) -> None:
        matrix = problem.matrix_of(vehicle)
        self.seconds, self.distances = matrix.seconds, matrix.metres
        self.vehicle = vehicle
        self.starts = self.now = starts
        self.point = vehicle.start
        self.metres = self.waited = 0
        self.slack = ENDLESS
        self.visits: list[Visit] = []
        self.pauses: list[Pause] = []
        self.breaches: list[Breach] = []
        self.rests = [one for one in vehicle.breaks if starts < one.window[0] + one.seconds]

    def along(self, items: Sequence[Item], placed: Sequence[int] | None = None) -> Walk:
        """Go along `items` and home; `placed` says before which item each break is taken.

        One that is placed before the way home is left out if nobody needs it. Without `placed`
        they are taken where they cost nothing, else as late as they may be.
        """
        if placed is not None:
            self.rests = self.rests[: len(placed)]
        for number, item in enumerate(items):
            self.rest(item, number, placed)
            self.drive(item.point, item.id if isinstance(item, ProblemStop) else "")
            if isinstance(item, AtDepot):
                self.reload(item.point)
            else:
                self.serve(item)
        if items:
            self.rest(None, len(items), placed)
            self.drive(self.vehicle.end, "")
        return self

    def leg(self, point: int) -> int:
        """Return the seconds from here to a point, `NEVER` where there is no way."""
        seconds: int = self.seconds[self.point][point]
        return seconds if 0 <= seconds < NEVER else NEVER

    def drive(self, point: int, stop: str) -> None:
        """Drive to a point."""
        seconds, metres = self.leg(point), self.distances[self.point][point]
        if seconds >= NEVER:
            self.breaches.append(Breach("unreachable", 0, stop))
        self.now += seconds
        self.metres += metres if 0 <= metres < NEVER else NEVER
        self.point = point

    def serve(self, stop: ProblemStop) -> None:
        """Wait until the stop may be served, serve it and leave."""
        begins, spare = opening(stop, self.now)
        if spare < 0:
            self.breaches.append(Breach("window", -spare, stop.id))
        elif stop.windows:
            self.waited += begins - self.now
            self.slack = min(self.slack, self.waited + spare)
        self.now = begins + stop.service
        self.visits.append(Visit(stop=stop.id, arrive=begins, depart=self.now))

    def reload(self, point: int) -> None:
        """Empty and fill up at a depot."""
        seconds = self.vehicle.reloads.seconds if self.vehicle.reloads else 0
        self.pauses.append(
            Pause(
                kind="reload",
                after=len(self.visits),
                begins=self.now,
                ends=self.now + seconds,
                point=point,
            )
        )
        self.now += seconds

    def rest(self, item: Item | None, number: int, placed: Sequence[int] | None) -> None:
        """Take the breaks that are due before the way to `item`, or home for None."""
        while self.rests:
            first = self.rests[0]
            if item is None:
                due = any(self.is_due(one, None) for one in self.rests)
            elif placed is None:
                due = self.is_due(first, item)
            else:
                taken = len(placed) - len(self.rests)
                due = placed[taken] == number
            if not due:
                return
            self.take(first)
            self.rests.pop(0)

    def is_due(self, rest: Break, item: Item | None) -> bool:
        """Say whether a break has to be taken now, or costs nothing now."""
        low, high = rest.window
        begins = max(self.now, low)
        if item is None:
            return self.now + self.leg(self.vehicle.end) > high
        way = self.leg(item.point)
        here, then = self.now + way, begins + rest.seconds + way
        if isinstance(item, ProblemStop):
            served, postponed = opening(item, here)[0], opening(item, then)[0]
            free = max(served + item.service, low)
        else:
            served, postponed = here, then
            free = max(here + (self.vehicle.reloads.seconds if self.vehicle.reloads else 0), low)
        return postponed == served or free > high

    def take(self, rest: Break) -> None:
        """Rest now, or as soon as the break's window opens."""
        begins = max(self.now, rest.window[0])
        if begins > rest.window[1]:
            self.breaches.append(Breach("break", begins - rest.window[1]))
        self.waited += begins - self.now
        self.slack = min(self.slack, self.waited + max(0, rest.window[1] - begins))
        self.now = begins + rest.seconds
        self.pauses.append(
            Pause(kind="break", after=len(self.visits), begins=begins, ends=self.now)
        )


def opening(stop: ProblemStop, at: int) -> tuple[int, int]:
    """Return when service can begin for who is there `at`, and the seconds to spare then.

    To spare is less than 0 for who is late in every window, by as much as for the last one.
    """
    if not stop.windows:
        return at, ENDLESS
    chosen: tuple[int, int] | None = None
    for low, high in stop.windows:
        begins = max(at, low)
        if begins <= high and (chosen is None or begins < chosen[0]):
            chosen = begins, high - begins
    if chosen is not None:
        return chosen
    low, high = max(stop.windows, key=lambda window: window[1])
    begins = max(at, low)
    return begins, high - begins
