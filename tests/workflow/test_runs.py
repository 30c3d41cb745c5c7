"""Dead letters: seen, retried from where they failed, under the same keys."""

import pytest

from hub.errors import Missing, Refused, Rejected
from hub.store import Merchant, MerchantRow, MessageRow, Operator, System
from hub.workflow.letters import retry

from .conftest import Toy, Toys
from .test_effects import SEND, begin


def test_a_dead_letter_goes_on_from_the_step_that_failed(toys: Toys) -> None:
    toys.save(
        SEND.replace(
            "  - id: sms", "  - id: before\n    use: toy.write\n    with: {text: once}\n  - id: sms"
        )
    )
    toys.connect()
    toys.connect()
    Toy.answers.append(Rejected("no"))
    toys.driver_comes_near()
    toys.work()
    with toys.hub.store.write(Operator("ops")) as session:
        retry(toys.hub, session, toys.run().id)
    toys.work()
    assert toys.run().state == "succeeded"
    assert toys.texts() == ["once", "rejected", "sent 2"]
    assert len(Toy.keys) == 3
    assert len(set(Toy.keys)) == 2
    assert len(toys.rows(MessageRow)) == 2


def test_a_dead_letter_can_die_a_second_time(toys: Toys) -> None:
    begin(toys, "toy")
    for _ in range(2):
        Toy.answers.append(Rejected("no"))
        toys.work()
        if len(toys.texts()) < 2:
            with toys.hub.store.write(System()) as session:
                retry(toys.hub, session, toys.run().id)
    assert toys.run().state == "failed"
    assert toys.texts() == ["rejected", "rejected"]
    assert len(toys.events("workflow.failed")) == 2


def test_only_a_dead_letter_can_be_retried(toys: Toys) -> None:
    begin(toys, "toy")
    toys.work()
    with toys.hub.store.write(System()) as session, pytest.raises(Refused, match="succeeded"):
        retry(toys.hub, session, toys.run().id)


def test_a_run_whose_condition_failed_has_no_step_to_retry(toys: Toys) -> None:
    toys.save(SEND.replace("{event: stop.approaching}", '{event: stop.approaching, if: "1/0 > 1"}'))
    toys.driver_comes_near()
    toys.work()
    with (
        toys.hub.store.write(System()) as session,
        pytest.raises(Refused, match="correct the workflow"),
    ):
        retry(toys.hub, session, toys.run().id)


def test_another_merchant_cannot_retry_it(toys: Toys) -> None:
    Toy.answers.append(Rejected("no"))
    begin(toys, "toy")
    toys.work()
    with toys.hub.store.write(System()) as session:
        other = MerchantRow(name="Other", slug="other")
        session.add(other)
    with toys.hub.store.write(Merchant(other.id)) as session, pytest.raises(Missing):
        retry(toys.hub, session, toys.run().id)
