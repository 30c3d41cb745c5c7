"""Parts of a text message, at the edges where one letter more costs another part."""

from __future__ import annotations

import pytest

from hub.notify.segments import segments


@pytest.mark.parametrize(
    ("text", "encoding", "parts", "left"),
    [
        ("", "GSM-7", 1, 160),
        ("a" * 160, "GSM-7", 1, 0),
        ("a" * 161, "GSM-7", 2, 153 * 2 - 161),
        ("a" * 306, "GSM-7", 2, 0),
        ("a" * 307, "GSM-7", 3, 152),
        ("€" * 80, "GSM-7", 1, 0),
        ("€" * 81, "GSM-7", 2, 153 - 10),
        ("ë", "UCS-2", 1, 69),
        ("ë" * 70, "UCS-2", 1, 0),
        ("ë" * 71, "UCS-2", 2, 63),
        ("ë" * 134, "UCS-2", 2, 0),
        ("😀" * 35, "UCS-2", 1, 0),
        ("😀" * 36, "UCS-2", 2, 67 - 6),
        ("Grüezi, ä ö ü é à", "GSM-7", 1, 160 - 17),
    ],
)
def test_a_text_takes_as_many_parts_as_phones_count(
    text: str, encoding: str, parts: int, left: int
) -> None:
    found = segments(text)
    assert (found.encoding, found.parts, found.left) == (encoding, parts, left)


def test_what_takes_two_units_is_not_cut_in_two() -> None:
    found = segments("a" * 152 + "€" + "a" * 151)
    assert found.parts == 2
    assert segments("a" * 152 + "€" + "a" * 152).parts == 3


def test_it_says_which_letters_make_a_text_expensive() -> None:
    assert segments("Zoë, naïf ë").odd == "ëï"
    assert str(segments("ë")) == "1 part, UCS-2 because of ë, 69 left"
    assert str(segments("ok")) == "1 part, GSM-7, 158 left"
