"""A text is tried on some merchants first; everybody else keeps the one before."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.errors import Refused
from hub.fleet.roster import add_merchant
from hub.store import Operator, RevisionRow, RunRow, System, WorkflowRow
from hub.workflow import revisions
from hub.workflow.replay import replay
from hub.workflow.requests import request

from .conftest import Toys

TELL = """
workflow: tell
on: [{event: order.received}, {manual: true}]
steps:
  - {id: a, use: toy.write, with: {text: old}}
"""
CANARY = TELL.replace("text: old", "text: new").replace("on:", "canary: [alpenkraut]\non:", 1)


def orders_come(toys: Toys, *merchants: str) -> list[str]:
    """Let an order of each merchant come, and return what was written about them."""
    own = toys.merchant
    before = len(toys.texts())
    for merchant in merchants:
        toys.merchant = merchant
        toys.order_comes()
        toys.work()
    toys.merchant = own
    return toys.texts()[before:]


@pytest.fixture
def other(toys: Toys) -> str:
    with toys.hub.store.write(System()) as session:
        return add_merchant(session, "Bergblick").id


def test_only_the_merchants_of_a_canary_have_it(toys: Toys, other: str) -> None:
    toys.save(TELL)
    toys.save(CANARY)
    assert orders_come(toys, toys.merchant, other) == ["new", "old"]


def test_a_merchant_may_be_named_by_its_id(toys: Toys, other: str) -> None:
    toys.save(TELL)
    toys.save(CANARY.replace("alpenkraut", other))
    assert orders_come(toys, toys.merchant, other) == ["old", "new"]


def test_without_a_text_before_it_nothing_is_done_for_others(toys: Toys, other: str) -> None:
    toys.save(CANARY)
    assert orders_come(toys, other, toys.merchant) == ["new"]


def test_a_canary_that_is_edited_leaves_others_with_the_text_before_it(
    toys: Toys, other: str
) -> None:
    toys.save(TELL)
    toys.save(CANARY)
    toys.save(CANARY.replace("text: new", "text: newer"))
    assert orders_come(toys, toys.merchant, other) == ["newer", "old"]


def test_without_its_canary_a_text_is_in_force_for_all(toys: Toys, other: str) -> None:
    toys.save(TELL)
    toys.save(CANARY)
    toys.save(CANARY.replace("canary: [alpenkraut]\n", ""))
    assert orders_come(toys, toys.merchant, other) == ["new", "new"]
    assert toys.rows_of(WorkflowRow)[0].others is None


def test_rolled_back_the_old_text_is_in_force_for_all_and_says_who_did_it(
    toys: Toys, other: str
) -> None:
    toys.save(TELL)
    toys.save(CANARY)
    with toys.hub.store.write(Operator("ops")) as session:
        revisions.roll_back(session, toys.hub, "tell", 1, "Ida")
    assert orders_come(toys, toys.merchant, other) == ["old", "old"]
    row = toys.rows_of(WorkflowRow)[0]
    assert (row.others, row.put_by, row.put_at) == (None, "Ida", toys.clock)


def test_the_way_back_to_a_canary_keeps_others_on_what_was_in_force(toys: Toys, other: str) -> None:
    toys.save(TELL)
    toys.save(CANARY)
    toys.save(TELL.replace("old", "third"))
    with toys.hub.store.write(Operator("ops")) as session:
        revisions.roll_back(session, toys.hub, "tell", 2)
    assert orders_come(toys, toys.merchant, other) == ["new", "third"]


def test_a_run_asked_for_by_hand_is_of_the_text_that_its_merchant_has(
    toys: Toys, other: str
) -> None:
    toys.save(TELL)
    toys.save(CANARY.replace(", {manual: true}", ""))
    with toys.hub.store.write(System()) as session:
        request(toys.hub, session, "tell", by="ops", merchant=other)
        request(toys.hub, session, "tell", by="ops")
        with pytest.raises(Refused, match="manual: true"):
            request(toys.hub, session, "tell", by="ops", merchant=toys.merchant)
    toys.tick()
    assert toys.texts() == ["old", "old"]


def test_a_schedule_is_that_of_the_text_for_others(toys: Toys) -> None:
    timed = TELL.replace("on: [", 'on: [{schedule: {cron: "0 9 * * *"}}, ')
    toys.save(timed)
    toys.save(CANARY.replace("on: [", 'on: [{schedule: {cron: "0 8 * * *"}}, '))
    toys.tick()
    toys.later(hours=3)
    assert toys.texts() == ["old"]


def test_a_canary_s_difference_is_that_of_its_merchants(toys: Toys, other: str) -> None:
    toys.save(TELL)
    orders_come(toys, toys.merchant, other)
    found = replay(toys.hub, Operator("ops"), CANARY, timedelta(days=1))
    assert (found.events, found.ran, found.started) == (1, 1, 1)


def test_runs_stay_on_the_revision_that_they_began_with(toys: Toys, other: str) -> None:
    toys.save(TELL)
    toys.save(CANARY)
    orders_come(toys, toys.merchant, other)
    numbers = {row.id: row.number for row in toys.rows(RevisionRow)}
    assert [numbers[row.revision] for row in toys.rows(RunRow)] == [2, 1]
