"""Files are named by what they hold."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hub.errors import Missing, Refused
from hub.files import Files


def test_what_is_put_is_got_by_its_hash(tmp_path: Path) -> None:
    files = Files(f"file://{tmp_path}")
    digest = files.put(b"photo")
    assert digest == hashlib.sha256(b"photo").hexdigest()
    assert files.get(digest) == b"photo"
    assert files.put(b"photo") == digest
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


@pytest.mark.parametrize("name", ["../../etc/passwd", "a" * 63, "A" * 64, "", "0" * 64])
def test_nothing_but_a_stored_hash_is_a_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(Missing):
        Files(f"file://{tmp_path}").get(name)


def test_an_address_of_another_kind_is_refused() -> None:
    with pytest.raises(Refused, match="file:"):
        Files("s3://bucket")
