"""A square table of whole numbers: what a travel-time matrix is made of."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from math import isqrt
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

LARGEST = 2**31 - 1


class Grid(Sequence[Sequence[int]]):
    """An immutable n x n table of 32-bit whole numbers, 4 bytes each; `grid[row][column]`.

    It is made of rows of numbers, or of n * n of them in one buffer (row by row, such as a numpy
    array of int32), and numpy reads it without a copy: `numpy.asarray(grid)`.
    """

    __slots__ = ("_cells", "_rows", "_size")

    def __init__(self, rows: Iterable[Iterable[int]] = ()) -> None:
        cells, size = array("i"), 0
        made = [row if isinstance(row, (list, tuple)) else list(row) for row in rows]
        for row in made:
            if len(row) != len(made):
                raise ValueError(f"a grid is square: {len(made)} rows, but one has {len(row)}")
            cells.extend(whole(row))
            size += 1
        self._keep(cells, size)

    @classmethod
    def of(cls, cells: Any) -> Grid:
        """Return the grid of a buffer of n * n numbers of C type int (`array("i")`, int32)."""
        if not memoryview(cells).nbytes:
            return cls()
        flat = memoryview(cells).cast("B").cast("i")
        size = isqrt(len(flat))
        if size * size != len(flat):
            raise ValueError(f"{len(flat)} numbers make no square")
        grid = cls.__new__(cls)
        grid._keep(array("i", flat.tobytes()), size)
        return grid

    def _keep(self, cells: array[int], size: int) -> None:
        self._cells, self._size = cells, size
        view = memoryview(cells).toreadonly()
        self._rows = tuple(view[row * size : (row + 1) * size] for row in range(size))

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, row: Any) -> Any:
        return self._rows[row]

    def __iter__(self) -> Iterator[Sequence[int]]:
        return iter(self._rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Grid) and self._cells == other._cells

    def __hash__(self) -> int:
        return hash(self._cells.tobytes())

    def __repr__(self) -> str:
        return f"Grid({self.lists()!r})" if self._size <= 8 else f"<Grid {self._size}x{self._size}>"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        import numpy as np

        flat = np.frombuffer(self._cells, dtype=np.intc) if self._size else np.empty(0, np.intc)
        shaped = flat.reshape(self._size, self._size)
        shaped.flags.writeable = False
        return shaped.astype(dtype) if dtype is not None or copy else shaped

    def __reduce__(self) -> tuple[Any, ...]:
        return Grid.of, (self._cells,)

    def lists(self) -> list[list[int]]:
        """Return the table as lists of Python's numbers."""
        return [row.tolist() for row in self._rows]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        rows = core_schema.list_schema(core_schema.list_schema(core_schema.int_schema()))
        return core_schema.no_info_plain_validator_function(
            read,
            serialization=core_schema.plain_serializer_function_ser_schema(
                cls.lists, return_schema=rows
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        row = {"type": "array", "items": {"type": "integer"}}
        return {"type": "array", "items": row}


def whole(row: Sequence[Any]) -> Sequence[int]:
    """Return `row`, whose numbers must be whole; raise `ValueError` for another."""
    for cell in row:
        if type(cell) is not int or not -LARGEST <= cell <= LARGEST:
            raise ValueError(f"a grid holds whole numbers of 32 bits, not {cell!r}")
    return row


def read(value: Any) -> Grid:
    """Return what a field of type Grid is given as a grid."""
    if isinstance(value, Grid):
        return value
    if hasattr(value, "__array_interface__"):
        import numpy as np

        return Grid.of(np.ascontiguousarray(value, dtype=np.intc))
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise ValueError("a grid is made of rows of whole numbers")
    return Grid(value)
