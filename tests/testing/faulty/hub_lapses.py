"""Faults of what a connector is for; each class names the checks that have to see its own."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, ClassVar

import hub_goods as good

from hub import (
    Address,
    Connect,
    Connector,
    Cursor,
    Delivery,
    Grant,
    Http,
    HubError,
    Incoming,
    Location,
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

LAPSES: list[type[Connector[Any]]] = []


class Faulty:
    """What a class with a fault says: the checks it fails, and words of what they tell to do."""

    sees: ClassVar[tuple[str, ...]]
    tells: ClassVar[str]

    def __init_subclass__(cls, **named: Any) -> None:
        LAPSES.append(cls)  # type: ignore[arg-type]
        super().__init_subclass__(**named)


class Chatty(Faulty, good.Source):
    name = "chatty"
    sees = ("test_pull_yields_orders_and_ends_with_a_cursor",)
    tells = "yields .*; yield Order, RefusedRow, Cursor and nothing else"

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
    tells = "ends without a Cursor|yield a Cursor that tells the next page|no Cursor beside"

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


class Backwards(Faulty, good.Times):
    name = "backwards"
    sees = ("test_the_matrix_has_a_row_for_every_point",)
    tells = "holds what is no whole number from 0 on"

    def way(self, start: int, end: int) -> int:
        return start - end


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


class Loose(Faulty, good.Hook):
    name = "loose"
    sees = ("test_a_changed_body_is_refused",)
    tells = "has to raise Unauthorized for a body with a blank more"

    def mac(self, body: bytes, at: str) -> str:
        return super().mac(body.strip(), at)


class Open(Faulty, good.Hook):
    name = "open"
    sees = ("test_a_missing_signature_is_refused", "test_strange_bytes_are_told")
    tells = "has to raise Unauthorized for .*; first of all verify the signature"

    def holds(self, request: Incoming, told: str, at: str) -> bool:
        return not told or super().holds(request, told, at)


class Keyed(Faulty, good.Hook):
    name = "keyed"
    sees = ("test_another_secret_is_refused",)
    tells = "has to raise Unauthorized for another secret's signature"

    def holds(self, request: Incoming, told: str, at: str) -> bool:
        known = ("somebody-elses-secret-1", self.config.token.get_secret_value())
        macs = [hmac.new(k.encode(), f"{at}.".encode() + request.body, "sha256") for k in known]
        return any(hmac.compare_digest(told.encode(), m.hexdigest().encode()) for m in macs)


class Stumbling(Faulty, good.Hook):
    name = "stumbling"
    sees = ("test_a_header_of_another_sort_is_told",)
    tells = "it raised ValueError"

    def holds(self, request: Incoming, told: str, at: str) -> bool:
        return hmac.compare_digest(bytes.fromhex(told), bytes.fromhex(self.mac(request.body, at)))


class Nameless(Faulty, good.Hook):
    name = "nameless"
    sees = ("test_a_repeated_request_is_known_again",)
    tells = "tells neither id nor signed_at, so a copy sent again counts as new"

    def receive(self, request: Incoming) -> Delivery:
        super().receive(request)
        return Delivery()


class Timeless(Faulty, good.Hook):
    name = "timeless"
    sees = ("test_the_time_of_signing_is_signed",)
    tells = "believes a time in the header x-at that the signature does not cover"

    def mac(self, body: bytes, at: str) -> str:
        return super().mac(body, "")


class Calling(Faulty, good.Hook):
    name = "calling"
    sees = ("test_receiving_makes_no_call_and_is_quick",)
    tells = "fetch what is needed in unpack, which runs in a worker"

    def receive(self, request: Incoming) -> Delivery:
        delivery = super().receive(request)
        try:
            Http("https://service.example").get("/keys")
        except HubError:
            pass
        return delivery


class Halved(Faulty, good.Hook):
    name = "halved"
    sees = ("test_strange_bytes_are_told",)
    tells = "breaks on the body .*; raise Rejected in words for people"

    def read(self, request: Incoming) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(request.body) if request.body else {}
        return found if isinstance(found, dict) else {}


class Raw(Faulty, good.Hook):
    name = "raw"
    sees = ("test_unpack_yields_nouns",)
    tells = "has to yield Order, Cancelled, RefusedRow or DevicePosition"

    def unpack(self, request: Incoming) -> Iterator[Any]:
        yield self.read(request)


class Stateless(Faulty, good.Consent):
    name = "stateless"
    sees = ("test_the_consent_page_carries_state_and_challenge",)
    tells = "leaves out or changes state, redirect_uri; quote each"

    def authorize(self, connect: Connect) -> str:
        found = super().authorize(connect.model_copy(update={"state": "", "redirect_url": "/"}))
        return found


class Unproven(Faulty, good.Consent):
    name = "unproven"
    sees = ("test_the_code_is_exchanged_with_its_verifier",)
    tells = "does not send the verifier in the body"

    def granted(self, **asked: str) -> Grant:
        return super().granted(**{n: v for n, v in asked.items() if n != "code_verifier"})


class Worn(Faulty, good.Consent):
    name = "worn"
    sees = ("test_a_rotated_token_is_granted",)
    tells = "drops the new refresh token, so the next renewal fails"

    def grant(self, found: dict[str, Any]) -> Grant:
        return Grant(settings={"token": found["access_token"]})


class Hopeful(Faulty, good.Consent):
    name = "hopeful"
    sees = ("test_a_refusal_to_renew_is_unauthorized",)
    tells = "has to raise Unauthorized for 400 invalid_grant"

    def gone(self, error: Rejected) -> Exception:
        return error


class Foreign(Faulty, good.Consent):
    name = "foreign"
    sees = ("test_what_is_granted_fits_the_settings",)
    tells = "grants scope, which its Config does not have"

    def grant(self, found: dict[str, Any]) -> Grant:
        made = super().grant(found)
        return made.model_copy(update={"settings": {**made.settings, "scope": found["scope"]}})


class Boasting(Faulty, good.Consent):
    name = "boasting"
    sees = ("test_a_grant_shows_no_token", "test_no_secret_comes_out")
    tells = "puts a token into account or scopes of its Grant|holds the new token in clear"

    def grant(self, found: dict[str, Any]) -> Grant:
        return super().grant(found).model_copy(update={"account": found["access_token"]})


@hookimpl
def order_sources() -> list[type[Any]]:
    return [one for one in LAPSES if issubclass(one, good.Source)]


@hookimpl
def notification_channels() -> list[type[Any]]:
    return [one for one in LAPSES if issubclass(one, good.Channel)]


@hookimpl
def pod_sinks() -> list[type[Any]]:
    return [one for one in LAPSES if issubclass(one, good.Sink | good.Disk)]


@hookimpl
def geocoders() -> list[type[Any]]:
    return [one for one in LAPSES if issubclass(one, good.Geocoder)]


@hookimpl
def travel_times() -> list[type[Any]]:
    return [one for one in LAPSES if issubclass(one, good.Times)]


@hookimpl
def routing_engines() -> list[type[Any]]:
    return [one for one in LAPSES if issubclass(one, good.Engine)]
