"""How far a shop has been read, and what is asked next."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hub import Cursor

OPEN = "(fulfillment_status:unfulfilled OR fulfillment_status:partial)"
"""All that matters when a shop is read for the first time. After that every change counts: an order
that was cancelled or fulfilled meanwhile is found only by asking for those as well."""
PAGE = 50
"""Orders in a page. A query may cost 1,000 points, and how Shopify counts lists within lists is not
published; so the lists inside an order are short (5 and 20), whoever has more is read alone, and a
page that is too costly is halved and stays so. Each answer tells the true price."""
OVERLAP = timedelta(minutes=5)
"""What is read again each time: Shopify's search lags behind its orders for a while."""
REST = timedelta(minutes=1)
"""Within this, nothing is read again; so a reading comes to its end."""
DEEPEST = 20_000
"""Orders after which paging begins anew from the last change; Shopify pages through 25,000."""


@dataclass(frozen=True)
class Reading:
    """Where the reading of a shop stands. All times are texts as Shopify writes them, in UTC."""

    since: str = ""
    """Every change up to here has been read; empty until a shop was read to its end once."""
    after: str = ""
    """Shopify's own cursor inside this run of pages."""
    floor: str = ""
    """Where this run of pages begins, if not right behind `since`."""
    newest: str = ""
    """The last change seen in this run."""
    began: str = ""
    """When the first reading began: what changed since then may have slipped through it."""
    looked: str = ""
    """When what lies shortly before `since` was last read again."""
    deep: int = 0
    """Orders read in this run of pages."""
    size: int = PAGE
    """Orders in a page; fewer once Shopify found a page too costly."""

    @classmethod
    def of(cls, cursor: Cursor) -> Reading:
        """Return the reading that a cursor stands for; an empty one starts at the beginning."""
        return cls(**json.loads(cursor.value)) if cursor.value else cls()

    def cursor(self) -> Cursor:
        """Return the cursor that stands for this reading."""
        usual = asdict(Reading())
        told = {name: value for name, value in asdict(self).items() if value != usual[name]}
        return Cursor(value=json.dumps(told) if told else "")

    def begun(self, now: datetime) -> Reading:
        """Return the reading that a call goes on with: at the head of a run it may look back."""
        if self.after or self.floor:
            return self
        if not self.since:
            return self if self.began else replace(self, began=written(now - OVERLAP))
        if self.looked and now - read(self.looked) < REST:
            return self
        floor = written(read(self.since) - OVERLAP)
        return replace(self, floor=floor, looked=written(now))

    def variables(self) -> dict[str, object]:
        """Return the variables of the query."""
        if self.floor:
            changed = f"updated_at:>='{self.floor}'"
        else:
            changed = f"updated_at:>'{self.since}'" if self.since else ""
        query = changed if self.since else f"{changed} {OPEN}".strip()
        return {"first": self.size, "after": self.after or None, "query": query}

    def after_page(self, page: dict[str, Any]) -> Reading:
        """Return where to go on: the next page, or from the last change once there is none."""
        nodes = page["nodes"]
        changes = [one.get("updatedAt") for one in nodes if isinstance(one, dict)]
        newest = max([*(str(one) for one in changes if one), self.newest])
        deep = self.deep + len(nodes)
        if page["pageInfo"]["hasNextPage"]:
            if deep >= DEEPEST and newest > self.floor:
                return replace(self, after="", floor=newest, newest=newest, deep=0)
            return replace(self, after=page["pageInfo"]["endCursor"], newest=newest, deep=deep)
        return self.rested(newest)

    def rested(self, newest: str) -> Reading:
        """Return the reading at the end of a run."""
        if not self.since and newest:
            newest = min(newest, self.began or newest)
        return Reading(
            since=max(newest, self.since), looked=self.looked or self.began, size=self.size
        )


def read(text: str) -> datetime:
    """Return the instant that a text names."""
    return datetime.fromisoformat(text).astimezone(UTC)


def written(instant: datetime) -> str:
    """Return an instant as Shopify writes it."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
