"""Time in the model: driving, windows, shifts, overtime, breaks, and goods that must not wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hub.builtin.ortools.nodes import Nodes
from hub.nouns import Break, ProblemStop, ProblemVehicle

BEYOND = 10**9
"""More seconds than any day has."""


@dataclass(frozen=True)
class Clock:
    """Solver time: it begins with the first shift or break, and ends with the last overtime."""

    model: Any
    manager: Any
    nodes: Nodes
    time: Any
    """The dimension."""
    zero: int
    horizon: int

    def at(self, node: int) -> Any:
        """Return when service at a node begins."""
        return self.time.CumulVar(self.manager.NodeToIndex(node))


def add_clock(model: Any, manager: Any, nodes: Nodes) -> Clock:
    """Keep windows and shifts; a driver may wait anywhere."""
    vehicles = nodes.vehicles
    opens = [one.window[0] for vehicle in vehicles for one in vehicle.breaks]
    zero = min([vehicle.shift[0] for vehicle in vehicles] + opens)
    ends = [max(vehicle.shift[0], vehicle.shift[1] + vehicle.overtime) for vehicle in vehicles]
    horizon = max(ends) - zero
    model.AddDimensionWithVehicleTransits(transits(model, nodes), horizon, horizon, False, "time")
    clock = Clock(model, manager, nodes, model.GetDimensionOrDie("time"), zero, horizon)
    for node, stop in enumerate(nodes.stops):
        add_windows(clock, node, stop)
    for number, vehicle in enumerate(vehicles):
        add_shift(clock, number, vehicle)
        add_breaks(clock, number, vehicle)
    add_rides(clock)
    return clock


def transits(model: Any, nodes: Nodes) -> list[int]:
    """Return each vehicle's service and driving time from node to node, once per profile."""
    import numpy as np

    known: dict[tuple[int, int], int] = {}
    found = []
    for vehicle in nodes.vehicles:
        matrix = nodes.problem.matrix_of(vehicle)
        reload = vehicle.reloads.seconds if vehicle.reloads else 0
        key = id(matrix), reload
        if key not in known:
            service = nodes.of_each([stop.service for stop in nodes.stops], reload)
            cells = nodes.cells(matrix.seconds) + np.array(service, dtype=np.int64)[:, None]
            known[key] = model.RegisterTransitMatrix(cells.tolist())
        found.append(known[key])
    return found


def add_windows(clock: Clock, node: int, stop: ProblemStop) -> None:
    """Let service at a stop begin in one of its windows; without any that is left, drop it."""
    if not stop.windows:
        return
    told = sorted((low - clock.zero, high - clock.zero) for low, high in stop.windows)
    kept = [(max(0, low), min(clock.horizon, high)) for low, high in told]
    kept = [(low, high) for low, high in kept if low <= high]
    begins = clock.at(node)
    if not kept:
        if stop.id not in clock.nodes.locked:
            index = clock.manager.NodeToIndex(node)
            clock.model.VehicleVar(index).SetValue(-1)
        return
    begins.SetRange(kept[0][0], max(high for _, high in kept))
    reached = kept[0][1]
    for low, high in kept[1:]:
        if low > reached + 1:
            begins.RemoveInterval(reached + 1, low - 1)
        reached = max(reached, high)


def add_shift(clock: Clock, number: int, vehicle: ProblemVehicle) -> None:
    """Keep a shift, and count each second that a vehicle is out."""
    opens, closes = vehicle.shift[0] - clock.zero, vehicle.shift[1] - clock.zero
    start, end = clock.model.Start(number), clock.model.End(number)
    latest = max(opens, closes + vehicle.overtime)
    clock.time.CumulVar(start).SetRange(opens, opens if vehicle.visited else latest)
    clock.time.CumulVar(end).SetRange(opens, latest)
    clock.time.SetSpanCostCoefficientForVehicle(vehicle.costs.per_second, number)
    if vehicle.overtime:
        rate = vehicle.costs.per_overtime_second
        clock.time.SetCumulVarSoftUpperBound(end, max(opens, closes), rate)
    clock.model.AddVariableMinimizedByFinalizer(clock.time.CumulVar(end))
    clock.model.AddVariableMaximizedByFinalizer(clock.time.CumulVar(start))


def add_breaks(clock: Clock, number: int, vehicle: ProblemVehicle) -> None:
    """Give a driver the breaks; one that lies before or after the route takes none of its time."""
    solver = clock.model.solver()
    rests = [one for one in vehicle.breaks if can_matter(one, vehicle)]
    intervals = [
        solver.FixedDurationIntervalVar(
            one.window[0] - clock.zero,
            one.window[1] - clock.zero,
            one.seconds,
            False,
            f"{vehicle.id} break {turn}",
        )
        for turn, one in enumerate(rests)
    ]
    if not intervals:
        return
    reload = vehicle.reloads.seconds if vehicle.reloads else 0
    service = clock.nodes.of_each([stop.service for stop in clock.nodes.stops], reload)
    size = clock.model.Size() + len(clock.nodes.vehicles)
    visits = [0] * size
    for index in range(size):
        visits[index] = service[clock.manager.IndexToNode(index)]
    clock.time.SetBreakIntervalsOfVehicle(intervals, number, visits)


def can_matter(rest: Break, vehicle: ProblemVehicle) -> bool:
    """Say whether a break may fall into a shift."""
    low, high = rest.window
    return low <= high and low + rest.seconds > vehicle.shift[0] and (
        high < vehicle.shift[1] + vehicle.overtime
    )  # fmt: skip


def add_rides(clock: Clock) -> None:
    """Keep goods on board no longer than they may be; a reload in between is not counted on."""
    model, nodes, solver = clock.model, clock.nodes, clock.model.solver()
    fleet = range(len(nodes.vehicles))
    starts = [clock.time.CumulVar(model.Start(number)) for number in fleet]
    ends = [clock.time.CumulVar(model.End(number)) for number in fleet]
    for node, stop in enumerate(nodes.stops):
        if stop.on_board is None:
            continue
        index = clock.manager.NodeToIndex(node)
        whose = (model.VehicleVar(index) + 1).Var()
        if stop.deliver:
            left = solver.Element([solver.IntConst(BEYOND), *starts], whose)
            solver.Add(clock.at(node) - left <= stop.on_board)
        if stop.collect:
            home = solver.Element([solver.IntConst(-BEYOND), *ends], whose)
            solver.Add(home - clock.at(node) <= stop.on_board + stop.service)
        goods = nodes.problem.shipment_of.get(stop.id)
        if goods is not None and goods.delivery == stop.id:
            pickup = nodes.number[goods.pickup]
            ride = clock.at(node) - clock.at(pickup)
            longest = stop.on_board + nodes.stops[pickup].service
            solver.Add(ride <= longest + BEYOND * (1 - model.ActiveVar(index)))
