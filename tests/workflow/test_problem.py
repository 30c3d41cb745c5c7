"""A mistake is shown where it stands, whatever the file holds."""

import pytest

from hub.workflow.problem import Invalid, Problem


def test_a_mistake_stands_above_its_line_with_a_caret_under_its_column() -> None:
    source = "on: x\nsteps:\n  - use: toy.sned\n"
    assert Problem(3, 10, "there is no action").block("a.yaml", source) == (
        "a.yaml:3:10: there is no action\n    - use: toy.sned\n           ^"
    )


def test_every_mistake_of_a_file_is_a_block_of_its_own() -> None:
    error = Invalid("a.yaml", [Problem(2, 1, "two"), Problem(1, 1, "one")])
    assert error.blocks("x\ny\n") == "a.yaml:1:1: one\n  x\n  ^\n\na.yaml:2:1: two\n  y\n  ^"


@pytest.mark.parametrize(
    ("line", "column", "pad"),
    [("\tx", 2, "\t"), ("日本x", 3, "    "), ("e\u0301x", 3, " ")],
    ids=["tab", "wide", "accent"],
)
def test_the_caret_stands_right_under_signs_of_other_widths(
    line: str, column: int, pad: str
) -> None:
    shown = Problem(1, column, "here").block("a.yaml", line).split("\n")
    assert shown[1:] == [f"  {line}", f"  {pad}^"]


def test_of_a_long_line_only_what_is_around_the_column_is_shown() -> None:
    _, line, caret = Problem(1, 5001, "here").block("a", "y" * 5000 + "X" * 9).split("\n")
    assert len(line) < 110
    assert line[len(caret) - 1] == "X"


def test_signs_that_a_terminal_would_obey_are_not_printed() -> None:
    shown = Problem(1, 1, "here").block("a", "a\x1b[2J\u202eb")
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_a_mistake_past_the_end_of_the_file_is_still_told() -> None:
    assert Problem(7, 3, "not YAML").block("a", "") == "a:7:3: not YAML"
