"""Faults of what a connector is for; each class names the checks that have to see its own."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import hub_goods as good
from faulty import Faulty, brought

from hub import (
    Address,
    Cursor,
    Location,
    Message,
    Order,
    Plan,
    Problem,
    Proof,
    Receipt,
    RefusedRow,
    Rejected,
    Unserved,
    hookimpl,
)


class Chatty(Faulty, good.Source):
    name = "chatty"
    sees = ("test_pull_yields_orders_and_ends_with_a_cursor",)
    tells = "yields .*; yield Order, Cancelled, RefusedRow, Cursor and nothing else"

    def pull(self, cursor: Cursor) -> Iterator[Any]:
        found = list(super().pull(cursor))
        yield "reading"
        yield from found


class Endless(Faulty, good.Source):
    name = "unended"
    sees = (
        "test_pull_yields_orders_and_ends_with_a_cursor", "test_pulling_again_yields_nothing_twice",
        "test_one_bad_record_stops_no_other",
    )  # fmt: skip
    tells = "ends without a Cursor|yield a Cursor that tells|leaves out good orders or the Cursor"

    def pull(self, cursor: Cursor) -> Iterator[Order | RefusedRow | Cursor]:
        yield from (one for one in super().pull(cursor) if not isinstance(one, Cursor))


class Deaf(Faulty, good.Source):
    name = "deaf"
    sees = ("test_pulling_again_yields_nothing_twice", "test_refs_are_unique_and_stable")
    tells = "ask for what comes after cursor.value|gives several orders the ref"

    def pull(self, cursor: Cursor) -> Iterator[Order | RefusedRow | Cursor]:
        yield from super().pull(Cursor())


class Eager(Faulty, good.Source):
    name = "eager"
    sees = ("test_pull_resumes_after_a_crash",)
    tells = "loses .* records when the hub stops after .*: yield a Cursor only after everything"

    def pull(self, cursor: Cursor) -> Iterator[Order | RefusedRow | Cursor]:
        found = list(super().pull(cursor))
        yield from (*found[:1], found[-1], *found[1:])


class Sharing(Faulty, good.Source):
    name = "sharing"
    sees = ("test_refs_are_unique_and_stable",)
    tells = "gives several orders the ref .*; use the service's own id of an order"

    def order(self, record: dict[str, Any]) -> Order:
        return super().order(record).model_copy(update={"ref": "today"})


class Floating(Faulty, good.Source):
    name = "floating"
    sees = ("test_money_is_exact",)
    tells = r"make it of the service's text, Decimal\(text\), without a float in between"

    def amount(self, text: str) -> Decimal:
        return Decimal(float(text))


class Local(Faulty, good.Source):
    name = "local"
    sees = ("test_clocks_are_zoned",)
    tells = "reads other times when the machine stands in another time zone"

    def instant(self, text: str) -> datetime:
        return datetime.fromisoformat(text).astimezone()


class Naive(Faulty, good.Source):
    name = "naive"
    sees = ("test_clocks_are_zoned",)
    tells = "yields a Order that is not valid: .*instants that have a time zone"

    def order(self, record: dict[str, Any]) -> Order:
        made = super().order(record)
        window = made.window
        assert window
        naive = window.model_copy(update={"start": window.start.replace(tzinfo=None)})
        return made.model_copy(update={"window": naive})


class Brittle(Faulty, good.Source):
    name = "brittle"
    sees = ("test_one_bad_record_stops_no_other",)
    tells = r"stops at one record .*yield RefusedRow\(line, reason\) for that record"

    def pull(self, cursor: Cursor) -> Iterator[Order | RefusedRow | Cursor]:
        for one in super().pull(cursor):
            if isinstance(one, RefusedRow):
                raise Rejected(one.reason)
            yield one


class Keyless(Faulty, good.Channel):
    name = "keyless"
    sees = ("test_sending_carries_the_key",)
    tells = "sends nothing by which a repeated message is known; send message.key"

    def send(self, message: Message) -> Receipt:
        self.http.post("/messages", json={"to": message.to, "text": message.text})
        return Receipt()


class Dicing(Faulty, good.Channel):
    name = "dicing"
    sees = ("test_sending_carries_the_key",)
    tells = "sends another key when the same message is sent again"

    def send(self, message: Message) -> Receipt:
        key = uuid.uuid4().hex
        self.http.post("/messages", json={}, headers={"Idempotency-Key": key})
        return Receipt()


class Constant(Faulty, good.Channel):
    name = "constant"
    sees = ("test_sending_carries_the_key",)
    tells = "sends the same key with another message"

    def send(self, message: Message) -> Receipt:
        self.http.post("/messages", json={}, headers={"Idempotency-Key": "1"})
        return Receipt()


class Silent(Faulty, good.Channel):
    name = "silent"
    sees = ("test_sending_carries_the_key", "test_sending_returns_a_receipt")
    tells = "has to return a Receipt for what was taken, but it returned 'None'"

    def send(self, message: Message) -> Receipt:
        super().send(message)
        return None  # type: ignore[return-value]


class Repeating(Faulty, good.Sink):
    name = "repeating"
    sees = ("test_stored_twice_is_one_record",)
    tells = "writes again when the same proof is stored again .*; send a key made of proof.key"

    def store(self, proof: Proof) -> Receipt:
        self.http.post("/proofs", data=proof.record)
        return Receipt()


class Piling(Faulty, good.Disk):
    name = "piling"
    sees = ("test_storing_again_keeps_one_record",)
    tells = r"keeps the same proof again: count\(\) says 1, then 2"

    def file(self, proof: Proof) -> Path:
        count = len(list(self.config.folder.iterdir()))
        return self.config.folder / f"{proof.id}-{count}.json"


class Raising(Faulty, good.Geocoder):
    name = "raising"
    sees = ("test_an_unknown_address_has_none",)
    tells = "has to return None for an address that is not found"

    def missing(self) -> Location | None:
        raise Rejected("there is no such address")


class Paired(Faulty, good.Geocoder):
    name = "paired"
    sees = ("test_a_known_address_has_a_place",)
    tells = "has to return a Location for"

    def locate(self, address: Address) -> Location | None:
        found = super().locate(address)
        return (found.lat, found.lon) if found else None  # type: ignore[return-value]


class Fractional(Faulty, good.Times):
    name = "fractional"
    sees = (
        "test_the_matrix_has_a_row_for_every_point", "test_every_vehicle_and_hour_is_taken",
        "test_two_hundred_points_are_quick", "test_few_points_are_no_error",
    )  # fmt: skip
    tells = "has to return a Matrix for|takes .* for 200 points"

    def way(self, start: int, end: int) -> int:
        return (start - end) / 2  # type: ignore[return-value]


class Losing(Faulty, good.Engine):
    name = "losing"
    sees = (
        "test_an_impossible_stop_is_explained", "test_capacity_windows_and_shifts_are_kept",
        "test_nothing_to_plan_is_a_plan", "test_it_keeps_its_time_limit",
    )  # fmt: skip
    tells = "is missing; put each stop into one route or into unserved with a reason"

    def left(self, stops: list[str]) -> tuple[Unserved, ...]:
        return ()


class Late(Faulty, good.Engine):
    name = "late"
    sees = ("test_an_impossible_stop_is_explained", "test_it_keeps_its_time_limit")
    tells = "is reached outside its window; put"

    def is_late(self, arrive: int, latest: int) -> bool:
        return False


class Heavy(Faulty, good.Engine):
    name = "heavy"
    sees = ("test_an_impossible_stop_is_explained", "test_capacity_windows_and_shifts_are_kept")
    tells = "carries .*; put each stop"

    def is_heavy(self, load: int, capacity: int) -> bool:
        return False


class Gambling(Faulty, good.Engine):
    name = "gambling"
    sees = ("test_the_same_seed_makes_the_same_plan",)
    tells = r"plans of the same problem and seed; draw its chances from Random\(problem.seed\)"

    def dice(self, problem: Problem) -> Random:
        return Random()


class Anew(Faulty, good.Engine):
    name = "anew"
    sees = ("test_a_plan_is_no_worse_than_the_routes_it_began_with",)
    tells = r"and the routes in problem.warm cost .*; keep those when nothing better is found"

    def plan(self, problem: Problem) -> Plan:
        return super().plan(problem.model_copy(update={"warm": {}, "seed": problem.seed + 1}))


class Thorough(Faulty, good.Engine):
    name = "thorough"
    sees = ("test_it_keeps_its_time_limit",)
    tells = r"took .* s where problem.seconds is 0.5; give the search that limit"

    def plan(self, problem: Problem) -> Plan:
        if len(problem.stops) > 50:
            time.sleep(3.6)
        return super().plan(problem)


class Refusing(Faulty, good.Engine):
    name = "refusing"
    sees = ("test_nothing_to_plan_is_a_plan",)
    tells = "list what does not fit in Plan.unserved with the reason, and raise nothing for it"

    def plan(self, problem: Problem) -> Plan:
        if not problem.stops:
            raise Rejected("there is nothing to plan")
        return super().plan(problem)


class Circling(Faulty, good.Tracker):
    name = "circling"
    sees = ("test_no_position_comes_twice",)
    tells = "stops before it has read all of answers|ask for what comes after cursor.value"

    def after(self, cursor: Cursor) -> str:
        return ""


class Clocked(Faulty, good.Tracker):
    name = "clocked"
    sees = ("test_positions_have_zoned_instants",)
    tells = "reads other times when the machine stands in another time zone"

    def instant(self, text: str) -> datetime:
        return datetime.fromisoformat(text).astimezone(UTC)


@hookimpl
def order_sources() -> list[type[Any]]:
    return brought(__name__, good.Source)


@hookimpl
def notification_channels() -> list[type[Any]]:
    return brought(__name__, good.Channel)


@hookimpl
def pod_sinks() -> list[type[Any]]:
    return brought(__name__, good.Sink, good.Disk)


@hookimpl
def geocoders() -> list[type[Any]]:
    return brought(__name__, good.Geocoder)


@hookimpl
def travel_times() -> list[type[Any]]:
    return brought(__name__, good.Times)


@hookimpl
def routing_engines() -> list[type[Any]]:
    return brought(__name__, good.Engine)
