"""YAML is read as plain values, each with its place, and nothing clever in it survives."""

import pytest

from hub.workflow.problem import Invalid, Problem
from hub.workflow.yaml_source import read


def problems(text: str | bytes) -> list[Problem]:
    with pytest.raises(Invalid) as caught:
        read(text, "a.yaml")
    return caught.value.problems


def test_on_stays_a_word() -> None:
    assert read("on: yes").value == {"on": "yes"}


def test_only_true_false_null_and_plain_numbers_are_not_text() -> None:
    text = "[true, null, 3, -1.5, NO, 12:30, 2026-12-01, '7', \"true\"]"
    assert read(text).value == [
        True, None, 3, -1.5, "NO", "12:30", "2026-12-01", "7", "true",
    ]  # fmt: skip


def test_a_place_counts_characters_not_bytes() -> None:
    source = read("# Grüezi\nstraße: [a, 'ö {{ x }}']\n")
    assert source.problem(("straße", 1), "here", within="x }}") == Problem(2, 19, "here")


def test_a_missing_thing_is_reported_where_it_should_stand() -> None:
    source = read("a:\n  b: 1\n")
    assert source.problem(("a", "c", "d"), "here") == Problem(2, 3, "here")


@pytest.mark.parametrize(
    ("text", "line", "column", "part"),
    [
        ("a: &x 1\nb: *x", 2, 4, "aliases"),
        ("a: &x 1", 1, 4, "anchors"),
        ("a: !!python/object:os.system x", 1, 4, "tags"),
        ("a: 1\nb: 2\na: 3", 3, 1, "twice"),
        ("a: 0123", 1, 4, "several numbers"),
        ("a: 0x1F", 1, 4, "several numbers"),
        ("a: 1_000", 1, 4, "several numbers"),
        ("a: 1\n---\nb: 2", 2, 1, "second document"),
        ("a: [1, 2", 2, 1, "not YAML"),
        ("a: 'open", 1, 9, "not YAML"),
        ("a: \x07", 1, 4, "U+0007 cannot be seen"),
        ("? [a, b]\n: 1", 1, 3, "a key has to be a word"),
        ("", 1, 1, "empty"),
    ],
)
def test_what_is_not_plain_is_refused_with_its_place(
    text: str, line: int, column: int, part: str
) -> None:
    first = problems(text)[-1]
    assert (first.line, first.column) == (line, column)
    assert part in first.message


def test_three_thousand_brackets_are_refused_at_the_twentieth_level() -> None:
    assert "nested deeper than 20" in problems("[" * 3000)[0].message


def test_a_file_over_256_kb_is_refused_before_it_is_parsed() -> None:
    assert "256000" in problems("a: " + "x" * 300_000)[0].message


def test_a_billion_laughs_are_refused_without_being_told() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)
    )
    assert "aliases" in str(Invalid("", problems(bomb)))


def test_bytes_that_are_not_utf8_are_refused() -> None:
    assert "UTF-8" in problems(b"a: \xff")[0].message
