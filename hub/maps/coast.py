"""The sea of an extract: what lies to the right of its coastlines, within its bounds."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from hub.maps import kinds
from hub.maps.extract import Area, Extract
from hub.maps.plane import Box, area_of, cut_line, project


def sea(found: Extract) -> Area | None:
    """Return the sea as one area, or None where there is no coast.

    A coastline has the land on its left. Its parts inside the bounds are joined along the bounds,
    clockwise as one looks at the map, and islands become holes.
    """
    if not found.coast:
        return None
    south, west, north, east = found.bounds
    left, bottom = project(south, west)
    right, top = project(north, east)
    box = (left, top, right, bottom)
    islands, open_parts = [], []
    for chain in chains(found.coast):
        if chain[:2] == chain[-2:]:
            islands.append(array("i", chain))
        else:
            open_parts += [stretched(part, box) for part in cut_line(chain, box) if len(part) >= 4]
    rings = [array("i", ring) for ring in joined(open_parts, box)]
    if not rings:
        if not any(is_in(island, box) for island in islands):
            return None  # every coast lies outside of the bounds
        rings = [array("i", [left, top, right, top, right, bottom, left, bottom, left, top])]
    return Area(kinds.SEA, "", [*rings, *islands], sum(abs(area_of(ring)) for ring in rings))


def is_in(ring: Sequence[int], box: Box) -> bool:
    """Say whether any point of a ring lies in a box."""
    left, top, right, bottom = box
    points = zip(ring[::2], ring[1::2], strict=True)
    return any(left <= x <= right and top <= y <= bottom for x, y in points)


def chains(pieces: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the pieces of the coast put together end to end."""
    waiting = {tuple(piece[:2]): list(piece) for piece in pieces}
    ends = {tuple(piece[-2:]) for piece in pieces}
    out = []
    starts = [start for start in waiting if start not in ends] + list(waiting)
    for start in starts:
        chain = waiting.pop(start, None)
        while chain is not None and chain[:2] != chain[-2:]:
            further = waiting.pop(tuple(chain[-2:]), None)
            if further is None:
                break
            chain += further[2:]
        if chain is not None:
            out.append(chain)
    return out


def stretched(part: list[int], box: Box) -> list[int]:
    """Return a part of the coast that reaches the bounds: its loose ends run on to the edge."""
    return [*edge_point(part[0], part[1], box), *part, *edge_point(part[-2], part[-1], box)]


def edge_point(x: int, y: int, box: Box) -> tuple[int, int]:
    """Return the nearest point on the edge of a box."""
    left, top, right, bottom = box
    ways = (
        (x - left, (left, y)),
        (right - x, (right, y)),
        (y - top, (x, top)),
        (bottom - y, (x, bottom)),
    )
    return min(ways)[1]


def joined(parts: list[list[int]], box: Box) -> list[list[int]]:
    """Return the rings that parts of the coast make with the edge of the bounds."""
    by_start = sorted((around(part[0], part[1], box), n) for n, part in enumerate(parts))
    unused = set(range(len(parts)))
    rings = []
    while unused:
        first = number = min(unused)
        ring: list[int] = []
        while True:
            unused.discard(number)
            ring += parts[number]
            leaves = around(ring[-2], ring[-1], box)
            number = next_start(by_start, leaves, unused | {first})
            ring += corners(leaves, around(parts[number][0], parts[number][1], box), box)
            if number == first:
                break
        rings.append([*ring, *ring[:2]])
    return rings


def next_start(by_start: list[tuple[float, int]], leaves: float, allowed: set[int]) -> int:
    """Return which part begins next on the edge, clockwise from where the last one left it."""
    ranked = [((start - leaves) % 4, n) for start, n in by_start if n in allowed]
    return min(ranked)[1]


def around(x: int, y: int, box: Box) -> float:
    """Return how far along the edge a point is, clockwise from the upper left corner, 0 to 4."""
    left, top, right, bottom = box
    wide, high = right - left, bottom - top
    sides = (
        (abs(y - top), (x - left) / wide),
        (abs(right - x), 1 + (y - top) / high),
        (abs(bottom - y), 2 + (right - x) / wide),
        (abs(x - left), 3 + (bottom - y) / high),
    )
    return min(sides)[1] % 4


def corners(leaves: float, enters: float, box: Box) -> list[int]:
    """Return the corners of the bounds that lie between two places on the edge, clockwise."""
    left, top, right, bottom = box
    places = ((left, top), (right, top), (right, bottom), (left, bottom))
    if enters <= leaves:
        enters += 4
    out: list[int] = []
    for corner in range(int(leaves) + 1, int(enters) + 1):
        out += places[corner % 4]
    return out
