"""The table of travel times: small, square, whole, and readable by rows, numpy and JSON."""

import pickle
from array import array

import numpy as np
import pytest
from pydantic import ValidationError

from hub.nouns import Grid, Matrix

CELLS = [[0, 5], [7, 0]]


def test_it_is_read_by_rows_and_cells_as_pythons_numbers() -> None:
    grid = Grid(CELLS)
    assert (len(grid), grid[1][0], type(grid[1][0])) == (2, 7, int)
    assert [list(row) for row in grid] == CELLS


@pytest.mark.parametrize("cells", [CELLS, tuple(map(tuple, CELLS)), np.array(CELLS, np.int64)])
def test_a_matrix_takes_lists_tuples_and_arrays(cells: object) -> None:
    made = Matrix.model_validate({"seconds": cells, "metres": cells})
    assert made.seconds == Grid(CELLS)


def test_numpy_reads_it_without_a_copy_and_cannot_change_it() -> None:
    table = np.asarray(Grid(CELLS))
    assert table.tolist() == CELLS
    with pytest.raises(ValueError, match="read-only"):
        table[0, 1] = 9


def test_it_survives_json_and_pickle() -> None:
    made = Matrix.model_validate({"seconds": CELLS, "metres": CELLS})
    assert Matrix.model_validate_json(made.model_dump_json()) == made
    assert pickle.loads(pickle.dumps(made)) == made
    assert hash(made.seconds) == hash(Grid(CELLS))


def test_a_buffer_of_a_square_is_a_grid() -> None:
    assert Grid.of(array("i", [0, 5, 7, 0])) == Grid(CELLS)
    with pytest.raises(ValueError, match="no square"):
        Grid.of(array("i", [1, 2, 3]))


@pytest.mark.parametrize(
    "cells", [np.array([[0.5]]), np.array([[2**31]]), np.zeros((1, 2), int)], ids=str
)
def test_an_array_that_is_no_square_of_whole_numbers_is_refused(cells: object) -> None:
    with pytest.raises(ValidationError):
        Matrix.model_validate({"seconds": cells, "metres": cells})


@pytest.mark.parametrize("cells", [[[1, 2]], [[1.5]], [[True]], [[2**31]], ["ab", "cd"], 3, "1"])
def test_what_is_no_square_of_whole_numbers_is_refused(cells: object) -> None:
    with pytest.raises(ValidationError):
        Matrix.model_validate({"seconds": cells, "metres": cells})
