"""Lines packed into text."""

from __future__ import annotations

import pytest

from hub.builtin.polyline import unpack
from hub.testing.peers.valhalla import pack


def test_the_example_of_the_formats_authors_is_read() -> None:
    found = unpack("_p~iF~ps|U_ulLnnqC_mqNvxq`@", 5)
    assert found == [(38.5, -120.2), (40.7, -120.95), (43.252, -126.453)]


def test_what_is_packed_comes_back() -> None:
    line = [(47.141, 9.5209), (-33.8688, 151.2093), (0.0, -0.000001)]
    assert unpack(pack(line)) == line
    assert unpack("") == []


@pytest.mark.parametrize("text", ["_p~iF", "_", "é", " "])
def test_what_is_no_line_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a line"):
        unpack(text)
