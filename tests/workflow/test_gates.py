"""What holds runs back: concurrency, once, dedup, throttle, coalesce, quiet hours, schedules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hub.store import EventRow, GateRow, RunRow, ScheduleRow
from hub.workflow import register
from hub.workflow.gates import quiet_until
from hub.workflow.language import QuietHours, Schedule
from hub.workflow.timers import after, wanted
from tests.workflow.conftest import Toys

VADUZ = ZoneInfo("Europe/Vaduz")


def workflow(gate: str, steps: str = "") -> str:
    """Return a workflow behind a gate."""
    steps = steps or '[{id: a, use: toy.write, with: {text: "{{ event.order.ref }}"}}]'
    return f"workflow: gated\non: [{{event: order.received}}]\n{gate}\nsteps: {steps}\n"


SLOW = '[{delay: 1h}, {id: a, use: toy.write, with: {text: "{{ event.order.ref }}"}}]'
KEY = '"{{ event.order.id }}"'


def states(toys: Toys) -> list[str]:
    return toys.run_named("gated")


def test_only_one_run_with_a_key_goes_on(toys: Toys) -> None:
    toys.save(workflow(f"concurrency: {{key: {KEY}, mode: single}}", SLOW))
    for id in ("ord_1", "ord_1", "ord_2"):
        toys.order_comes(id=id)
        toys.work()
    assert states(toys) == ["running", "skipped", "running"]


def test_a_new_run_ends_the_one_before_it(toys: Toys) -> None:
    toys.save(workflow(f"concurrency: {{key: {KEY}, mode: restart}}", SLOW))
    for ref in ("1", "2"):
        toys.order_comes(ref=ref)
        toys.work()
    toys.later(hours=2)
    assert states(toys) == ["cancelled", "succeeded"]
    assert toys.texts() == ["2"]


def test_runs_of_one_key_go_one_after_another_in_their_order(toys: Toys) -> None:
    toys.save(workflow(f"concurrency: {{key: {KEY}, mode: queued, max: 2}}", SLOW))
    for ref in ("1", "2", "3", "4"):
        toys.order_comes(ref=ref)
        toys.work()
    assert states(toys) == ["running", "queued", "queued", "skipped"]
    for _ in range(3):
        toys.later(hours=1, seconds=1)
    assert states(toys) == ["succeeded", "succeeded", "succeeded", "skipped"]
    assert toys.texts() == ["1", "2", "3"]


def test_a_line_whose_promotion_was_lost_moves_on(toys: Toys) -> None:
    toys.save(workflow(f"concurrency: {{key: {KEY}, mode: queued}}", SLOW))
    for ref in ("1", "2"):
        toys.order_comes(ref=ref)
        toys.work()
    with toys.hub.store.write() as session:
        first = toys.rows(RunRow)[0].id
        session.get_one(RunRow, first).state = "cancelled"
    toys.tick()
    toys.later(hours=1, seconds=1)
    assert states(toys) == ["cancelled", "succeeded"]


def test_a_loop_does_not_stand_in_its_own_runs_way(toys: Toys) -> None:
    loop = ('[{foreach: {in: "[1, 2]"}, steps: [{id: a, use: toy.write, '
            'with: {text: "n {{ item.value }}"}}]}]')  # fmt: skip
    toys.save(workflow("concurrency: {key: one, mode: queued, max: 1}", loop))
    toys.order_comes()
    toys.work()
    assert (states(toys), toys.texts()) == (["succeeded"], ["n 1", "n 2"])


@pytest.mark.parametrize(("gate", "days", "runs"), [
    (f"once: {KEY}", 400, ["succeeded", "skipped"]),
    (f"dedup: {{key: {KEY}, for: 30d}}", 29, ["succeeded", "skipped"]),
    (f"dedup: {{key: {KEY}, for: 30d}}", 31, ["succeeded", "succeeded"]),
])  # fmt: skip
def test_a_key_passes_once_within_its_time(
    toys: Toys, gate: str, days: int, runs: list[str]
) -> None:
    toys.save(workflow(gate))
    toys.order_comes()
    toys.work()
    toys.later(days=days)
    toys.order_comes()
    toys.work()
    assert states(toys) == runs


def test_no_more_than_so_many_start_within_a_time(toys: Toys) -> None:
    toys.save(workflow('throttle: {key: "{{ event.customer.phone }}", max: 2, per: 1h}'))
    for _ in range(3):
        toys.order_comes()
        toys.work()
    toys.later(hours=1, seconds=1)
    toys.order_comes()
    toys.work()
    assert states(toys) == ["succeeded", "succeeded", "skipped", "succeeded"]


def test_no_phone_number_is_kept_by_a_gate(toys: Toys) -> None:
    toys.save(workflow('throttle: {key: "{{ event.customer.phone }}", max: 2, per: 1h}'))
    toys.order_comes()
    toys.work()
    (row,) = toys.rows(GateRow)
    assert "4232345678" not in row.model_dump_json()


def test_what_comes_within_a_time_becomes_one_run(toys: Toys) -> None:
    toys.save(workflow('coalesce: {key: "{{ event.merchant.id }}", within: 30s, max_items: 3}'))
    for _ in range(2):
        toys.order_comes()
        toys.work()
    assert (states(toys), toys.texts()) == (["queued", "skipped"], [])
    toys.later(seconds=31)
    assert states(toys) == ["succeeded", "skipped"]
    for _ in range(3):
        toys.order_comes()
        toys.work()
    toys.tick()
    assert states(toys)[2:] == ["succeeded", "skipped", "skipped"], "three are enough"


def hours(first: str = "21:00", last: str = "07:00", then: str = "skip") -> QuietHours:
    given = {"from": first, "to": last, "tz": "Europe/Vaduz", "then": then}
    return QuietHours.model_validate(given)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=VADUZ).astimezone(UTC)


@pytest.mark.parametrize(("now", "end"), [
    ("2026-11-23T20:59", None), ("2026-11-23T21:00", "2026-11-24T07:00"),
    ("2026-11-24T06:59", "2026-11-24T07:00"), ("2026-11-24T07:00", None),
    ("2026-03-28T23:00", "2026-03-29T07:00"), ("2026-10-24T23:30", "2026-10-25T07:00"),
])  # fmt: skip
def test_quiet_hours_go_over_midnight_and_over_the_change_of_clocks(
    now: str, end: str | None
) -> None:
    assert quiet_until(hours(), at(now), {}) == (at(end) if end else None)


@pytest.mark.parametrize("night", ["2026-11-24", "2026-03-29", "2026-10-25"])
def test_quiet_hours_never_silence_a_message_about_a_window_inside_them(night: str) -> None:
    """A bakery delivers at 04:30; who waits for it wants to hear at 04:20."""
    window = [at(f"{night}T04:15").isoformat(), at(f"{night}T04:45").isoformat()]
    facts = {"stop": {"window_start": window[0], "window_end": window[1]}}
    assert quiet_until(hours(), at(f"{night}T04:20"), facts) is None
    before = (at(f"{night}T04:20") - timedelta(hours=6)).astimezone(VADUZ)
    assert quiet_until(hours(), before.astimezone(UTC), facts) is None, "the evening before, too"
    day = {"stop": {"eta_at": at(f"{night}T10:00").isoformat()}}
    assert quiet_until(hours(), at(f"{night}T04:20"), day) is not None


def test_quiet_hours_put_off_until_their_end(toys: Toys) -> None:
    gate = 'quiet_hours: {from: "06:00", to: "09:00", tz: Europe/Vaduz, then: delay}'
    toys.save(workflow(gate))  # it is 08:00 in Vaduz
    toys.order_comes()
    toys.work()
    assert states(toys) == ["queued"]
    toys.later(minutes=61)
    assert states(toys) == ["succeeded"]


def schedule(cron: str = "30 2 * * *", **more: object) -> Schedule:
    return Schedule.model_validate({"cron": cron, "tz": "Europe/Vaduz", **more})


def test_a_schedule_starts_its_workflow_and_no_other(toys: Toys) -> None:
    for name, cron in (("early", "30 8 * * *"), ("late", "0 9 * * *")):
        toys.save(
            f'workflow: {name}\non: [{{schedule: {{cron: "{cron}", tz: Europe/Vaduz}}}}]\n'
            f"steps: [{{id: a, use: toy.write, with: {{text: {name}}}}}]\n"
        )
    toys.tick()
    assert len(toys.rows_of(ScheduleRow)) == 2
    toys.later(minutes=31)
    toys.tick()
    assert toys.texts() == ["early"]
    toys.later(minutes=30)
    toys.tick()
    assert toys.texts() == ["early", "late"]
    toys.later(minutes=1)
    assert len(toys.rows(EventRow, type="schedule.due")) == 2


@pytest.mark.parametrize(("before", "next"), [
    ("2026-03-29T01:00", "2026-03-29T03:00"),  # 02:30 is left out: right after the gap
    ("2026-10-25T01:00", "2026-10-25T02:30"),  # 02:30 comes twice: once
])  # fmt: skip
def test_a_schedule_goes_through_the_change_of_clocks(before: str, next: str) -> None:
    found = after(schedule(), "w", at(before))
    assert found is not None
    assert found == at(next)
    assert after(schedule(), "w", found) == at(next[:10].replace("-29", "-30").replace("-25", "-26")
                                               + "T02:30")  # fmt: skip


@pytest.mark.parametrize(("if_missed", "count"), [("run_once", 1), ("run_all", 3), ("skip", 0)])
def test_missed_times_are_made_up_for_as_the_schedule_says(if_missed: str, count: int) -> None:
    now = at("2026-11-24T05:30")
    passed = [now - timedelta(hours=hours) for hours in (9, 3, 2, 1)]
    rule = schedule("30 * * * *", if_missed=if_missed, max_late="4h")
    assert len(wanted(rule, passed, now)) == count


def test_a_time_that_has_just_come_is_not_missed() -> None:
    now = at("2026-11-24T05:30")
    rule = schedule(if_missed="skip")
    assert wanted(rule, [now - timedelta(seconds=2)], now) == [now - timedelta(seconds=2)]


def test_jitter_is_always_the_same_for_one_workflow_and_spreads_several() -> None:
    rule = schedule(jitter="10m")
    found = {name: after(rule, name, at("2026-11-24T01:00")) for name in ("a", "b", "c", "d")}
    assert found == {name: after(rule, name, at("2026-11-24T01:00")) for name in found}
    assert len(set(found.values())) > 1


@pytest.mark.parametrize("name", ["Europe", "Nowhere/Land", "../etc", ""])
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        schedule(tz=name)


QUIET = 'quiet_hours: {from: "06:00", to: "09:00", tz: Europe/Vaduz, then: delay}\n'


def test_a_run_that_is_put_off_has_passed_its_other_gates(toys: Toys) -> None:
    toys.save(workflow(f"{QUIET}once: {KEY}"))
    for _ in range(2):
        toys.order_comes()
        toys.work()
    assert states(toys) == ["queued", "skipped"]
    toys.later(minutes=61)
    assert toys.texts() == ["1001"], "it is told once in the morning"


@pytest.mark.parametrize(("mode", "morning", "told"), [
    ("single", ["running", "skipped"], ["1"]),
    ("queued", ["running", "queued"], ["1", "2"]),
    ("restart", ["cancelled", "running"], ["2"]),
])  # fmt: skip
def test_runs_that_were_put_off_stand_in_line_when_they_begin(
    toys: Toys, mode: str, morning: list[str], told: list[str]
) -> None:
    toys.save(workflow(f"{QUIET}concurrency: {{key: {KEY}, mode: {mode}}}", SLOW))
    for ref in ("1", "2"):
        toys.order_comes(ref=ref)
        toys.work()
    toys.later(minutes=61)
    toys.tick()
    assert states(toys) == morning
    for _ in range(2):
        toys.later(hours=1, seconds=1)
    assert toys.texts() == told


def test_a_run_that_waits_fails_when_its_revision_no_longer_compiles(toys: Toys) -> None:
    toys.save(workflow(QUIET))
    toys.order_comes()
    toys.work()
    del toys.hub.actions["toy.write"]
    toys.hub.parts.clear()
    toys.hub.rounds.clear()
    register(toys.hub)  # as after a restart
    toys.later(minutes=61)
    (run,) = toys.rows(RunRow)
    assert (run.state, run.error["kind"]) == ("failed", "invalid")
