"""A connection that fails is left alone for a while, looked at again, and used again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlmodel import update

from hub.connections import pulse
from hub.errors import Rejected, Retry, Unauthorized
from hub.store import ConnectionRow, System, WorkRow
from hub.workflow import checks

from .conftest import Toy, Toys
from .test_effects import SEND

MORE = SEND.replace("max: 2", "max: 20")


@pytest.fixture
def failing(toys: Toys, monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """Return what the checks of the toy connector raise, one after another."""
    errors: list[Exception] = []

    def check(self: Toy) -> None:
        if errors:
            raise errors.pop(0)

    monkeypatch.setattr(Toy, "check", check)
    return errors


def row(toys: Toys) -> ConnectionRow:
    """Return the only connection."""
    (found,) = toys.rows(ConnectionRow)
    return found


def wall(toys: Toys) -> datetime:
    return toys.hub.store.clock.wall()


def fail(toys: Toys, times: int, error: Exception) -> None:
    """Let so many calls fail in a row."""
    Toy.answers.extend([error] * times)
    for _ in range(times):
        toys.wait()


def check_now(toys: Toys) -> None:
    """Let the time of the next check come."""
    with toys.hub.store.write(System()) as session:
        session.exec(update(ConnectionRow).values(check_at=session.wall))
    toys.tick()


def sending(toys: Toys, text: str = MORE) -> None:
    toys.save(text)
    toys.connect()
    toys.driver_comes_near()


def test_a_connection_that_fails_again_and_again_is_left_alone(toys: Toys) -> None:
    sending(toys)
    fail(toys, pulse.PATIENCE - 1, Retry("busy"))
    assert (row(toys).state, row(toys).rests_until) == ("healthy", None)
    fail(toys, 1, Retry("busy"))
    found = row(toys)
    assert (found.state, found.reason) == ("degraded", "busy")
    rest = found.rests_until - wall(toys)
    assert timedelta(0) < rest <= pulse.FIRST_REST
    calls = len(Toy.keys)
    with toys.hub.store.write(System()) as session:
        session.exec(update(WorkRow).values(not_before=session.wall))
    toys.work()
    assert len(Toy.keys) == calls


def test_while_it_is_left_alone_no_try_is_used_up(toys: Toys) -> None:
    sending(toys, SEND.replace("max: 2", f"max: {pulse.PATIENCE}"))
    fail(toys, pulse.PATIENCE, Retry("busy"))
    for _ in range(5):
        with toys.hub.store.write(System()) as session:
            session.exec(update(WorkRow).values(not_before=session.wall))
        toys.work()
    toys.wait()
    assert toys.run().state == "succeeded"


def test_each_further_failure_doubles_the_rest_up_to_a_quarter_of_an_hour(toys: Toys) -> None:
    sending(toys)
    fail(toys, pulse.PATIENCE + 2, Retry("busy"))
    rest = row(toys).rests_until - wall(toys)
    assert 3.5 * pulse.FIRST_REST < rest <= 4 * pulse.FIRST_REST
    fail(toys, 5, Retry("busy"))
    assert row(toys).rests_until - wall(toys) <= pulse.LONGEST_REST


def test_a_call_that_goes_through_makes_it_healthy(toys: Toys) -> None:
    sending(toys)
    fail(toys, pulse.PATIENCE, Retry("busy"))
    toys.wait()
    found = row(toys)
    assert (found.state, found.reason, found.failures, found.rests_until) == (
        "healthy", "", 0, None,
    )  # fmt: skip
    assert toys.run().state == "succeeded"


def test_who_asks_to_be_left_alone_is_by_all_work(toys: Toys) -> None:
    sending(toys)
    Toy.answers.append(Retry("slow down", after=300))
    began = wall(toys)
    toys.work()
    toys.driver_comes_near()
    toys.work()
    assert len(Toy.keys) == 1
    found = row(toys)
    assert (found.state, found.failures) == ("healthy", 0)
    asked = timedelta(seconds=300)
    assert found.rests_until - wall(toys) <= asked <= found.rests_until - began
    toys.wait()
    assert len(Toy.keys) == 3


@pytest.mark.parametrize("error", [Rejected("no such number"), ValueError("a bug")])
def test_what_says_nothing_about_the_connection_does_not_count(
    toys: Toys, error: Exception
) -> None:
    sending(toys, SEND.replace("max: 2", "max: 0"))
    for _ in range(pulse.PATIENCE + 1):
        Toy.answers.append(error)
        toys.driver_comes_near()
        toys.work()
    assert (row(toys).state, row(toys).failures) == ("healthy", 0)


def test_a_check_comes_every_quarter_of_an_hour_by_itself(
    toys: Toys, failing: list[Exception]
) -> None:
    toys.connect()
    before = row(toys).check_at
    assert before - wall(toys) <= pulse.CHECKED_EVERY
    toys.tick()
    assert row(toys).checked_at is None
    check_now(toys)
    assert row(toys).checked_at == toys.clock
    assert row(toys).check_at > before


def test_a_failed_check_is_told_and_followed_by_another_soon(
    toys: Toys, failing: list[Exception]
) -> None:
    toys.connect()
    failing.append(Retry("it is down"))
    check_now(toys)
    found = row(toys)
    assert (found.state, found.reason) == ("degraded", "The last check failed: it is down")
    assert found.check_at - wall(toys) <= pulse.CHECKED_SOON
    assert found.rests_until is None
    check_now(toys)
    assert (row(toys).state, row(toys).reason) == ("healthy", "")


def test_a_connection_that_is_off_is_not_checked(toys: Toys, failing: list[Exception]) -> None:
    id = toys.connect()
    with toys.hub.store.write(System()) as session:
        toys.hub.connections.set_enabled(session, id, False)
    check_now(toys)
    assert row(toys).checked_at is None


def test_credentials_that_are_found_expired_by_a_check_are_told_once(
    toys: Toys, failing: list[Exception]
) -> None:
    toys.connect()
    failing.extend([Unauthorized("revoked"), Unauthorized("revoked")])
    check_now(toys)
    check_now(toys)
    assert row(toys).state == "action_needed"
    assert len(toys.events("connection.expired")) == 1
    check_now(toys)
    assert row(toys).state == "healthy"


def test_a_check_that_never_answers_is_noted_when_its_worker_was_ended(
    toys: Toys, failing: list[Exception]
) -> None:
    id = toys.connect()
    with toys.hub.store.write(System()) as session:
        checks.request(session, id)
    with toys.hub.store.write(System()) as session:
        past = session.wall - timedelta(seconds=1)
        gone = {"state": "leased", "lease_until": past, "worker": "w", "losses": 1}
        session.exec(update(WorkRow).where(WorkRow.kind == checks.KIND).values(**gone))
    toys.work()
    assert (row(toys).state, "until its worker was ended" in row(toys).reason) == ("degraded", True)
