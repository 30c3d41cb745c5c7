"""Passwords are long and not what anybody would try first."""

from __future__ import annotations

import pytest

from hub.access import passwords
from hub.errors import Refused


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "at least 12"),
        ("x" * 201, "at most 200"),
        ("aaaaaaaaaaaabbbb", "same few characters"),
        ("password1234", "anybody would try"),
        ("Passwort123456!", "anybody would try"),
        ("qwertyuiop1234", "anybody would try"),
        ("mara.vogt@example.com", "own name or address"),
        ("MaraVogt2026", "own name or address"),
        ("seven\x00green bicycles", "NUL"),
    ],
)
def test_a_weak_password_is_refused_with_what_to_change(password: str, why: str) -> None:
    with pytest.raises(Refused, match=why) as caught:
        passwords.check(password, email="mara.vogt@example.com", name="Mara Vogt")
    assert caught.value.field == "password"


@pytest.mark.parametrize(
    "password", ["correct horse", "seven green bicycles", "grüne Fahrräder am See", "Xk2!vQ9#tL0z"]
)
def test_a_long_one_will_do_whatever_it_is_made_of(password: str) -> None:
    passwords.check(password, email="mara.vogt@example.com", name="Mara Vogt")
