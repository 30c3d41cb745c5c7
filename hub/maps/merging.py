"""Put the pieces of a street together, so that its name is written along all of it."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from hub.maps.extract import Line

End = tuple[int, int]
LONGEST = 20_000
"""Numbers of a line that grows no further: beyond that cutting it into tiles would be slow."""


def merged(lines: Iterable[Line]) -> list[Line]:
    """Return the lines with those joined that meet end to end and are drawn and named alike."""
    out: list[Line] = []
    groups: dict[tuple[int, bool, str, str], list[array[int]]] = {}
    for line in lines:
        groups.setdefault((line.kind, line.hidden, line.name, line.ref), []).append(line.points)
    for (kind, hidden, name, ref), pieces in groups.items():
        joined = join(pieces) if name or ref else pieces
        out += [Line(kind, hidden, name, ref, points) for points in joined]
    return out


def join(pieces: list[array[int]]) -> list[array[int]]:
    """Return pieces joined at ends that exactly two of them share."""
    parts: dict[int, array[int]] = dict(enumerate(pieces))
    ends: dict[End, list[int]] = {}
    for number, piece in parts.items():
        for end in (first(piece), last(piece)):
            ends.setdefault(end, []).append(number)
    for end in list(ends):
        meeting = ends[end]
        if len(meeting) != 2 or meeting[0] == meeting[1]:
            continue
        one, other = meeting
        if len(parts[one]) + len(parts[other]) > LONGEST:
            continue
        parts[one] = glued(parts[one], parts.pop(other), end)
        for far in (first(parts[one]), last(parts[one])):
            ends[far] = [one if number == other else number for number in ends[far]]
    return list(parts.values())


def glued(one: array[int], other: array[int], end: End) -> array[int]:
    """Return two pieces as one, turned so that they run through the end that they share."""
    head = one if last(one) == end else backwards(one)
    tail = other if first(other) == end else backwards(other)
    return head + tail[2:]


def backwards(piece: array[int]) -> array[int]:
    """Return a piece from its last point to its first."""
    out = array("i")
    for at in range(len(piece) - 2, -1, -2):
        out.extend(piece[at : at + 2])
    return out


def first(piece: array[int]) -> End:
    """Return the first point."""
    return piece[0], piece[1]


def last(piece: array[int]) -> End:
    """Return the last point."""
    return piece[-2], piece[-1]
