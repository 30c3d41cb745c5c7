"""Orders from ShipStation (its API version 1, where the real orders are)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, Field, SecretStr

from hub import (
    Connector,
    Cursor,
    Http,
    Order,
    OrderSource,
    RefusedRow,
    Rejected,
    Url,
    hookimpl,
)

PAGE = 500
"""The most that ShipStation gives at once."""
OVERLAP = timedelta(minutes=62)
"""Its times are Pacific without an offset, so in autumn they go back by an hour."""


class Config(BaseModel):
    """The pair of keys of an account."""

    key: SecretStr = Field(title="API key", description="ShipStation > Settings > API Settings")
    secret: SecretStr = Field(title="API secret", description="Of the same pair")
    currency: str = Field(
        default="USD",
        title="Currency",
        description="Of the account's orders; ShipStation does not tell it",
        pattern="^[A-Z]{3}$",
    )
    url: Url = Field(
        default="https://ssapi.shipstation.com",
        title="Address of the API",
        description="Change it only to test against something else",
    )


@dataclass(frozen=True)
class Reading:
    """How far an account has been read: the last change seen, and the page where many share it."""

    since: str = ""
    page: int = 1

    @classmethod
    def of(cls, cursor: Cursor) -> Reading:
        """Return the reading that a cursor stands for; an empty one starts at the beginning."""
        since, _, page = cursor.value.partition("|")
        return cls(since, int(page or 1))

    def cursor(self) -> Cursor:
        """Return the cursor that stands for this reading."""
        return Cursor(value=f"{self.since}|{self.page}")

    def after_page(self, changes: list[str], more: bool) -> Reading:
        """Return where to go on; only a page without a newer change asks for the next one."""
        newest = max([*changes, self.since])
        if newest > self.since or not more:
            return Reading(newest)
        return Reading(self.since, self.page + 1)


class ShipStation(Connector[Config]):
    """Reads the orders that await shipment."""

    name = "shipstation"
    title = "ShipStation"
    Config = Config

    def check(self) -> None:
        """List the account's tags, the smallest thing that needs the keys."""
        self._get("/accounts/listtags")

    def pull(self, cursor: Cursor) -> Iterator[Order | RefusedRow | Cursor]:
        """Yield one page of orders that changed since `cursor`, then the next cursor."""
        from hub_shipstation.orders import instant, read_page

        reading = Reading.of(cursor)
        asked = {"orderStatus": "awaiting_shipment", "sortBy": "ModifyDate", "sortDir": "ASC"}
        asked |= {"page": str(reading.page), "pageSize": str(PAGE)}
        if reading.since:
            since = datetime.fromisoformat(reading.since) - OVERLAP
            asked["modifyDateStart"] = since.strftime("%Y-%m-%d %H:%M:%S")
        answer = self._get("/orders", **asked)
        if not isinstance(answer, dict) or not isinstance(answer.get("orders"), list):
            raise Rejected("ShipStation's answer has no orders; check the address", "url")
        yield from read_page(answer["orders"], self.config.currency)
        changes = [at for one in answer["orders"] if (at := instant(one))]
        more = int(answer.get("pages") or 1) > reading.page
        yield reading.after_page(changes, more).cursor()

    def _get(self, path: str, **asked: str) -> Any:
        config = self.config
        pair = (config.key.get_secret_value(), config.secret.get_secret_value())
        reply = Http(config.url).get(path, params=asked, auth=pair)
        try:
            return reply.json()
        except ValueError as error:
            raise Rejected("ShipStation's answer is no JSON; check the address", "url") from error


@hookimpl
def order_sources() -> list[type[OrderSource]]:
    """Offer ShipStation."""
    return [ShipStation]
