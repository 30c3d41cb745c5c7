"""Blocks of a matrix and pieces of a trip."""

from __future__ import annotations

import math

import pytest

from hub.builtin.tables import Table, blocks, pieces


def cells(found: list[tuple[list[int], list[int]]]) -> list[tuple[int, int]]:
    return [(row, column) for rows, columns in found for row in rows for column in columns]


@pytest.mark.parametrize(
    ("size", "most", "side"), [(7, 4, 2), (25, 100, 10), (3, 100, 50), (9, 5, 9)]
)
def test_blocks_hold_every_cell_once_and_keep_to_the_limits(
    size: int, most: int, side: int
) -> None:
    found = list(blocks(size, most, side))
    assert sorted(cells(found)) == [(a, b) for a in range(size) for b in range(size)]
    assert all(len(rows) * len(columns) <= most for rows, columns in found)
    assert all(max(len(rows), len(columns)) <= side for rows, columns in found)


def test_blocks_of_few_points_hold_their_rows_and_columns_alone() -> None:
    found = list(blocks(10, 20, 10, (2, 5, 5)))
    wanted = [(a, b) for a in range(10) for b in range(10) if a in (2, 5) or b in (2, 5)]
    assert sorted(cells(found)) == wanted
    assert len(found) == 2


def test_a_row_uses_what_a_block_may_hold() -> None:
    assert len(list(blocks(100, 100, 100, (0,)))) == 2


def test_cells_are_rounded_and_those_without_a_way_are_negative_in_both_tables() -> None:
    table = Table(2)
    table.put(([0, 1], [0, 1]), [[5, 9.6], [math.nan, 3]], [[1, None], [7.5, 2]])
    found = table.matrix()
    assert found.seconds.lists() == [[0, -1], [-1, 0]]
    table.put(([0], [1]), [[9.6]], [[2**40]])
    table.put(([1], [0]), [[1.4]], [[7.5]])
    found = table.matrix()
    assert found.seconds.lists() == [[0, 10], [1, 0]]
    assert found.metres.lists() == [[0, -1], [8, 0]]


def test_what_was_never_filled_in_and_what_was_cut_has_no_way() -> None:
    table = Table(3)
    table.put(([0], [0, 1, 2]), [[0, 1, 2]], [[0, 1, 2]])
    table.cut([2])
    assert table.matrix().seconds.lists() == [[0, 1, -1], [-1, 0, -1], [-1, -1, 0]]


@pytest.mark.parametrize("seconds", [[[1, 2]], [[1], [2]], 7, [["x"]], None])
def test_a_table_of_another_size_is_refused(seconds: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        Table(2).put(([0], [1]), seconds, seconds)


def test_pieces_of_a_trip_join_where_they_end() -> None:
    assert list(pieces("abcdefg", 3)) == ["abc", "cde", "efg"]
    assert list(pieces("abcd", 3)) == ["abc", "cd"]
    assert list(pieces("ab", 3)) == ["ab"]
