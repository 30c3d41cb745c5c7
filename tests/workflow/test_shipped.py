"""The workflows that come with the hub, on the hub's own actions."""

import pytest
from sqlmodel import select

from hub.events.catalogue import StopApproaching, StopFailed
from hub.events.facts import ProofFacts
from hub.nouns import Address, Location, Order, Recipient
from hub.orders.happenings import tell_stop
from hub.orders.intake import take
from hub.store import FlagRow, MessageRow, RunRow, StopRow, System
from hub.workflow.parts import assemble, load_workflows

from .conftest import Toy, Toys


@pytest.fixture
def hub_with_stop(toys: Toys) -> Toys:
    """Return a hub whose shipped workflows have made a stop of an order."""
    assemble(toys.hub)
    assert load_workflows(toys.hub).refused == ()
    order = Order(
        ref="1001",
        recipient=Recipient(name="Rosa Beck", phone="+4232345678"),
        address=Address(line1="Städtle 37", postcode="9490", city="Vaduz", country="LI"),
        location=Location(lat=47.139, lon=9.522),
    )
    with toys.hub.store.write(System()) as session:
        take(toys.hub, session, toys.merchant, "csv", order)
    toys.number()
    toys.work()
    return toys


def happens(toys: Toys, kind: type[StopApproaching] | type[StopFailed], **more: object) -> None:
    with toys.hub.store.write(System()) as session:
        stop = session.exec(select(StopRow)).one()
        stop.reason = "not_home"
        tell_stop(session, kind, stop, **more)
    toys.number()
    toys.work()


def test_an_order_with_a_place_becomes_one_stop(hub_with_stop: Toys) -> None:
    (stop,) = hub_with_stop.rows(StopRow)
    assert stop.state == "unassigned"
    assert hub_with_stop.run().state == "succeeded"
    assert hub_with_stop.events("stop.created")[0].depth == 1


def test_a_near_driver_is_told_once_to_the_customer(hub_with_stop: Toys) -> None:
    hub_with_stop.connect()
    happens(hub_with_stop, StopApproaching)
    (message,) = hub_with_stop.rows(MessageRow)
    assert (message.state, message.to) == ("sent", "+4232345678")
    assert message.text.startswith("Alpenkraut: Your driver is almost there. http")
    assert len(Toy.keys) == 1


def test_a_failed_stop_is_flagged_and_no_proof_is_sent(hub_with_stop: Toys) -> None:
    hub_with_stop.connect()
    happens(hub_with_stop, StopFailed, proof=ProofFacts(id="prf_1"))
    (flag,) = hub_with_stop.rows(FlagRow)
    assert flag.kind == "stop_failed"
    assert flag.text == "Stop 0 of order 1001 failed: Nobody at home"
    assert Toy.keys == []


def test_a_message_that_cannot_be_sent_is_flagged(hub_with_stop: Toys) -> None:
    happens(hub_with_stop, StopApproaching)
    (flag,) = hub_with_stop.rows(FlagRow)
    assert flag.kind == "message_failed"
    assert "no channel for text messages" in flag.text
    assert [run.state for run in hub_with_stop.rows(RunRow)] == ["succeeded", "failed"]
