"""Budgets: counted by all processes together, corrected by replies, and never in the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from redis import Redis

from hub import Budget, GuardedPool, Http, Retry
from hub.budget import KeptBack, counting
from hub.connections.containment import contained, drawn
from hub.connector import Connector, NoSettings
from hub.hub import Hub
from hub.ledgers import Alone, Call, Shared, Window
from hub.testing.patience import PATIENCE
from hub.testing.peers import Peer, Reply, Request

OTHER = """
import sys
from redis import Redis
from hub import ledgers
from hub.budget import Budget, counting
from hub.errors import Retry
from hub.ledgers import Shared

url, what = sys.argv[1:]
ledgers.COUNTING = 60.0
budget = Budget("xero:t1", per_minute=40, concurrent=3, lease=600)
with counting(Shared(Redis.from_url(url))):
    if what == "hold":
        with budget.taken():
            print("held", flush=True)
            sys.stdin.read()
    if what == "alone":
        with budget.alone("draft", 600):
            print("held", flush=True)
            sys.stdin.read()
    done = 0
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(30):
        try:
            with budget.taken():
                done += 1
        except Retry as error:
            assert 0 < error.after <= 61, error.after
    print(done, flush=True)
"""


@pytest.fixture
def shared(redis_url: str) -> Iterator[Shared]:
    redis = Redis.from_url(redis_url)
    redis.flushall()
    yield Shared(redis)
    redis.close()


def other(redis_url: str, what: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", OTHER, redis_url, what],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def spend(budget: Budget, times: int = 1) -> int:
    done = 0
    for _ in range(times):
        try:
            with budget.taken():
                done += 1
        except Retry:
            continue
    return done


def refused(budget: Budget) -> Retry:
    with pytest.raises(Retry) as caught, budget.taken():
        raise AssertionError("it was let through")
    return caught.value


def test_two_processes_spend_one_budget_between_them(shared: Shared, redis_url: str) -> None:
    both = [other(redis_url, "spend") for _ in range(2)]
    assert [said(one) for one in both] == ["ready", "ready"]
    for one in both:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    done = [int(said(one)) for one in both]
    assert sum(done) == 40
    for one in both:
        one.communicate(timeout=PATIENCE)


def test_a_place_in_another_process_counts_and_comes_back_when_that_is_killed(
    shared: Shared, redis_url: str
) -> None:
    budget, held = Budget("xero:t1", concurrent=3, lease=60), [other(redis_url, "hold")]
    held.append(other(redis_url, "hold"))
    assert [said(one) for one in held] == ["held", "held"]
    with counting(shared), budget.taken():
        assert "3 times at once" in str(refused(budget))
    for one in held:
        os.kill(one.pid, signal.SIGKILL)
        one.communicate(timeout=PATIENCE)
    with counting(shared), ExitStack() as open_:
        open_.enter_context(budget.taken())
        assert "3 times at once" in str(refused(budget))
        grow_old(redis_url, 600)
        for _ in range(2):
            open_.enter_context(budget.taken())
        assert refused(budget).after == 1.0


def grow_old(redis_url: str, seconds: float) -> None:
    """Let so many seconds pass for the places that killed processes hold, by the clock of Redis."""
    redis = Redis.from_url(redis_url)
    now = redis.time()[0]
    for slot, ends in redis.zrange("budget:{xero:t1}:slots", 0, -1, withscores=True):
        if ends > now + 120:  # those of this process end sooner
            assert ends <= now + seconds + 1, "a place is held for no longer than its lease"
            redis.zadd("budget:{xero:t1}:slots", {slot: ends - seconds})
    redis.close()


def test_only_one_process_is_in_a_block_of_one_name(shared: Shared, redis_url: str) -> None:
    budget, held = Budget("xero:t1"), other(redis_url, "alone")
    assert said(held) == "held"
    with counting(shared):
        with pytest.raises(Retry, match="somebody else is working on draft"), budget.alone("draft"):
            pass
        with budget.alone("another"):
            pass
        held.kill()
        held.communicate(timeout=PATIENCE)
        with pytest.raises(Retry, match="somebody else is working on draft"), budget.alone("draft"):
            pass
        redis = Redis.from_url(redis_url)
        (block,) = redis.keys("budget:*draft*")
        assert 0 < redis.ttl(block) <= 600
        redis.expire(block, 0)  # its time is over, by the clock of Redis
        with budget.alone("draft"):
            pass


def test_a_flushed_redis_breaks_no_call(shared: Shared, redis_url: str) -> None:
    budget = Budget("xero:t1", per_minute=2, per_day=9, concurrent=1)
    with counting(shared):
        with budget.taken() as spending:
            Redis.from_url(redis_url).flushall()
            spending.answered(200, {"X-MinLimit-Remaining": "1"})
        assert spend(budget, 5) == 1


def test_without_redis_a_process_counts_alone(tmp_path: Path) -> None:
    ledger = Shared(Redis(unix_socket_path=str(tmp_path / "nobody")))
    budget = Budget("xero:t1", per_minute=3, concurrent=1)
    with counting(ledger):
        assert spend(budget, 5) == 3
        with pytest.raises(Retry), budget.alone("draft"):
            raise AssertionError("nobody could tell who else is in here")


def test_every_key_expires(shared: Shared, redis_url: str) -> None:
    budget = Budget("xero:t1", per_minute=5, per_day=9, concurrent=1)
    with counting(shared), budget.alone("draft"), budget.taken() as spending:
        spending.answered(429, {"Retry-After": "7", "X-DayLimit-Remaining": "2"})
        redis = Redis.from_url(redis_url)
        keys = {key.decode(): redis.ttl(key) for key in redis.keys("budget:*")}
    assert {key.rpartition(":")[2] for key in keys} == {"minute", "day", "slots", "rest", "held"}
    assert all(0 < life <= 2 * 86_400 for life in keys.values()), keys


@pytest.fixture(params=["alone", "shared"])
def ledger(request: pytest.FixtureRequest) -> Any:
    return Alone() if request.param == "alone" else request.getfixturevalue("shared")


def test_a_used_up_minute_names_its_time_and_makes_no_call(ledger: Any) -> None:
    budget, began = Budget("acme", per_minute=3), monotonic()
    with counting(ledger):
        assert spend(budget, 10) == 3
        error = refused(budget)
    assert "the 3 calls that acme allows a minute are used up" in str(error)
    assert error.after is not None
    assert 55 - (monotonic() - began) < error.after <= 61


def test_the_longest_wait_of_two_limits_is_the_days(ledger: Any) -> None:
    budget = Budget("acme", per_minute=60, per_day=2)
    with counting(ledger):
        spend(budget, 2)
        error = refused(budget)
    assert "a day" in str(error)
    assert error.after is not None
    assert 80_000 < error.after <= 86_400 + 1_440


def test_what_keeps_some_stops_before_and_the_others_go_on(ledger: Any) -> None:
    budget = Budget("acme", per_day=10)
    sparing = replace(budget, keep=0.3)
    with counting(ledger):
        assert spend(sparing, 20) == 7
        assert isinstance(refused(sparing), KeptBack)
        assert spend(budget, 20) == 3
        assert not isinstance(refused(budget), KeptBack)


def test_a_copy_that_keeps_some_counts_with_the_original_outside_a_hub() -> None:
    budget = Budget("acme", per_day=10)
    assert spend(replace(budget, keep=0.5), 20) == 5
    assert spend(budget, 20) == 5


def test_a_reply_that_says_less_is_left_is_believed(ledger: Any) -> None:
    budget = Budget("acme", per_minute=60, per_day=5000)
    with counting(ledger):
        with budget.taken() as spending:
            spending.answered(200, {"x-minlimit-remaining": "59", "x-daylimit-remaining": "2"})
        assert spend(budget, 10) == 2


def test_a_reply_that_says_more_is_left_is_believed_but_for_calls_on_their_way(ledger: Any) -> None:
    budget = Budget("acme", per_minute=5, concurrent=5)
    with counting(ledger):
        spend(budget, 3)
        with budget.taken(), budget.taken() as spending:
            spending.answered(200, {"X-MinLimit-Remaining": "4"})
        assert spend(budget, 10) == 2


def test_a_429_stops_everybody_for_as_long_as_it_says(ledger: Any) -> None:
    budget, began = Budget("acme", per_minute=60), monotonic()
    with counting(ledger):
        with budget.taken() as spending:
            spending.answered(429, {"Retry-After": "40"})
        error = refused(budget)
    assert "asked to be left alone" in str(error)
    assert error.after is not None
    assert 39.9 - (monotonic() - began) < error.after <= 40.01


@pytest.mark.parametrize("text", ["", "soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT", "٣"])
def test_a_429_without_a_number_is_a_short_rest(
    ledger: Any, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests: list[tuple[str, float]] = []
    monkeypatch.setattr(ledger, "rest", lambda *given: rests.append(given))
    with counting(ledger), Budget("acme").taken() as spending:
        spending.answered(429, {"Retry-After": text})
    assert rests == [("acme", 2.0)]


def test_two_names_do_not_share(ledger: Any) -> None:
    with counting(ledger):
        assert spend(Budget("a", per_minute=1), 2) + spend(Budget("b", per_minute=1), 2) == 2


def test_a_window_moves_on() -> None:
    now = [1000.0]
    ledger = Alone(lambda: now[0])
    window = (Window("minute", 2, 60),)

    def take() -> float | None:
        found = ledger.take(Call("acme", "s", 0, 60, window))
        return found.wait if found else None

    assert [take(), take()] == [None, None]
    assert take() == 61.0
    now[0] += 60.9
    assert take() is not None
    now[0] += 0.2
    assert [take(), take()] == [None, None]
    assert take() == pytest.approx(60.9, abs=0.2)


def test_it_is_not_counted_what_was_refused(ledger: Any) -> None:
    minute = Budget("acme", per_minute=1, per_day=10)
    with counting(ledger):
        spend(minute, 30)
        assert spend(Budget("acme", per_day=10), 30) == 9


class Service(Peer):
    service = "limited"
    left = 2

    def answer(self, request: Request) -> Reply:
        self.left -= 1
        return Reply(200, {"ok": True}, {"X-MinLimit-Remaining": str(self.left)})


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    made = Service(tmp_path)
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


def test_http_takes_each_call_and_believes_the_reply(service: Service) -> None:
    http = Http(service.url, budget=Budget("acme", per_minute=60))
    http.get("/")
    http.get("/")
    with pytest.raises(Retry, match="used up"):
        http.get("/")


def test_http_tells_of_a_429_only_once(service: Service) -> None:
    service.failures = [(429, 30)]
    http = Http(service.url, budget=Budget("acme", concurrent=1))
    with pytest.raises(Retry, match="answered 429"):
        http.get("/")
    with pytest.raises(Retry, match="left alone"):
        http.get("/")


def test_a_pool_for_an_sdk_takes_each_call(service: Service) -> None:
    pool = GuardedPool(budget=Budget("acme", per_minute=60, concurrent=1))
    assert pool.request("GET", service.url).status == 200
    assert pool.request("GET", service.url).status == 200
    with pytest.raises(Retry, match="used up"):
        pool.request("GET", service.url)


def test_a_call_that_fails_gives_its_place_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", "127.0.0.1:9")
    http = Http("http://127.0.0.1:9", budget=Budget("acme", concurrent=1))
    for _ in range(3):
        with pytest.raises(Retry, match="cannot be reached"):
            http.get("/")


class Caller(Connector[NoSettings]):
    name, title = "caller", "Caller"

    def pull(self) -> Iterator[int]:
        for number in range(10):
            with Budget("acme", per_minute=3).taken():
                yield number


def test_connectors_count_in_the_hubs_redis_without_knowing_it(hub: Hub) -> None:
    caller = Caller(NoSettings())
    found = hub.connections.drawn(caller, caller.pull)
    assert [next(found) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(Retry, match="used up"):
        next(found)
    with pytest.raises(Retry, match="used up"), hub.connections.contained(caller):
        next(caller.pull())
    assert hub.redis.exists("budget:{acme}:minute")


def test_outside_the_hub_nothing_is_shared() -> None:
    caller = Caller(NoSettings())
    assert list(drawn(caller, caller.pull, lambda _: None)) == list(range(10))
    with contained(caller, lambda _: None):
        assert len(list(caller.pull())) == 10
