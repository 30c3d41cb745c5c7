"""Outward calls: one key, as few calls as the outcome allows, nothing lost."""

import pytest

from hub import deadlines
from hub.errors import Rejected, Retry, Unauthorized, Unknown
from hub.nouns import Message, Receipt
from hub.store import ConnectionRow, MessageRow, System, WorkRow
from hub.workflow.parking import release

from .conftest import Forgetful, Toy, Toys, sender

SEND = """\
workflow: near
on: [{event: stop.approaching}]
steps:
  - id: sms
    use: toy.send
    with:
      to: "{{ event.customer.phone }}"
      text: "{{ event.driver.first_name }} is near: {{ event.stop.tracking_url }}"
    retry: {max: 2, delay: 20s}
  - id: after
    use: toy.write
    with: {text: "sent {{ steps.sms.output.sent }}"}
on_error:
  - use: toy.write
    with: {text: "{{ error.kind }}"}
"""


class Killed(BaseException):
    """Stands for a process that ends here: nothing after it runs, nothing handles it."""


def begin(toys: Toys, *connectors: str) -> list[str]:
    toys.save(SEND)
    ids = [toys.connect(name) for name in connectors]
    toys.driver_comes_near()
    return ids


def die_during_the_call(toys: Toys) -> None:
    def kill(point: str) -> None:
        if point == "after_call":
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hub.workflow.effects.reach", kill)
        with pytest.raises(Killed):
            toys.work()


def test_a_call_is_bound_by_its_timeout_and_its_heartbeat(toys: Toys) -> None:
    bounds: list[tuple[float, bool]] = []

    def look(message: Message) -> Receipt:
        bounds.extend((limit.seconds, limit.beats) for limit in deadlines._limits)
        return Receipt()

    Toy.answers.append(look)
    toys.save(SEND.replace("    retry:", "    timeout: 20s\n    heartbeat: 5s\n    retry:"))
    toys.connect()
    toys.driver_comes_near()
    toys.work()
    assert (bounds, deadlines._limits) == ([(20.0, False), (5.0, True)], [])


def test_each_item_is_called_once_under_its_key(toys: Toys) -> None:
    first, second = begin(toys, "toy", "toy")
    toys.work()
    run = toys.run()
    assert sorted(Toy.keys) == sorted([f"{run.id}:sms:{first}", f"{run.id}:sms:{second}"])
    assert run.state == "succeeded"
    assert toys.texts() == ["sent 2"]


def test_the_text_carries_the_tracking_link_and_the_first_name(toys: Toys) -> None:
    begin(toys, "toy")
    toys.work()
    (message,) = toys.rows(MessageRow)
    assert message.text.startswith(f"Lea is near: {toys.hub.settings.public_url}/t/")


def test_neither_the_link_nor_the_phone_is_kept_beside_the_run(toys: Toys) -> None:
    begin(toys, "toy")
    toys.work()
    assert toys.steps()["sms"].input == {"to": "•••", "text": "••• is near: •••"}


def test_a_step_without_anyone_to_call_is_done(toys: Toys) -> None:
    begin(toys)
    toys.work()
    assert toys.texts() == ["sent 0"]


def test_a_retry_comes_not_before_the_other_side_asked_for_it(toys: Toys) -> None:
    Toy.answers.append(Retry("too many", after=500))
    begin(toys, "toy")
    toys.work()
    (work,) = toys.rows(WorkRow, kind="effect")
    assert (work.not_before - toys.hub.store.clock.wall()).total_seconds() > 480
    toys.wait()
    assert toys.outcomes() == ["retry", "ok"]
    assert len(set(Toy.keys)) == 1


def test_used_up_retries_end_as_a_dead_letter(toys: Toys) -> None:
    Toy.answers.extend([Retry("a"), ValueError("b"), Retry("c"), Retry("never reached")])
    begin(toys, "toy")
    toys.work()
    toys.wait()
    toys.wait()
    toys.wait()
    assert toys.outcomes() == ["retry", "error", "retry"]
    assert toys.run().state == "failed"
    assert toys.texts() == ["retry"]
    assert len(toys.failures) == 1


def test_a_rejected_call_is_never_repeated(toys: Toys) -> None:
    Toy.answers.append(Rejected("+4232345678 is no mobile number"))
    begin(toys, "toy")
    toys.work()
    toys.wait()
    assert toys.outcomes() == ["rejected"]
    assert toys.run().error["message"] == "••• is no mobile number"
    assert toys.texts() == ["rejected"]


def test_one_failed_item_does_not_keep_the_others_from_being_called(toys: Toys) -> None:
    Toy.answers.append(Rejected("no"))
    begin(toys, "toy", "toy")
    toys.work()
    assert [effect.state for effect in toys.effects()] == ["failed", "done"]
    assert toys.run().state == "failed"


def test_a_lost_reply_of_a_keyed_side_is_sent_again_with_the_same_key(toys: Toys) -> None:
    Toy.answers.append(Unknown("no answer"))
    begin(toys, "toy")
    toys.work()
    toys.wait()
    assert toys.outcomes() == ["unknown", "ok"]
    assert len(Toy.keys) == 2
    assert len(set(Toy.keys)) == 1


@pytest.mark.parametrize("error", [Unknown("no answer"), KeyError("odd reply")])
def test_a_lost_reply_of_a_side_without_keys_waits_for_a_person(
    toys: Toys, error: Exception
) -> None:
    Forgetful.answers.append(error)
    begin(toys, "forgetful")
    toys.work()
    toys.wait()
    assert len(Forgetful.keys) == 1
    assert [effect.state for effect in toys.effects()] == ["unknown"]
    assert toys.run().error["kind"] == "unknown"


def test_an_action_that_asks_is_not_sent_again_even_where_keys_are_kept(toys: Toys) -> None:
    toys.hub.actions["toy.send"] = sender(toys, "ask")
    Toy.answers.append(Unknown("no answer"))
    begin(toys, "toy")
    toys.work()
    toys.wait()
    assert len(Toy.keys) == 1
    assert toys.run().error["kind"] == "unknown"


def test_a_worker_that_dies_during_the_call_leads_to_one_more_call_with_the_same_key(
    toys: Toys,
) -> None:
    begin(toys, "toy")
    die_during_the_call(toys)
    toys.wait()
    assert toys.outcomes() == ["lost", "ok"]
    assert len(Toy.keys) == 2
    assert len(set(Toy.keys)) == 1
    assert len(toys.rows(MessageRow)) == 1


def test_a_worker_that_dies_during_a_call_without_keys_leads_to_no_second_call(
    toys: Toys,
) -> None:
    begin(toys, "forgetful")
    die_during_the_call(toys)
    toys.wait()
    assert len(Forgetful.keys) == 1
    assert toys.outcomes() == ["lost"]
    assert [effect.state for effect in toys.effects()] == ["unknown"]
    assert toys.texts() == ["unknown"]


def test_work_of_a_connection_that_is_off_waits_and_goes_on_when_it_is_on(toys: Toys) -> None:
    (id,) = begin(toys, "toy")
    with toys.hub.store.write(System()) as session:
        toys.hub.connections.set_enabled(session, id, False)
    toys.work()
    toys.wait()
    assert Toy.keys == []
    assert [effect.state for effect in toys.effects()] == ["parked"]
    with toys.hub.store.write(System()) as session:
        toys.hub.connections.set_enabled(session, id, True)
        assert release(session, id) == 1
    toys.work()
    assert toys.run().state == "succeeded"
    assert toys.outcomes() == ["ok"]


def test_look_ups_of_places_that_wait_go_on_with_the_rest(toys: Toys) -> None:
    id = toys.connect()
    with toys.hub.store.write(System()) as session:
        session.add(
            WorkRow(
                kind="geocode", subject="ord_1", queue="outward", state="parked",
                not_before=session.wall, created_at=session.wall,
            )
        )  # fmt: skip
    with toys.hub.store.write(System()) as session:
        assert release(session, id) == 1
    assert [work.state for work in toys.rows(WorkRow)] == ["ready"]


def test_expired_credentials_park_the_work_until_someone_reconnects(toys: Toys) -> None:
    Toy.answers.append(Unauthorized("the key was revoked"))
    (id,) = begin(toys, "toy")
    toys.work()
    with toys.hub.store.read(System()) as session:
        assert session.get_one(ConnectionRow, id).state == "action_needed"
    assert len(toys.events("connection.expired")) == 1
    assert toys.run().state == "running"
    with toys.hub.store.write(System()) as session:
        toys.hub.connections.save(session, "toy", {}, id=id)
        release(session, id)
    toys.work()
    assert toys.run().state == "succeeded"
    assert toys.outcomes() == ["unauthorized", "ok"]
    assert len(set(Toy.keys)) == 1


def test_expired_credentials_use_up_no_retry(toys: Toys) -> None:
    begin(toys, "toy")
    for _ in range(4):
        Toy.answers.append(Unauthorized("revoked"))
        toys.work()
        (row,) = toys.rows(ConnectionRow)
        with toys.hub.store.write(System()) as session:
            toys.hub.connections.save(session, "toy", {}, id=row.id)
            release(session, row.id)
    Toy.answers.append(Retry("busy"))
    toys.work()
    toys.wait()
    assert toys.run().state == "succeeded"


def test_an_answer_that_is_no_receipt_is_the_plugins_fault(toys: Toys) -> None:
    Toy.answers.extend([lambda message: None] * 3)  # type: ignore[arg-type, list-item, return-value]
    begin(toys, "toy")
    toys.work()
    toys.wait()
    toys.wait()
    assert toys.run().error["kind"] == "error"
    assert "no Receipt" in toys.run().error["message"]
