"""What a class with a fault says about itself, and the list of them all."""

from __future__ import annotations

from typing import Any, ClassVar

FAULTS: list[type[Any]] = []


class Faulty:
    """The checks that a class fails, and words of what they tell to do."""

    sees: ClassVar[tuple[str, ...]]
    tells: ClassVar[str]

    def __init_subclass__(cls, **named: Any) -> None:
        FAULTS.append(cls)
        super().__init_subclass__(**named)


def brought(module: str, *kinds: type[Any]) -> list[type[Any]]:
    """Return the classes with a fault that stand in a module and are of one of the kinds."""
    return [one for one in FAULTS if one.__module__ == module and issubclass(one, kinds)]
