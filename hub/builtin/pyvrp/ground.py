"""The places of a problem and the ways between them, as PyVRP's locations and matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hub.nouns import Matrix, Problem, ProblemVehicle
from hub.planning.walk import NEVER

if TYPE_CHECKING:
    import numpy as np


def kind(seconds: int) -> str:
    """Return what a depot's place is for: to begin and end at, or to reload in `seconds`."""
    return "depot" if seconds < 0 else "reload"


class Ground:
    """Numbers the places that are used; stops that come first or last have places of their own."""

    def __init__(self) -> None:
        self.places: dict[tuple[int, str], int] = {}
        self.depots: dict[tuple[int, int], int] = {}

    def place(self, point: int, position: str = "") -> int:
        """Return the number of a place."""
        return self.places.setdefault((point, position), len(self.places))

    def depot(self, point: int, seconds: int = -1) -> int:
        """Return the number of a depot; `seconds` is how long a reload takes there."""
        self.place(point, kind(seconds))
        return self.depots.setdefault((point, seconds), len(self.depots))

    def matrices(
        self, problem: Problem, vehicles: Sequence[ProblemVehicle]
    ) -> tuple[list[Any], list[Any], dict[str, int]]:
        """Return metres and seconds for each profile that is used, and the profiles' numbers."""
        numbers: dict[str, int] = {}
        metres: list[Any] = []
        seconds: list[Any] = []
        known: dict[int, int] = {}
        for vehicle in vehicles:
            matrix = problem.matrix_of(vehicle)
            if id(matrix) not in known:
                known[id(matrix)] = len(metres)
                metres.append(self.cells(matrix.metres))
                seconds.append(self.ordered(self.cells(matrix.seconds)))
            numbers[vehicle.profile] = known[id(matrix)]
        return metres, seconds, numbers

    def cells(self, grid: Matrix | Any) -> np.ndarray[Any, Any]:
        """Return the part of a matrix that is used; `NEVER` where there is no way."""
        import numpy as np

        points = [point for point, _ in self.places]
        given: np.ndarray[Any, Any] = np.asarray(grid)
        if points != list(range(len(given))):
            given = given[np.ix_(points, points)]
        strange = given.min(initial=0) < 0 or given.max(initial=0) > NEVER
        cells = given.astype(np.int64)
        if strange:
            cells[(cells < 0) | (cells > NEVER)] = NEVER
        np.fill_diagonal(cells, 0)
        return cells

    def ordered(self, seconds: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Close the ways to what comes first from all that does not, and from what comes last."""
        kinds = [position for _, position in self.places]
        if not {"first", "last"} & set(kinds):
            return seconds
        for row, here in enumerate(kinds):
            for column, there in enumerate(kinds):
                before = there == "first" and here not in ("first", "depot")
                after = here == "last" and there not in ("last", "depot")
                if before or after:
                    seconds[row, column] = NEVER
        return seconds
