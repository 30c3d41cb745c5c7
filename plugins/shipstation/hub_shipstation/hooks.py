"""Make sure that a webhook of ours exists once at ShipStation, and points where it should."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hub import Hook, Rejected

NAME = "Lastmile Hub"


@dataclass(frozen=True)
class Known:
    """A webhook as ShipStation lists it."""

    id: str
    url: str
    event: str
    active: bool = True


def of_ours(known: list[Known], hook: Hook) -> list[Known]:
    """Return the webhooks of this connection, also those at an address that it had before."""
    stem = hook.url.rpartition("/")[0] + "/"
    return [one for one in known if one.url.startswith(stem)]


def settle(
    known: list[Known],
    hook: Hook,
    event: str,
    make: Callable[[], None],
    remove: Callable[[str], None],
) -> str:
    """Leave exactly one active webhook for an event; return in words what was done."""
    good: list[Known] = []
    spare: list[Known] = []
    for one in of_ours(known, hook):
        fits = one.url == hook.url and one.event == event and one.active and not good
        (good if fits else spare).append(one)
    if not good:
        make()
    for one in spare:
        take_back(one, remove)
    done = "is there" if good else "was made"
    more = f", {len(spare)} of before taken back" if spare else ""
    return f"the webhook {event} {done}{more}"


def take_back(one: Known, remove: Callable[[str], None]) -> None:
    """Remove a webhook; one that somebody else has removed meanwhile is no error."""
    try:
        remove(one.id)
    except Rejected:
        return
