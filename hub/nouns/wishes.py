"""What an order may ask of who brings it, as a source writes it: tags, priorities, loads, hours."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from unicodedata import category, normalize

from pydantic import BeforeValidator, Field

LONGEST_TAG = 30
PRIORITIES = {"low": 0, "normal": 1, "high": 20, "must": 100}
"""Words for a priority; an order that says nothing is normal."""


def tag(said: Any) -> Any:
    """Return a tag as it is compared: `Cold  Chain` and `cold-chain` are one."""
    if not isinstance(said, str):
        return said
    return re.sub(r"[\s_]+", "-", normalize("NFC", said).strip().casefold())


def is_tag(said: Any) -> Any:
    """Return a tag as it is compared; refuse what is none in words, before a pattern does it."""
    found = tag(said)
    if not isinstance(found, str):
        return found
    if len(found) > LONGEST_TAG or not found[:1].isalnum() or not all(map(in_tag, found)):
        raise ValueError(
            f"{said[:LONGEST_TAG]!r} cannot be one; write up to {LONGEST_TAG} letters, digits, "
            "dots and hyphens, such as fridge"
        )
    return found


def in_tag(letter: str) -> bool:
    """Return whether a tag may have a character."""
    return letter.isalnum() or letter in ".-" or category(letter).startswith("M")


def number_of(said: Any) -> Any:
    """Return the number that a word for a priority stands for."""
    return PRIORITIES.get(said.strip().casefold(), said) if isinstance(said, str) else said


def word_of(priority: int) -> str:
    """Return the word for a priority, or its number."""
    return next((word for word, number in PRIORITIES.items() if number == priority), str(priority))


Tag = Annotated[
    str,
    BeforeValidator(is_tag),
    Field(pattern=r"^[\p{L}\p{N}][\p{L}\p{M}\p{N}.-]{0,29}$", max_length=30),
]
"""Something that a driver or a vehicle has and a stop needs, e.g. `fridge`."""
Tags = Annotated[tuple[Tag, ...], Field(max_length=20)]
Priority = Annotated[
    int, BeforeValidator(number_of, json_schema_input_type=int | str), Field(ge=0, le=100)
]
"""0 to 100, or one of the words low, normal, high, must."""
LocalWindow = Annotated[
    str, Field(pattern=r"^([01]?\d|2[0-3]):[0-5]\d ?- ?([01]?\d|2[0-3]):[0-5]\d$")
]
"""Such as 08:00-10:00, at the depot."""
Load = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
LoadsByName = Annotated[dict[Annotated[str, Field(max_length=20)], Load], Field(max_length=5)]
"""How much of each measure of the operator's, e.g. `{"kg": 12.5}`."""
Turn = Literal["", "first", "last"]
"""Before or after all others of the route."""
