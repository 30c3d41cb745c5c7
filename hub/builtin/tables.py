"""A matrix put together from blocks, as services hand it out: so many cells at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isqrt
from typing import Any, TypeVar

from hub.nouns import Matrix
from hub.nouns.grid import LARGEST, Grid

T = TypeVar("T")
Block = tuple[list[int], list[int]]
"""Rows and columns that are asked for together."""


class Table:
    """The cells of a matrix while they come in; those that never come say that there is no way."""

    def __init__(self, size: int) -> None:
        import numpy as np

        self.size = size
        self.seconds: Any = np.full((size, size), np.nan)
        self.metres: Any = np.full((size, size), np.nan)

    def put(self, block: Block, seconds: Any, metres: Any) -> None:
        """Fill in a block of rows of numbers, None where there is no way.

        Raises `ValueError` or `TypeError` for what is no table of its size.
        """
        import numpy as np

        place = np.ix_(*block)
        shape = (len(block[0]), len(block[1]))
        for table, cells in ((self.seconds, seconds), (self.metres, metres)):
            made = np.array(cells, dtype=float)
            if made.shape != shape:
                raise ValueError(f"a table of {made.shape} came instead of {shape}")
            table[place] = made

    def cut(self, points: Sequence[int]) -> None:
        """Say that there is no way from or to some points."""
        import numpy as np

        for table in (self.seconds, self.metres):
            table[list(points), :] = np.nan
            table[:, list(points)] = np.nan

    def matrix(self) -> Matrix:
        """Return what came in; a point is at no distance from itself."""
        import numpy as np

        known = np.isfinite(self.seconds) & np.isfinite(self.metres)
        grids = [whole(np.where(known, table, -1)) for table in (self.seconds, self.metres)]
        return Matrix(seconds=grids[0], metres=grids[1])


def whole(table: Any) -> Grid:
    """Return a square array of numbers as a grid: rounded, -1 for what is no distance."""
    import numpy as np

    within = (table >= 0) & (table <= LARGEST)  # not a number is within nothing
    cells = np.where(within, table, -1.0)
    cells += np.where(within, 0.5, 0.0)
    numbers = cells.astype(np.intc)
    np.fill_diagonal(numbers, 0)
    return Grid.of(numbers)


def blocks(
    size: int, most: int, side: int, touching: Sequence[int] | None = None
) -> Iterator[Block]:
    """Yield the blocks of a matrix: at most `most` cells, and `side` rows or columns, in each.

    With `touching` only those that hold a row or a column of these points.
    """
    every = list(range(size))
    if touching is None:
        yield from spans(every, every, most, side)
        return
    wanted = sorted(set(touching))
    others = sorted(set(every) - set(wanted))
    yield from spans(wanted, every, most, side)
    yield from spans(others, wanted, most, side)


def spans(rows: list[int], columns: list[int], most: int, side: int) -> Iterator[Block]:
    """Yield rows x columns in blocks that are as square as they can be."""
    if not rows or not columns:
        return
    high = max(1, min(len(rows), side, isqrt(most)))
    wide = max(1, min(len(columns), side, most // high))
    high = max(1, min(len(rows), side, most // wide))
    for top in range(0, len(rows), high):
        for left in range(0, len(columns), wide):
            yield rows[top : top + high], columns[left : left + wide]


def pieces(points: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    """Yield a trip in pieces of at most `most` points; each begins where the last one ended."""
    for first in range(0, len(points) - 1, most - 1):
        yield points[first : first + most]
