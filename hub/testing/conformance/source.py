"""Checks of an order source: everything once, in order, exact, and one bad record at most."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from hub.nouns import Cancelled, Cursor, Order, RefusedRow
from hub.testing.conformance import reading
from hub.testing.conformance.checks import demand, only
from hub.testing.conformance.ground import Ground, Outcome, calls_a_service
from hub.testing.conformance.scripted import ScriptedPeer, replied
from hub.testing.peers import Reply, Request

DIGITS = 4
"""Most decimals that a currency has."""


def has_records(kit: type[Ground]) -> bool:
    """Say whether a test can break a record of the source."""
    return calls_a_service(kit) or bool(kit.broken)


class OrderSourceTests(Ground):
    """What holds for `pull`."""

    @pytest.fixture
    def orders(self, peer: ScriptedPeer) -> str:
        """Return the address of a service that has orders, nothing for a source without one."""
        return peer.url if calls_a_service(type(self)) else ""

    def test_pull_yields_orders_and_ends_with_a_cursor(self, orders: str) -> None:
        """It yields `Order`, `Cancelled`, `RefusedRow` and `Cursor`, and a cursor last."""
        reading.demand_pages(self, "pull")
        found = reading.first(self, "pull", orders)
        reading.demand_kinds(self, "pull", found, (Order, Cancelled, RefusedRow, Cursor))
        refused = [one.reason for one in found if isinstance(one, RefusedRow)]
        demand(
            any(isinstance(one, Order) for one in found),
            f"{self.at('pull')} yields no order of the sample; refused: {refused}; give "
            f"{type(self).__name__} records in answers or config that can be read",
        )
        demand(
            isinstance(found[-1], Cursor),
            f"{self.at('pull')} ends without a Cursor, so the hub would read the same again; "
            "yield one after the records of each page",
        )

    def test_pulling_again_yields_nothing_twice(self, orders: str) -> None:
        """Read to its end and once more from its last cursor, every order comes once."""
        reading.demand_no_repetition(self, "pull", orders, Order)

    def test_pull_resumes_after_a_crash(self, orders: str) -> None:
        """Stopped anywhere and resumed from its last cursor, it loses no order."""
        reading.demand_resumes(self, "pull", orders, Order)

    def test_refs_are_unique_and_stable(self, orders: str) -> None:
        """An order has the same `ref` each time it is read, and no two share one."""
        once = reading.records(reading.stream(self, "pull", orders), Order)
        self.asked.clear()
        again = reading.records(reading.stream(self, "pull", orders), Order)
        refs = [one.ref for one in once]
        shared = sorted(ref for ref, times in Counter(refs).items() if times > 1)
        demand(
            not shared and all(ref.strip() for ref in refs),
            f"{self.at('pull')} gives several orders the ref {shared[:3] or 'of blanks'}; use the "
            "service's own id of an order",
        )
        demand(
            refs == [one.ref for one in again],
            f"{self.at('pull')} gives an order another ref when it reads it again, so it would be "
            "delivered twice; use the service's own id of an order",
        )

    def test_money_is_exact(self, orders: str) -> None:
        """Amounts are `Decimal` with a currency, and no float was in between."""
        for order in reading.records(reading.stream(self, "pull", orders), Order):
            for amount in [m.amount for m in (order.total, order.cash_due) if m is not None]:
                exact = isinstance(amount, Decimal) and amount.is_finite()
                digits = -int(amount.as_tuple().exponent) if exact else DIGITS + 1
                demand(
                    digits <= DIGITS,
                    f"{self.at('pull')} gives order {order.ref} an amount of {amount!r}; make it "
                    "of the service's text, Decimal(text), without a float in between",
                )

    def test_clocks_are_zoned(self, orders: str) -> None:
        """Instants name their zone, and the machine's own zone makes no difference."""
        reading.demand_same_everywhere(self, "pull", orders, Order)

    @only(has_records)
    def test_one_bad_record_stops_no_other(self, orders: str, peer: ScriptedPeer) -> None:
        """A record that cannot be read is refused, those beside it come."""
        wanted = [one.ref for one in reading.first(self, "pull", orders) if isinstance(one, Order)]
        if not calls_a_service(type(self)):
            broken = {name: self.filled(value) for name, value in self.broken.items()}
            settings = {**self.settings(), **broken}
            made = self.connector(self.connector.Config.model_validate(settings))
            self.demand_others(self.outcome("pull", made=made), [], "that is broken")
            return
        for record in ("of nulls", "without fields", "of another kind"):
            self.asked.clear()
            done: list[bool] = []
            peer.reply = partial(self.spoilt, record, done)
            found = self.outcome("pull", url=orders)
            demand(
                done,
                f"no list of records stands in answers['pull'] of {type(self).__name__}; exempt "
                "it from this check and test by hand what a bad record does",
            )
            self.demand_others(found, wanted, record)

    def demand_others(self, found: Outcome, wanted: list[str], record: str) -> None:
        """Fail where the orders beside a bad record did not come, or no cursor did."""
        demand(
            found.error is None,
            f"{self.at('pull')} stops at one record {record}: {found}; catch what it raises, and "
            "yield RefusedRow(line, reason) for that record",
            found.error,
        )
        came = [one.ref for one in found.value if isinstance(one, Order)]
        demand(
            set(wanted) <= set(came) and came and isinstance(found.value[-1], Cursor),
            f"{self.at('pull')} leaves out good orders or the Cursor beside a record {record}; go "
            "on with the next one",
        )

    def spoilt(self, record: str, done: list[bool], request: Request) -> Reply | None:
        """Answer as the service does, with one bad record in front of the first good one."""
        reply = self.serve(request)
        try:
            page = json.loads((reply.content or json.dumps(reply.data)) if reply else "0")
        except ValueError:
            return reply
        listed = first_list(page)
        if done or listed is None:
            return reply
        done.append(True)
        bad: Any = {"of nulls": dict.fromkeys(listed[0]), "without fields": {}}.get(record, "?")
        listed.insert(0, bad)
        return replied(page)


def first_list(page: Any) -> list[Any] | None:
    """Return the outermost list of objects in an answer."""
    level = [page]
    while level:
        for one in level:
            if isinstance(one, list) and one and isinstance(one[0], dict):
                return one
        level = [
            inner for one in level for inner in (one.values() if isinstance(one, dict) else [])
        ]
    return None
