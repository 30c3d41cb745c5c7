"""The plane on which maps are drawn: Web Mercator, in whole numbers, cut and thinned out."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Sequence

BITS = 30
"""The world is a square of 2^30 units: one is 3.7 cm at the equator."""
WORLD = 1 << BITS
EXTENT_BITS = 12
"""A tile has 4096 x 4096 units of its own."""
Box = tuple[int, int, int, int]
"""(left, top, right, bottom), y grows to the south."""


def project(lat: float, lon: float) -> tuple[int, int]:
    """Return the place of a point on the plane (EPSG:3857, scaled)."""
    sine = math.sin(math.radians(max(-85.0, min(85.0, lat))))
    y = 0.5 - math.log((1 + sine) / (1 - sine)) / (4 * math.pi)
    return int((lon + 180) / 360 * WORLD), int(y * WORLD)


def unproject(x: float, y: float) -> tuple[float, float]:
    """Return (lat, lon) of a place on the plane."""
    lat = math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / WORLD))))
    return lat, x / WORLD * 360 - 180


def box_of(line: Sequence[int]) -> Box:
    """Return the smallest box around a line of alternating x and y."""
    xs, ys = line[::2], line[1::2]
    return min(xs), min(ys), max(xs), max(ys)


def area_of(ring: Sequence[int]) -> float:
    """Return the area of a closed ring in square units; its sign is the sense of rotation."""
    total = 0
    for at in range(0, len(ring) - 2, 2):
        total += ring[at] * ring[at + 3] - ring[at + 2] * ring[at + 1]
    return total / 2


def thin(line: array[int], tolerance: int) -> array[int]:
    """Return a line without the points that lie within `tolerance` of it (Douglas-Peucker)."""
    last = len(line) // 2 - 1
    if last < 2 or tolerance <= 0:
        return line
    keep = bytearray(last + 1)
    keep[0] = keep[last] = 1
    open_parts = [(0, last)]
    limit = float(tolerance * tolerance)
    while open_parts:
        first, end = open_parts.pop()
        at, worst = farthest(line, first, end)
        if worst > limit:
            keep[at] = 1
            if at - first > 1:
                open_parts.append((first, at))
            if end - at > 1:
                open_parts.append((at, end))
    out = array("i")
    for at in range(last + 1):
        if keep[at]:
            out.extend(line[2 * at : 2 * at + 2])
    return out


def farthest(line: array[int], first: int, end: int) -> tuple[int, float]:
    """Return which point between two is farthest from the chord, and its squared distance."""
    ax, ay = line[2 * first], line[2 * first + 1]
    dx, dy = line[2 * end] - ax, line[2 * end + 1] - ay
    length = dx * dx + dy * dy
    best, worst = first + 1, -1.0
    for at in range(first + 1, end):
        px, py = line[2 * at] - ax, line[2 * at + 1] - ay
        if length:
            share = (px * dx + py * dy) / length
            share = 0.0 if share < 0 else 1.0 if share > 1 else share
            px, py = px - share * dx, py - share * dy  # type: ignore[assignment]
        away = float(px * px + py * py)
        if away > worst:
            best, worst = at, away
    return best, worst


def cut_line(line: Sequence[int], box: Box) -> Iterator[list[int]]:
    """Yield the parts of a line that lie in a box (Liang-Barsky, segment by segment)."""
    part: list[int] = []
    for at in range(0, len(line) - 2, 2):
        inside = cut_segment(line[at], line[at + 1], line[at + 2], line[at + 3], box)
        if inside is None:
            if part:
                yield part
                part = []
            continue
        x0, y0, x1, y1 = inside
        if part and (part[-2] != x0 or part[-1] != y0):
            yield part
            part = []
        if not part:
            part = [x0, y0]
        part += (x1, y1)
    if part:
        yield part


def cut_segment(x0: int, y0: int, x1: int, y1: int, box: Box) -> Box | None:
    """Return the part of a segment inside a box, or None."""
    left, top, right, bottom = box
    if left <= x0 <= right and left <= x1 <= right and top <= y0 <= bottom and top <= y1 <= bottom:
        return x0, y0, x1, y1
    dx, dy = x1 - x0, y1 - y0
    begin, end = 0.0, 1.0
    for step, room in ((-dx, x0 - left), (dx, right - x0), (-dy, y0 - top), (dy, bottom - y0)):
        if step == 0:
            if room < 0:
                return None
            continue
        share = room / step
        if step < 0:
            begin = max(begin, share)
        else:
            end = min(end, share)
        if begin > end:
            return None
    return (
        round(x0 + begin * dx),
        round(y0 + begin * dy),
        round(x0 + end * dx),
        round(y0 + end * dy),
    )


def cut_ring(ring: Sequence[int], low: int, high: int, axis: int) -> list[int]:
    """Return the part of a ring between two parallels to an axis (Sutherland-Hodgman).

    `axis` 0 cuts by x, 1 by y. The ring is closed, and so is what is returned; it may be empty.
    """
    kept = half(ring, low, axis, 1)
    return half(kept, high, axis, -1) if kept else kept


def half(ring: Sequence[int], edge: int, axis: int, side: int) -> list[int]:
    """Return the part of a closed ring on one side of a line."""
    out: list[int] = []
    other = 1 - axis
    before: tuple[int, int] | None = None
    was = False
    for at in range(0, len(ring), 2):
        along, across = ring[at + axis], ring[at + other]
        here = (along - edge) * side >= 0
        if before is not None and here != was:
            share = (edge - before[0]) / (along - before[0])
            crossing = round(before[1] + share * (across - before[1]))
            out += (edge, crossing) if axis == 0 else (crossing, edge)
        if here:
            out += (along, across) if axis == 0 else (across, along)
        before, was = (along, across), here
    if out and (out[0] != out[-2] or out[1] != out[-1]):
        out += out[:2]
    return out if len(out) >= 8 else []
