"""A routing problem in the words of PyVRP, and which of its numbers is which stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub.builtin.pyvrp.fleet import Scale, dimensions, head, spent, types
from hub.builtin.pyvrp.gates import Gate, all_allowed, gates, on_the_way, weights
from hub.builtin.pyvrp.ground import Ground, kind
from hub.builtin.pyvrp.penalties import MOST
from hub.nouns import Costs, Loads, Problem, ProblemStop, ProblemVehicle
from hub.nouns import Shipment as Goods
from hub.planning.reasons import working
from hub.planning.rules import amount
from hub.planning.walk import NEVER

if TYPE_CHECKING:
    from pyvrp import ProblemData

LARGEST = 2 * 10**10
"""The largest prize: costs of more are counted in coarser units."""
WORST = 2**61
"""The most that a penalty may come to; PyVRP counts in 64 bits, and what is beyond turns around."""


@dataclass(frozen=True)
class Made:
    """PyVRP's problem with the way back to ours."""

    data: ProblemData
    clients: tuple[str, ...]
    """The stop of each client; one with several windows is several clients."""
    heads: tuple[str, ...]
    """The vehicle of each client after these: it lies where that one is free, and is no stop."""
    shipments: tuple[Goods, ...]
    fleet: tuple[tuple[ProblemVehicle, ...], ...]
    """The vehicles of each type."""
    depots: tuple[int, ...]
    """The point of each depot."""
    grain: int
    """How many of our units of cost are one of PyVRP's."""
    spent: int
    """What is spent, in ours, up to where vehicles with locked stops are free."""


@dataclass
class Asked:
    """A problem on its way to PyVRP."""

    problem: Problem
    vehicles: list[ProblemVehicle]
    ground: Ground
    gates: list[Gate]
    scale: Scale
    end: int
    """The last second of the last shift, counted from the first."""
    prize: int
    """Of an ordinary stop: more than a vehicle can cost that goes for it alone."""
    grain: int
    """How many of the problem's units of cost are one of those that the vehicles have here."""

    def loads(self, loads: Loads, stops: Sequence[str], head: str = "") -> list[int]:
        """Return a load in all dimensions, counted stops and gates among them.

        `head`: the vehicle that is free there.
        """
        told = [amount(loads, n) for n in range(len(self.scale.many))]
        told += [len(stops)] if self.scale.stops else []
        told += weights(self.gates, stops) + self.scale.head(head)
        return [self.scale.unit * one for one in told]

    def windows(self, stop: ProblemStop) -> list[tuple[int, int]]:
        """Return when service may begin, as far as anybody is out then."""
        zero = self.scale.zero
        told = stop.windows or ((zero, zero + self.end),)
        clipped = [(max(0, low - zero), min(self.end, high - zero)) for low, high in told]
        return sorted((low, high) for low, high in clipped if low <= high)


def made(problem: Problem) -> Made | None:
    """Return the problem for PyVRP; `None` when there is nothing that anybody could do."""
    from pyvrp import Location, ProblemData, VehicleType

    able = {vehicle.id for vehicle in working(problem)}
    vehicles = [v for v in problem.vehicles if v.id in able or v.locked]
    asked, stops, goods = read(problem, vehicles)
    if not vehicles or not (stops or goods):
        return None
    ground = asked.ground
    for point in sorted({vehicle.start for vehicle in vehicles if not vehicle.locked}):
        ground.place(point, kind(-1))  # depots mostly come first: then no matrix is put in order
    clients, groups, ids = clients_of(asked, stops)
    clients += heads_of(asked)
    shipments = [shipment_of(asked, one) for one in goods]
    kinds = types(problem, asked.vehicles, ground, asked.gates, asked.scale)
    metres, seconds, profiles = ground.matrices(problem, vehicles)
    told = [dict(one) | {"num_available": len(those)} for one, those in kinds.items()]
    data = ProblemData(
        locations=[Location(0, 0) for _ in ground.places],
        clients=clients,
        depots=depots_of(ground),
        vehicle_types=[VehicleType(**{**one, "profile": profiles[one["profile"]]}) for one in told],
        distance_matrices=metres,
        duration_matrices=seconds,
        groups=groups,
        shipments=shipments,
    )
    return Made(
        data,
        tuple(ids),
        tuple(asked.scale.heads),
        tuple(goods),
        tuple(tuple(those) for those in kinds.values()),
        tuple(point for point, _ in ground.depots),
        asked.grain,
        sum(spent(problem, vehicle) for vehicle in vehicles),
    )


def depots_of(ground: Ground) -> list[Any]:
    """Return PyVRP's depots; a reload takes its time there."""
    from pyvrp import Depot

    return [
        Depot(ground.place(point, kind(service)), service_duration=max(0, service))
        for point, service in ground.depots
    ]


def read(
    problem: Problem, vehicles: list[ProblemVehicle]
) -> tuple[Asked, list[ProblemStop], list[Goods]]:
    """Return how to tell a problem, and the stops and shipments that somebody may serve."""
    zero = min((vehicle.shift[0] for vehicle in vehicles), default=0)
    end = max((vehicle.shift[1] + vehicle.overtime for vehicle in vehicles), default=0) - zero
    urgent = 1 + max((stop.priority for stop in problem.stops), default=0)
    grain = 1 + prize(problem, vehicles) * urgent // LARGEST
    vehicles = [coarser(vehicle, grain) for vehicle in vehicles]
    worth = prize(problem, vehicles)
    scale = scale_of(problem, vehicles, zero, worth * urgent)
    asked = Asked(problem, vehicles, Ground(), [], scale, end, worth, grain)
    fetched = on_the_way(problem)
    behind = {id for vehicle in vehicles for id in vehicle.locked}
    open_stops = [s for s in problem.stops if s.id not in behind and asked.windows(s)]
    may = all_allowed(open_stops, vehicles, fetched)
    stops = [
        stop for id, stop in problem.stop_of.items()
        if may.get(id) and (id not in problem.shipment_of or id in fetched)
    ]  # fmt: skip
    goods = []
    for one in problem.shipments:
        those = may.get(one.pickup, frozenset()) & may.get(one.delivery, frozenset())
        if those and one.delivery not in fetched and in_time(asked, one):
            goods.append(one)
            may[one.pickup] = may[one.delivery] = those
    used = {stop.id for stop in stops} | {id for o in goods for id in (o.pickup, o.delivery)}
    asked.gates = gates({id: may[id] for id in used}, vehicles)
    return asked, stops, goods


def scale_of(problem: Problem, vehicles: Sequence[ProblemVehicle], zero: int, most: int) -> Scale:
    """Return how to count loads where the largest prize is `most`."""
    many = tuple(
        1 + sum(amount(s.deliver, n) + amount(s.collect, n) for s in problem.stops)
        + sum(amount(one.load, n) for one in problem.shipments)
        for n in range(dimensions(problem))
    )  # fmt: skip
    counted = any(vehicle.most_stops is not None for vehicle in vehicles)
    refilled = any(vehicle.reloads for vehicle in vehicles)
    unit = 1 if refilled else weight(most, max(*many, len(problem.stops), 1))
    heads = [vehicle.id for vehicle in vehicles if vehicle.locked]
    return Scale(zero, many, counted, unit, {id: n for n, id in enumerate(heads, 1)})


def coarser(vehicle: ProblemVehicle, grain: int) -> ProblemVehicle:
    """Return a vehicle that costs so many times less, rounded down so that no prize grows."""
    if grain == 1:
        return vehicle
    told = {name: cost // grain for name, cost in vehicle.costs.model_dump().items()}
    return vehicle.model_copy(update={"costs": Costs(**told)})


def weight(most: int, load: int) -> int:
    """Return what a unit of load has to count where the largest prize is `most`.

    `load` is all that there is: the dearest penalty of so much too much still has to be a number.
    """
    return max(1, min(1 + 2 * most // MOST, WORST // (2 * most * load)))


def in_time(asked: Asked, goods: Goods) -> bool:
    """Say whether the last moment to bring goods comes after the first to fetch them."""
    stops = asked.problem.stop_of
    fetched, brought = asked.windows(stops[goods.pickup]), asked.windows(stops[goods.delivery])
    return brought[-1][1] >= fetched[0][0]


def prize(problem: Problem, vehicles: Sequence[ProblemVehicle]) -> int:
    """Return what serving a stop is worth: the most that a vehicle costs to go there and back."""
    import numpy as np

    points = [stop.point for stop in problem.stops]
    most = 1
    for vehicle in vehicles:
        costs = vehicle.costs
        metres = np.asarray(problem.matrix_of(vehicle).metres)
        way = 0
        if points:
            both = metres[vehicle.start, points].astype(np.int64) + metres[points, vehicle.end]
            way = int(both[(both >= 0) & (both < NEVER)].max(initial=0))
        out = vehicle.shift[1] - vehicle.shift[0] + vehicle.overtime
        worst = costs.fixed + costs.per_metre * way + costs.per_second * out
        most = max(most, worst + costs.per_overtime_second * vehicle.overtime)
    return most


def clients_of(
    asked: Asked, stops: Sequence[ProblemStop]
) -> tuple[list[Any], list[Any], list[str]]:
    """Return PyVRP's clients, their groups, and whose each client is."""
    from pyvrp import Client, ClientGroup

    clients: list[Any] = []
    groups: list[Any] = []
    ids: list[str] = []
    for stop in stops:
        windows = asked.windows(stop)
        group = None
        if len(windows) > 1:
            group = len(groups)
            first = len(clients)
            groups.append(ClientGroup(list(range(first, first + len(windows))), required=False))
        shipment = asked.problem.shipment_of.get(stop.id)
        deliver = stop.deliver if shipment is None else added(stop.deliver, shipment.load)
        for low, high in windows:
            clients.append(
                Client(
                    asked.ground.place(stop.point, stop.position),
                    delivery=asked.loads(deliver, (stop.id,)),
                    pickup=asked.loads(stop.collect, ()),
                    service_duration=stop.service,
                    tw_early=low,
                    tw_late=high,
                    prize=asked.prize * (1 + stop.priority),
                    required=False,
                    group=group,
                )
            )
            ids.append(stop.id)
    return clients, groups, ids


def heads_of(asked: Asked) -> list[Any]:
    """Return the clients where vehicles with locked stops are free, worth going home for."""
    from pyvrp import Client

    return [
        Client(
            asked.ground.place(head(asked.problem, vehicle).point),
            delivery=asked.loads((), (), vehicle.id),
            pickup=asked.loads((), ()),
            tw_late=asked.end,
            prize=asked.prize,
            required=False,
        )
        for vehicle in asked.vehicles
        if vehicle.locked
    ]


def added(one: Loads, other: Loads) -> Loads:
    """Return two loads together."""
    return tuple(amount(one, n) + amount(other, n) for n in range(max(len(one), len(other))))


def shipment_of(asked: Asked, goods: Goods) -> Any:
    """Return PyVRP's shipment; a stop with several windows has the time from first to last."""
    from pyvrp import Shipment

    told: dict[str, Any] = {}
    stops: Mapping[str, ProblemStop] = asked.problem.stop_of
    worth = 0
    for end, id in (("pickup", goods.pickup), ("delivery", goods.delivery)):
        stop = stops[id]
        windows = asked.windows(stop)
        told[f"{end}_location"] = asked.ground.place(stop.point, stop.position)
        told[f"{end}_tw_early"], told[f"{end}_tw_late"] = windows[0][0], windows[-1][1]
        told[f"{end}_service_duration"] = stop.service
        worth += 1 + stop.priority
    return Shipment(
        **told,
        amount=asked.loads(goods.load, (goods.pickup, goods.delivery)),
        prize=asked.prize * worth,
        required=False,
    )
