"""What remote services said about travel times, kept so that only new legs are asked for.

One file holds the square of all points that were asked under one key. Losing a file costs a few
requests: who finds none, or half of one, asks anew. Processes need no lock, because a file is
replaced in one step; what another process wrote meanwhile is asked again some day.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.nouns import Legs, Matrix
from hub.nouns.grid import Grid

FORMAT = 1
MOST = 2000
"""Points of one file, which then has 32 MB; those that were not asked for longest make room."""
LARGEST = 256_000_000
"""Bytes of all files together; the oldest make room."""
DAYS = 30 * 86_400.0
"""How long what does not depend on the hour is believed."""
UNKNOWN = -(2**31)
"""A leg that was never asked for; no grid holds this number."""
Ask = Callable[[Legs], Matrix]


@dataclass
class Square:
    """What is known between some points: `points` in 1e-5 degrees, tables of seconds and metres."""

    points: Any
    asked_at: Any
    """Seconds since 1970 when a point came in; no leg of it is older."""
    used_at: Any
    seconds: Any
    metres: Any
    approximate: bool = False
    margin: float = 0.0


def cached(
    folder: Path, key: Sequence[object], legs: Legs, ask: Ask, seconds: float = DAYS
) -> Matrix:
    """Return a matrix of which only what is not known, or older than `seconds`, is asked for.

    `key` names everything but the points on which the answer depends.
    """
    import numpy as np

    degrees = np.array([(point.lat, point.lon) for point in legs.points], dtype=float)
    rounded = np.rint(degrees.reshape(-1, 2) * 1e5).astype(np.int64)
    points, first, which = np.unique(rounded, axis=0, return_index=True, return_inverse=True)
    which = which.reshape(-1)
    if not 2 <= len(points) <= MOST:
        return ask(legs)
    path = folder / f"{named(key)}.npz"
    now = time.time()
    known = read(path, now - seconds)
    at = places_in(known, points)
    if known is not None and at is not None and not unknown(known, at):
        return told(known, at[which])
    square = spread(known, points, now)
    count = len(points)
    missing = lacking(square.seconds[:count, :count] == UNKNOWN)
    if missing:
        asked = legs.model_copy(
            update={
                "points": tuple(legs.points[at] for at in first),
                "touching": tuple(missing) if len(missing) < count - 1 else None,
            }
        )
        take(square, ask(asked), missing, count)
        write(path, trimmed(square))
        tidy(folder)
    return told(square, which)


def told(square: Square, which: Any) -> Matrix:
    """Return what a square says of the points that are meant, in their order."""
    return Matrix(
        seconds=picked(square.seconds, which),
        metres=picked(square.metres, which),
        approximate=square.approximate,
        margin=square.margin,
    )


def places_in(known: Square | None, points: Any) -> Any | None:
    """Return where each of `points` is in a square, None where one is not in it.

    What is all known is then picked without copying the rest of a large square.
    """
    import numpy as np

    if known is None:
        return None
    place = {tuple(point): at for at, point in enumerate(known.points.tolist())}
    found = [place.get(tuple(point), -1) for point in points.tolist()]
    return None if -1 in found else np.array(found)


def unknown(square: Square, at: Any) -> bool:
    """Say whether a leg between some points of a square was never asked for."""
    import numpy as np

    return bool((square.seconds[np.ix_(at, at)] == UNKNOWN).any())


def named(key: Sequence[object]) -> str:
    """Return the name of a key's file."""
    return hashlib.sha256(json.dumps(key, default=str).encode()).hexdigest()[:32]


def spread(known: Square | None, points: Any, now: float) -> Square:
    """Return a square whose first points are `points`, with what is known; the rest follows."""
    import numpy as np

    old = known.points if known is not None else points[:0]
    place = {tuple(point): at for at, point in enumerate(old.tolist())}
    from_old = np.array([place.get(tuple(point), -1) for point in points.tolist()])
    others = np.setdiff1d(np.arange(len(old)), from_old)
    source = np.concatenate([from_old, others]).astype(int)
    have = source >= 0
    size = len(source)
    made = Square(
        points=np.concatenate([points, old[others]]),
        asked_at=np.full(size, now),
        used_at=np.full(size, now),
        seconds=np.full((size, size), UNKNOWN, np.int32),
        metres=np.full((size, size), UNKNOWN, np.int32),
    )
    np.fill_diagonal(made.seconds, 0)
    np.fill_diagonal(made.metres, 0)
    if known is not None:
        both, before = np.ix_(have, have), np.ix_(source[have], source[have])
        made.seconds[both] = known.seconds[before]
        made.metres[both] = known.metres[before]
        made.asked_at[have] = known.asked_at[source[have]]
        made.used_at[len(points) :] = known.used_at[others]
        made.approximate, made.margin = known.approximate, known.margin
    return made


def lacking(unknown: Any) -> list[int]:
    """Return few points whose rows and columns hold every unknown leg."""
    import numpy as np

    left = unknown.copy()
    counts = left.sum(0) + left.sum(1)
    found = []
    while counts.any():
        at = int(np.argmax(counts))
        found.append(at)
        counts -= left[at].astype(counts.dtype) + left[:, at]
        left[at] = left[:, at] = False
        counts[at] = 0
    return sorted(found)


def take(square: Square, said: Matrix, missing: list[int], count: int) -> None:
    """Put what was said of the legs from and to `missing` into a square."""
    import numpy as np

    for table, grid in ((square.seconds, said.seconds), (square.metres, said.metres)):
        cells = np.asarray(grid)
        table[missing, :count] = cells[missing]
        table[:count, missing] = cells[:, missing]
    square.approximate, square.margin = said.approximate, said.margin


def trimmed(square: Square) -> Square:
    """Return a square of at most `MOST` points: those that were asked for last."""
    import numpy as np

    if len(square.points) <= MOST:
        return square
    kept = np.sort(np.argsort(-square.used_at, kind="stable")[:MOST])
    return narrowed(square, kept)


def narrowed(square: Square, kept: Any) -> Square:
    """Return a square of some of its points."""
    import numpy as np

    both = np.ix_(kept, kept)
    return Square(
        points=square.points[kept],
        asked_at=square.asked_at[kept],
        used_at=square.used_at[kept],
        seconds=square.seconds[both],
        metres=square.metres[both],
        approximate=square.approximate,
        margin=square.margin,
    )


def picked(table: Any, which: Any) -> Grid:
    """Return the cells of some points, a point as often as it is named, as a grid."""
    import numpy as np

    return Grid.of(np.ascontiguousarray(table[np.ix_(which, which)], dtype=np.intc))


def read(path: Path, oldest: float) -> Square | None:
    """Return what a file knows that was asked since `oldest`; None where it tells nothing."""
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as file:
            if int(file["format"]) != FORMAT:
                return None
            found = Square(
                points=file["points"],
                asked_at=file["asked_at"],
                used_at=file["used_at"],
                seconds=file["seconds"],
                metres=file["metres"],
                approximate=bool(file["approximate"]),
                margin=float(file["margin"]),
            )
        size = len(found.points)
        if not found.seconds.shape == found.metres.shape == (size, size):
            return None
        young = found.asked_at >= oldest
        return found if young.all() else narrowed(found, np.flatnonzero(young))
    except Exception:  # whatever lies there: it is only kept, and can be asked again
        return None


def write(path: Path, square: Square) -> None:
    """Replace a file in one step; where nothing can be written, nothing is kept."""
    import numpy as np

    made = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, made = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            np.savez(file, format=FORMAT, **vars(square))
        os.replace(made, path)
    except OSError:
        if made:
            Path(made).unlink(missing_ok=True)


def tidy(folder: Path) -> None:
    """Delete the oldest files where all together are too large, and what a lost process left."""
    found = []
    for path in folder.glob("*"):
        try:
            facts = path.stat()
        except OSError:  # another process was quicker
            continue
        if path.suffix == ".tmp" and facts.st_mtime < time.time() - 3600:
            path.unlink(missing_ok=True)
        elif path.suffix == ".npz":
            found.append((facts.st_mtime, facts.st_size, path))
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= LARGEST:
            break
        path.unlink(missing_ok=True)
        total -= size
