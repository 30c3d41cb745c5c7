"""Reading a source to its end, and from where a crash left it, as the hub does."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hub.nouns import Cursor
from hub.testing.conformance.checks import demand
from hub.testing.conformance.ground import Ground, calls_a_service

ROUNDS = 50
"""Times that a source may be asked for more until it has to be at its end."""


def stream(kit: Ground, verb: str, url: str, cursor: Cursor | None = None) -> list[Any]:
    """Return all that a source yields, call after call, until nothing is new."""
    at, found = cursor or Cursor(), []
    made = kit.built(url)
    for _ in range(ROUNDS):
        got = kit.outcome(verb, at, made=made)
        demand(
            got.error is None,
            f"{kit.at(verb)} fails when it reads from {at!r}: {got}; see that answers or serve() "
            f"of {type(kit).__name__} are what the service answers",
            got.error,
        )
        found += got.value
        last = last_cursor(got.value)
        rests = len(got.value) == (0 if last is None else 1) and served(kit, verb)
        if last is None or last == at or rests:
            return found
        at = last
    raise AssertionError(
        f"{kit.at(verb)} is not at its end after {ROUNDS} calls; the last cursor is {at!r}: let "
        f"its cursor move on, and let the last of answers[{verb!r}] be the answer when nothing is "
        "new"
    )


def served(kit: Ground, verb: str) -> bool:
    """Say whether every page that the test has was asked for."""
    return len(kit.asked.get(verb, [])) >= len(kit.answers.get(verb, []))


def last_cursor(found: list[Any]) -> Cursor | None:
    """Return the last cursor among what was yielded."""
    return next((one for one in reversed(found) if isinstance(one, Cursor)), None)


def records(found: list[Any], kind: type[Any]) -> list[Any]:
    """Return the records among what was yielded."""
    return [one for one in found if isinstance(one, kind)]


def has_pages(verb: str) -> Callable[[type[Ground]], bool]:
    """Return what says whether a test class tells what is answered to a method."""

    def ready(kit: type[Ground]) -> bool:
        told = verb in kit.answers or kit.serve is not Ground.serve
        return told or not calls_a_service(kit)

    return ready


def demand_pages(kit: Ground, verb: str) -> None:
    """Fail where the author has not yet said what the service answers."""
    demand(
        has_pages(verb)(type(kit)),
        f'give {type(kit).__name__} answers = {{"{verb}": [FIRST, SECOND, NONE]}}: what the '
        f"service answers to {kit.at(verb)}, two pages of records and the answer when nothing is "
        "new",
    )


def demand_kinds(kit: Ground, verb: str, found: list[Any], kinds: tuple[type[Any], ...]) -> None:
    """Fail where something else than these was yielded."""
    names = ", ".join(kind.__name__ for kind in kinds)
    wrong = [one for one in found if not isinstance(one, kinds)]
    demand(
        not wrong,
        f"{kit.at(verb)} yields {str(wrong[:1])[:200]}; yield {names} and nothing else",
    )


def demand_resumes(kit: Ground, verb: str, url: str, kind: type[Any]) -> None:
    """Stop after each thing that is yielded, go on from the last cursor, and miss nothing."""
    whole = stream(kit, verb, url)
    wanted = {repr(one) for one in records(whole, kind)}
    for cut in range(1, min(len(whole), 40) + 1):
        kept = whole[:cut]
        cursor = last_cursor(kept)
        safe = kept[: len(kept) - kept[::-1].index(cursor)] if cursor else []
        again = stream(kit, verb, url, cursor)
        missing = wanted - {repr(one) for one in records(safe + again, kind)}
        demand(
            not missing,
            f"{kit.at(verb)} loses {len(missing)} records when the hub stops after {cut} of what "
            f"it yields and goes on from {cursor!r}: yield a Cursor only after everything before "
            "it; if it then asks what answers do not hold, write serve(request) in the test",
        )


def demand_no_repetition(kit: Ground, verb: str, url: str, kind: type[Any]) -> None:
    """Read to the end, and once more: every record came once, and every page was read."""
    whole = stream(kit, verb, url)
    found = [repr(one) for one in records(whole, kind)]
    demand(
        len(found) == len(set(found)),
        f"{kit.at(verb)} yields {len(found) - len(set(found))} records twice on its way through "
        "the pages; ask for what comes after cursor.value",
    )
    demand(
        served(kit, verb),
        f"{kit.at(verb)} stops before it has read all of answers[{verb!r}]: it asked "
        f"{len(kit.asked.get(verb, []))} questions; yield a Cursor that tells the next page",
    )
    end = last_cursor(whole)
    demand(
        end is not None or not found,
        f"{kit.at(verb)} yields records but no Cursor, so nothing of it is ever saved; yield one "
        "after each page",
    )
    again = records(stream(kit, verb, url, end), kind)
    demand(
        not again,
        f"{kit.at(verb)} yields {len(again)} records again from its own last cursor {end!r}; ask "
        "for what comes after cursor.value",
    )


@contextmanager
def zone(name: str) -> Iterator[None]:
    """Let this process stand in another time zone."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = name
    time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
        time.tzset()


def demand_same_everywhere(kit: Ground, verb: str, url: str, kind: type[Any]) -> None:
    """Read the same in two time zones, and see that all instants name theirs."""
    told = []
    for name in ("Pacific/Auckland", "America/Los_Angeles"):
        kit.asked.clear()
        with zone(name):
            told.append(records(stream(kit, verb, url), kind))
    demand(
        told[0] == told[1],
        f"{kit.at(verb)} reads other times when the machine stands in another time zone; parse "
        "them with the zone that the service means: datetime.fromtimestamp(seconds, UTC)",
    )
    for one in records(stream(kit, verb, url), kind):
        try:
            kind.model_validate(one.model_dump(warnings=False))
        except ValueError as error:
            demand(
                False,
                f"{kit.at(verb)} yields a {kind.__name__} that is not valid: {error}; build it "
                "by its constructor, with instants that have a time zone",
            )


def first(kit: Ground, verb: str, url: str) -> list[Any]:
    """Return what one call from the beginning yields."""
    got = kit.outcome(verb, url=url)
    demand(
        got.error is None,
        f"{kit.at(verb)} fails on the first page of the sample: {got}; see that answers or "
        f"serve() of {type(kit).__name__} are what the service answers",
        got.error,
    )
    demand(
        isinstance(got.value, list) and got.value,
        f"{kit.at(verb)} yields nothing: {got}; yield records, then a Cursor",
    )
    found: list[Any] = got.value
    return found
