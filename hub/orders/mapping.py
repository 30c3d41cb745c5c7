"""What the orders of one source get where the source itself says nothing, or too much."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.nouns import Kind, Order
from hub.store import ConnectionRow

LONGEST_PREFIX = 100


class Mapping(BaseModel):
    """The rules of one connection; the first four count only where the source says nothing."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    depot: str = Field(default="", max_length=200)
    """Name or id of the depot that delivers."""
    kind: Kind | Literal[""] = ""
    service_time: int | None = Field(default=None, ge=0, le=86_400)
    """Seconds at the door."""
    load: int | None = Field(default=None, ge=0, le=1_000_000)
    """Capacity units that one piece takes."""
    days: Literal["source", "next"] = "source"
    """next: the source's dates and windows are left out; each order goes on the next day."""
    lead: int = Field(default=0, ge=0, le=14)
    """Days that an order without a date needs until it can go out."""
    prefix: str = Field(default="", max_length=LONGEST_PREFIX)
    """Stands before the notes of every order."""

    @classmethod
    def of(cls, row: ConnectionRow) -> Mapping:
        """Return the rules of a connection."""
        return cls.model_validate(row.mapping)

    def apply(self, order: Order) -> Order:
        """Return the order as it is taken in; the same order always gives the same."""
        said = order.model_fields_set
        given: dict[str, object] = {}
        if self.depot and not order.depot:
            given["depot"] = self.depot
        if self.kind and "kind" not in said:
            given["kind"] = self.kind
        if self.service_time is not None and order.service_time is None:
            given["service_time"] = self.service_time
        if self.load is not None:
            given["lines"] = tuple(
                line
                if "load" in line.model_fields_set
                else line.model_copy(update={"load": self.load})
                for line in order.lines
            )
        if self.days == "next":
            given |= {"service_date": None, "window": None}
            given |= {"window_start_local": "", "window_end_local": "", "windows": ()}
        if self.prefix and not order.notes.startswith(self.prefix):
            given["notes"] = f"{self.prefix} {order.notes}".strip()
        return order.model_copy(update=given) if given else order
