"""What a password has to be: long, and nothing that anybody would try first."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hub.errors import Refused

SHORTEST = 12
LONGEST = 200
FEWEST = 5
"""Different characters."""
REST = 8
"""Characters that have to be left without what can be guessed."""
OFTEN = (
    "password", "passwort", "passw0rd", "qwertyuiop", "qwertzuiop", "qwerty", "qwertz", "asdfgh",
    "123456789", "123456", "1234", "abcdef", "letmein", "iloveyou", "welcome", "admin", "lastmile",
)  # fmt: skip


def check(password: str, *, email: str = "", name: str = "") -> None:
    """Raise `Refused` with what to change; say nothing of a password that will do.

    Length counts most; no kinds of characters are asked for (after NIST SP 800-63B, 3.1.1).
    """
    if len(password) < SHORTEST:
        raise Refused(
            f"a password has at least {SHORTEST} characters; four or five words make a good one",
            "password",
        )
    if len(password) > LONGEST:
        raise Refused(f"a password has at most {LONGEST} characters", "password")
    if "\x00" in password:
        raise Refused("a password cannot have a NUL in it", "password")
    plain = password.lower()
    if len(set(plain)) < FEWEST:
        raise Refused("that is the same few characters again and again; mix more", "password")
    if len(without(plain, own_words(email, name))) < REST:
        raise Refused("it is mostly your own name or address; take other words", "password")
    if len(without(plain, OFTEN)) < REST:
        raise Refused("that is one of the first that anybody would try; take others", "password")


def without(text: str, words: Iterable[str]) -> str:
    """Return what is left of a text when words are taken out, the longest first."""
    for word in sorted(words, key=len, reverse=True):
        text = text.replace(word, "")
    return text


def own_words(email: str, name: str) -> list[str]:
    """Return the words of somebody's address and name, long enough to matter."""
    words = re.split(r"[\W_]+", f"{email.split('@')[0]} {name}".lower())
    return [email.lower()] * bool(email) + [word for word in words if len(word) >= 4]
