"""Two routes under way that would both be shorter if they exchanged a stop."""

from __future__ import annotations

from hub.hub import Hub
from hub.store import RouteRow, System
from hub.testing.town import DAY, Town, at


def two_routes(hub: Hub, town: Town, southern: int = 3) -> tuple[str, str]:
    """Publish a route of four stops in the north and one of three or more in the south; the last
    of each lies in the other's."""
    north = [town.stop(0.03 + 0.002 * n, 0.002 * n) for n in range(4)]
    south = [town.stop(-0.03 - 0.002 * n, 0.002 * n) for n in range(southern)]
    town.published()
    (first,) = town.routes()
    other = town.driver()
    with hub.store.write(System()) as session:
        row = RouteRow(
            depot=first.depot, driver=other, vehicle=first.vehicle, service_date=DAY,
            state="ready", starts_at=first.starts_at, ends_at=first.ends_at,
            published_at=first.published_at,
        )  # fmt: skip
        session.add(row)
    for route, ids in ((first.id, [*north[:3], south[-1]]), (row.id, [*south[:-1], north[3]])):
        for number, id in enumerate(ids, 1):
            town.change(id, route=route, position=number, promised_end=at(17))
    return first.id, row.id


def orders(town: Town, *routes: str) -> list[list[str]]:
    """Return the stops of routes in their order."""
    return [[stop.id for stop in town.on(route)] for route in routes]
