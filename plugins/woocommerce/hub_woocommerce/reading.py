"""How far a shop has been read, and what to ask for next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from hub import Cursor
from hub_woocommerce.shop import PAGE

OVERLAP = timedelta(seconds=120)
"""How far a reading looks back when it begins, for what the shop stored late."""
SECOND = timedelta(seconds=1)
"""`modified_after` leaves out its own second."""
SAFE = 10
"""Records that pages of one second share, because those that change meanwhile move away."""
Back = Literal["far", "near", "none"]
"""How far a question looks back: `OVERLAP`, a second, or not at all."""
BACK = {"far": OVERLAP, "near": SECOND, "none": timedelta(0)}


@dataclass(frozen=True)
class Reading:
    """The last change that was seen, the page where many share it, and when that was.

    A reading looks far back when it begins. While it goes on it looks back one second, and once it
    has seen several pages without news not at all: else a shop where more changed within two
    minutes than one page holds would never be at its end.
    """

    since: str = ""
    page: int = 1
    at: int = 0
    """Unix seconds of the last page that brought news; 0: long ago."""
    back: Back = "near"
    first: str = ""
    """When the first reading of all began, while it lasts: what was called off before that is of
    no interest, and what was called off since is read once it is over."""

    @classmethod
    def of(cls, cursor: Cursor, now: datetime) -> Reading:
        """Return the reading that a cursor stands for; an empty one starts at the beginning."""
        if not cursor.value:
            return cls(first=text_of(now))
        since, page, at, back, first = (*cursor.value.split("|"), "", "", "", "")[:5]
        told: Back = "none" if back == "none" else "far" if back == "far" else "near"
        found = cls(since, int(page or 1), int(at or 0), told, first)
        rested = not 0 <= now.timestamp() - found.at < OVERLAP.total_seconds()
        return replace(found, back="far") if rested and found.page == 1 else found

    def cursor(self) -> Cursor:
        """Return the cursor that stands for this reading."""
        if not self.since and self.page == 1:
            return Cursor()
        told = (self.since, str(self.page), str(self.at), self.back, self.first)
        return Cursor(value="|".join(told).rstrip("|"))

    def question(self) -> dict[str, str]:
        """Return what to ask for, as text."""
        asked = {"orderby": "modified", "order": "asc", "per_page": str(PAGE)}
        if self.since:
            start = datetime.fromisoformat(self.since) - BACK[self.back]
            asked |= {"modified_after": start.isoformat(), "dates_are_gmt": "true"}
        if self.page > 1:
            asked["offset"] = str((self.page - 1) * (PAGE - SAFE))
        return asked

    def after_page(self, changes: list[str], count: int, now: datetime) -> Reading:
        """Return where to go on after a page of `count` records with these times of change.

        At the end it is this reading again, which says that nothing is left.
        """
        newest, at = max([*changes, self.since]), int(now.timestamp())
        if newest > self.since:
            return Reading(newest, 1, at, "near", self.first)
        if count >= PAGE:
            return replace(self, page=self.page + 1)
        if self.first and self.since:
            began = datetime.fromisoformat(self.first) - OVERLAP
            return Reading(min(self.since, text_of(began)), 1, at, "near")
        if self.page > 1:
            return Reading(self.since, 1, at, "none")
        return self


def text_of(at: datetime) -> str:
    """Return an instant as WooCommerce writes it in UTC."""
    return at.replace(tzinfo=None, microsecond=0).isoformat()


def now() -> datetime:
    """Return this moment."""
    return datetime.now(UTC)
