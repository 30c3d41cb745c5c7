"""How often a service may be called: counted over all workers, and never waited for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from secrets import token_hex

from hub.errors import Retry
from hub.ledgers import Alone, Call, Ledger, Refusal, Window

MINUTE, DAY = 60, 86_400
UNTOLD = 2.0
"""Seconds of rest after a 429 that names no time."""
_ledger: ContextVar[Ledger | None] = ContextVar("ledger", default=None)


class KeptBack(Retry):
    """Say that what is left of a budget is kept for other calls: these wait, those go on."""


@dataclass(frozen=True)
class Budget:
    """What a service lets one account do; everybody who gives the same `name` shares it.

    A limit of 0 is none. Hand it to `Http` or `GuardedPool`: each call takes from it first and
    raises `Retry` with the seconds until there is room again, without a call and without waiting.
    Minute and day end as one counts back from now, not on the clock. Inside the hub the count is
    kept in Redis for all workers; where Redis is away, and outside the hub, by each for itself.
    """

    name: str
    per_minute: int = 0
    per_day: int = 0
    concurrent: int = 0
    keep: float = 0.0
    """The share of minute and day, 0 to 1, that this caller leaves to the others of that name; it
    gets `KeptBack` instead, which does not stop those."""
    lease: float = 60.0
    """Seconds after which a call counts as ended, so that a killed worker gives its place back."""
    day_left: str = "X-DayLimit-Remaining"
    """The header of a reply that says what is left of the day."""
    minute_left: str = "X-MinLimit-Remaining"
    _alone: Alone = field(default_factory=Alone, compare=False, repr=False)

    @contextmanager
    def taken(self) -> Iterator[Spending]:
        """Take one call for the time of a block; raise `Retry` where there is none left."""
        ledger, slot = self._ledger(), token_hex(8)
        refusal = ledger.take(self._call(slot))
        if refusal is not None:
            raise self._refused(refusal)
        try:
            yield Spending(self, ledger)
        finally:
            if self.concurrent:
                ledger.give_back(self.name, slot)

    @contextmanager
    def alone(self, what: str, seconds: float = 120.0) -> Iterator[None]:
        """Let nobody else into a block of that name; raise `Retry` while somebody is in one.

        It ends by itself after `seconds`. Where it cannot be told who is in it, because Redis is
        away, that is a `Retry` too.
        """
        ledger, holder, name = self._ledger(), token_hex(8), f"{self.name}:{what}"
        wait = ledger.hold(name, holder, seconds)
        if wait is not None:
            raise Retry(f"somebody else is working on {what}; it is tried again", after=wait)
        try:
            yield
        finally:
            ledger.release(name, holder)

    def _ledger(self) -> Ledger:
        return _ledger.get() or self._alone

    def _call(self, slot: str) -> Call:
        return Call(self.name, slot, self.concurrent, self.lease, tuple(self._windows(self.keep)))

    def _windows(self, keep: float) -> Iterator[Window]:
        for name, limit, seconds in self._limits():
            yield Window(name, max(1, int(limit * (1 - keep))), seconds)

    def _limits(self) -> Iterator[tuple[str, int, int]]:
        if self.per_minute:
            yield "minute", self.per_minute, MINUTE
        if self.per_day:
            yield "day", self.per_day, DAY

    def _refused(self, refusal: Refusal) -> Retry:
        limits = {name: limit for name, limit, _ in self._limits()}
        said = {
            "asked": f"{self.name} has asked to be left alone",
            "slots": f"{self.name} is called {self.concurrent} times at once, which is all it may",
        }.get(refusal.why, "")
        if said:
            return Retry(f"{said}; it is tried again", after=refusal.wait)
        many = f"the {limits.get(refusal.why, 0):,} calls that {self.name} allows a {refusal.why}"
        if self.keep:
            return KeptBack(f"what is left of {many} is kept for other calls", after=refusal.wait)
        return Retry(f"{many} are used up; it goes on by itself", after=refusal.wait)


@dataclass(frozen=True)
class Spending:
    """One call that was taken from a budget."""

    budget: Budget
    ledger: Ledger

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """Correct the count by what the reply says: 429, and what is left of minute and day."""
        told, budget = {name.lower(): value for name, value in headers.items()}, self.budget
        if status == 429:
            ledger_wait = number(told.get("retry-after", ""))
            self.ledger.rest(budget.name, UNTOLD if ledger_wait is None else ledger_wait)
        names = {"minute": budget.minute_left, "day": budget.day_left}
        for name, limit, seconds in budget._limits():
            left = number(told.get(names[name].lower(), ""))
            if left is not None:
                used = max(limit - int(left), 0)
                self.ledger.correct(budget.name, Window(name, used, seconds))


def number(text: str) -> float | None:
    """Return what a header counts, `None` where it says nothing that can be counted."""
    text = text.strip()
    return min(float(text), float(DAY)) if text.isascii() and text.isdecimal() else None


@contextmanager
def counting(ledger: Ledger | None) -> Iterator[None]:
    """Have every budget in this block counted in `ledger`."""
    token = _ledger.set(ledger)
    try:
        yield
    finally:
        _ledger.reset(token)
