"""Check one route of a plan: its clock, its loads, its order, its goods, its breaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hub.nouns import Break, Pause, PlannedRoute, Problem, ProblemStop, ProblemVehicle, Visit

NO_WAY = 10_000_000


def route_faults(problem: Problem, vehicle: ProblemVehicle, route: PlannedRoute) -> list[str]:
    """Return what is wrong with one route, whose stops are all known."""
    stops = [problem.stop_of[visit.stop] for visit in route.visits]
    return [
        *clock_faults(problem, vehicle, route, stops),
        *stop_faults(vehicle, route, stops),
        *load_faults(problem, vehicle, route, stops),
        *order_faults(vehicle, stops),
        *shipment_faults(problem, vehicle, route, stops),
        *ride_faults(problem, route, stops),
        *break_faults(vehicle, route),
    ]


class Clock:
    """The soonest that a vehicle can be anywhere on the route that it is said to drive."""

    def __init__(self, problem: Problem, vehicle: ProblemVehicle, route: PlannedRoute) -> None:
        self.matrix, self.vehicle, self.route = problem.matrix_of(vehicle), vehicle, route
        self.left = self.rested = route.starts
        self.resting = 0
        self.point = vehicle.start
        self.metres = 0
        self.faults: list[str] = []

    def reach(self, point: int, at: int, who: str) -> None:
        """Say whether `point` can be reached `at`, after the breaks on the way there."""
        seconds = self.matrix.seconds[self.point][point]
        if not 0 <= seconds < NO_WAY or at < self.left + self.resting + seconds or at < self.rested:
            self.faults.append(f"{who} sooner than one can drive")
        self.metres += self.matrix.metres[self.point][point]
        self.point = point

    def leave(self, at: int) -> None:
        """Go on from where it is."""
        self.left = self.rested = at
        self.resting = 0

    def pause(self, pause: Pause) -> None:
        """Rest on the way, or reload at a depot."""
        if pause.ends < pause.begins:
            self.faults.append(f"{self.vehicle.id} has a {pause.kind} that ends before it begins")
        elif pause.kind == "break":
            if pause.begins < self.rested:
                self.faults.append(f"{self.vehicle.id} rests while it works")
            self.resting += pause.ends - pause.begins
            self.rested = pause.ends
        elif pause.point is not None and not 0 <= pause.point < len(self.matrix.seconds):
            self.faults.append(f"{self.vehicle.id} reloads at a place that is not there")
        elif pause.point is not None:
            self.reach(pause.point, pause.begins, f"{self.vehicle.id} is at the depot")
            if pause.ends - pause.begins < (
                self.vehicle.reloads.seconds if self.vehicle.reloads else 0
            ):
                self.faults.append(f"{self.vehicle.id} reloads too quickly")
            self.leave(pause.ends)

    def pauses(self, index: int) -> None:
        """Take the pauses before visit `index`."""
        for pause in self.route.pauses:
            if pause.after == index:
                self.pause(pause)


def clock_faults(
    problem: Problem, vehicle: ProblemVehicle, route: PlannedRoute, stops: Sequence[ProblemStop]
) -> Iterator[str]:
    """Yield times that cannot be: faster than the road, outside a window or the shift."""
    if route.starts < vehicle.shift[0] or route.ends > vehicle.shift[1] + vehicle.overtime:
        yield f"{vehicle.id} drives outside the shift"
    if vehicle.visited and stops and route.starts != vehicle.shift[0]:
        yield f"{vehicle.id} is on its way and waits before it goes on"
    if any(not 0 <= pause.after <= len(stops) for pause in route.pauses):
        yield f"{vehicle.id} pauses outside its route"
    clock = Clock(problem, vehicle, route)
    for index, (stop, visit) in enumerate(zip(stops, route.visits, strict=True)):
        clock.pauses(index)
        clock.reach(stop.point, visit.arrive, f"{stop.id} is reached")
        if stop.windows and not any(low <= visit.arrive <= high for low, high in stop.windows):
            yield f"{stop.id} is reached outside its window"
        if visit.depart < visit.arrive + stop.service:
            yield f"{stop.id} is left before it is served"
        clock.leave(visit.depart)
    if stops:
        clock.pauses(len(stops))
        clock.reach(vehicle.end, route.ends, f"{vehicle.id} is back")
    yield from clock.faults
    if route.metres != clock.metres:
        yield f"{vehicle.id} drives {clock.metres} m, not {route.metres} m"


def stop_faults(
    vehicle: ProblemVehicle, route: PlannedRoute, stops: Sequence[ProblemStop]
) -> Iterator[str]:
    """Yield stops that this vehicle must not serve, and limits of the route."""
    for stop in stops:
        if not stop.skills <= vehicle.skills:
            lacking = ", ".join(sorted(stop.skills - vehicle.skills))
            yield f"{vehicle.id} goes to {stop.id} without {lacking}"
        if stop.vehicles and vehicle.id not in stop.vehicles:
            yield f"{vehicle.id} goes to {stop.id}, which is for another vehicle"
    if (
        vehicle.most_stops is not None
        and stops
        and (vehicle.visited + len(stops) > vehicle.most_stops)
    ):
        yield f"{vehicle.id} makes {vehicle.visited + len(stops)} of {vehicle.most_stops} stops"
    if vehicle.most_metres is not None and vehicle.driven + route.metres > vehicle.most_metres:
        yield f"{vehicle.id} drives {vehicle.driven + route.metres} of {vehicle.most_metres} m"
    reloads = [pause for pause in route.pauses if pause.kind == "reload"]
    allowed = vehicle.reloads.points if vehicle.reloads else ()
    if len(reloads) > (vehicle.reloads.most if vehicle.reloads else 0):
        yield f"{vehicle.id} reloads {len(reloads)} times"
    if any(pause.point not in allowed for pause in reloads):
        yield f"{vehicle.id} reloads where it may not"


def load_faults(
    problem: Problem, vehicle: ProblemVehicle, route: PlannedRoute, stops: Sequence[ProblemStop]
) -> Iterator[str]:
    """Yield where the vehicle carries more than it can, counted parcel by parcel."""
    for dimension, capacity in enumerate(vehicle.capacity):

        def of(loads: Sequence[int], dimension: int = dimension) -> int:
            return loads[dimension] if len(loads) > dimension else 0

        aboard = of(vehicle.carries)
        fullest = 0
        for index in range(len(stops) + 1):
            reload = any(one.kind == "reload" and one.after == index for one in route.pauses)
            if index == 0 or reload:
                trip = stops[index : next_reload(route, index, len(stops))]
                aboard = of(vehicle.carries) + sum(of(stop.deliver) for stop in trip)
                fullest = max(fullest, aboard)
            if index < len(stops):
                stop = stops[index]
                shipment = problem.shipment_of.get(stop.id)
                aboard += of(stop.collect) - of(stop.deliver)
                if shipment is not None:
                    sign = 1 if shipment.pickup == stop.id else -1
                    aboard += sign * of(shipment.load)
                fullest = max(fullest, aboard)
        if fullest > capacity:
            yield f"{vehicle.id} carries {fullest} of {capacity}"


def next_reload(route: PlannedRoute, index: int, end: int) -> int:
    """Return before which visit the next reload after `index` comes."""
    ahead = [one.after for one in route.pauses if one.kind == "reload" and one.after > index]
    return min(ahead, default=end)


def order_faults(vehicle: ProblemVehicle, stops: Sequence[ProblemStop]) -> Iterator[str]:
    """Yield stops that are not first or last as they want to be, and locks that are not kept."""
    ids = [stop.id for stop in stops]
    if ids[: len(vehicle.locked)] != list(vehicle.locked):
        yield f"{vehicle.id} does not begin with its locked stops"
    free = stops[len(vehicle.locked) :]
    wishes = [stop.position for stop in free]
    firsts, lasts = wishes.count("first"), wishes.count("last")
    if any(wish != "first" for wish in wishes[:firsts]) or (
        firsts and (vehicle.visited or vehicle.locked)
    ):
        yield f"{vehicle.id} does not begin with the stop that comes first"
    if lasts and any(wish != "last" for wish in wishes[-lasts:]):
        yield f"{vehicle.id} does not end with the stop that comes last"


def shipment_faults(
    problem: Problem, vehicle: ProblemVehicle, route: PlannedRoute, stops: Sequence[ProblemStop]
) -> Iterator[str]:
    """Yield goods that are brought before they are fetched, stay behind, or lie below others."""
    place = {stop.id: index for index, stop in enumerate(stops)}
    reloads = [one.after for one in route.pauses if one.kind == "reload"]
    spans = []
    for shipment in problem.shipments:
        fetched, brought = place.get(shipment.pickup), place.get(shipment.delivery)
        if fetched is None and brought is None:
            continue
        if fetched is None or brought is None or fetched > brought:
            yield f"{vehicle.id} does not fetch {shipment.delivery} before it brings it"
        elif any(fetched < index <= brought for index in reloads):
            yield f"{vehicle.id} reloads while it has the goods for {shipment.delivery}"
        else:
            spans.append((fetched, brought))
    if not vehicle.stacked:
        return
    for one, other in ((a, b) for a in spans for b in spans if a[0] < b[0] < a[1]):
        if other[1] > one[1]:
            yield f"{vehicle.id} has to dig for the goods of {stops[one[1]].id}"
    for begin, end in spans:
        for stop in stops[begin + 1 : end]:
            if stop.deliver and stop.id not in problem.shipment_of:
                yield f"{vehicle.id} has to dig for the goods of {stop.id}"


def ride_faults(
    problem: Problem, route: PlannedRoute, stops: Sequence[ProblemStop]
) -> Iterator[str]:
    """Yield goods that ride longer than they may."""
    visits: dict[str, Visit] = {visit.stop: visit for visit in route.visits}
    reloads = [one for one in route.pauses if one.kind == "reload"]
    for index, stop in enumerate(stops):
        if stop.on_board is None:
            continue
        visit, rides = visits[stop.id], [0]
        loaded = max((one.ends for one in reloads if one.after <= index), default=route.starts)
        emptied = min((one.begins for one in reloads if one.after > index), default=route.ends)
        shipment = problem.shipment_of.get(stop.id)
        if stop.deliver:
            rides.append(visit.arrive - loaded)
        if stop.collect:
            rides.append(emptied - visit.depart)
        if shipment is not None and shipment.delivery == stop.id and shipment.pickup in visits:
            rides.append(visit.arrive - visits[shipment.pickup].depart)
        if max(rides) > stop.on_board:
            yield f"the goods of {stop.id} ride {max(rides)} s of {stop.on_board} s"


def break_faults(vehicle: ProblemVehicle, route: PlannedRoute) -> Iterator[str]:
    """Yield breaks that are not taken, or not when they should be."""
    taken: list[Pause] = [one for one in route.pauses if one.kind == "break"]
    if not route.visits:
        return
    due = [
        rest
        for rest in vehicle.breaks
        if route.ends > rest.window[1] and route.starts < rest.window[0] + rest.seconds
    ]
    holders: dict[int, int] = {}
    for number, rest in enumerate(due):
        if not seat(due, taken, number, holders, set()):
            yield f"{vehicle.id} has no break of {rest.seconds} s"
    for one in taken:
        if one.begins < route.starts or one.ends > route.ends:
            yield f"{vehicle.id} rests outside its route"


def seat(
    due: Sequence[Break],
    taken: Sequence[Pause],
    number: int,
    holders: dict[int, int],
    tried: set[int],
) -> bool:
    """Find a pause for the break `number` that no other break needs (Kuhn's matching)."""
    rest = due[number]
    for index, one in enumerate(taken):
        if (
            index in tried
            or not rest.window[0] <= one.begins <= rest.window[1]
            or one.ends - one.begins < rest.seconds
        ):
            continue
        tried.add(index)
        if index not in holders or seat(due, taken, holders[index], holders, tried):
            holders[index] = number
            return True
    return False
