"""When the mending and explaining of a plan has to end, so that the whole keeps its time."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from time import monotonic, thread_time


@dataclass(frozen=True)
class Deadline:
    """A moment on the wall's clock, which does not count before a little work was done."""

    at: float = inf
    """By `time.monotonic`."""
    least: float = -inf
    """By `time.thread_time`: on a busy machine a small day is worked out to the end anyway."""

    @classmethod
    def after(cls, seconds: float, least: float = 0.0) -> Deadline:
        """Return the one in so many seconds, and not before `least` of processor time."""
        return cls(monotonic() + seconds, thread_time() + least)

    @property
    def over(self) -> bool:
        """Whether it has passed."""
        return monotonic() >= self.at and thread_time() >= self.least

    def part(self, share: float) -> Deadline:
        """Return the end of the first part of what is left."""
        now = monotonic()
        return Deadline(now + share * max(0.0, self.at - now), self.least)


ENDLESS = Deadline()
"""For whoever waits until all is worked out."""
