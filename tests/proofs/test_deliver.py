"""A proof goes to every system that keeps proofs, once each."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from sqlmodel import select

from hub.actions import Call
from hub.driving.words import Report
from hub.errors import Missing
from hub.hub import Hub
from hub.nouns import Proof
from hub.proofs import handover, register
from hub.proofs.deliver import DELIVER, DeliverInput
from hub.store import MerchantRow, OrderLineRow, ProofReceiptRow, ProofRow, System
from hub.testing.road import Road


def deliver_stop(hub: Hub, road: Road, number: int = 0) -> DeliverInput:
    said = Report(id=uuid4(), kind="complete", stop=road.stops[number])
    with hub.store.write() as session:
        handover.report(hub, session, road.driver, said)
    return DeliverInput(stop=road.stops[number])


def connect(hub: Hub, path: Path, merchant: str | None) -> str:
    with hub.store.write() as session:
        row = hub.connections.save(session, "folder", {"path": str(path)}, merchant=merchant)
        return row.id


def items(hub: Hub, merchant: str, given: DeliverInput) -> list[str]:
    with hub.store.write(System(merchant)) as session:
        return DELIVER.items(hub, session, given)


def prepared(hub: Hub, merchant: str, given: DeliverInput, connection: str) -> tuple[Call, Proof]:
    call = Call(key="run_1:proof:1", connection=connection, merchant=merchant)
    found = DELIVER.prepare(hub, given, call)
    assert isinstance(found, Proof)
    return call, found


def test_workflows_know_the_action(hub: Hub) -> None:
    register(hub)
    assert hub.actions["proofs.deliver"] is DELIVER


def test_there_is_one_item_per_enabled_sink_of_the_merchant_or_the_operator(
    hub: Hub, road: Road, tmp_path: Path
) -> None:
    given = deliver_stop(hub, road)
    with hub.store.write() as session:
        other = MerchantRow(name="Other", slug="other")
        session.add(other)
        session.flush()
        stranger = other.id
    own = connect(hub, tmp_path / "own", road.world.merchant)
    shared = connect(hub, tmp_path / "all", None)
    connect(hub, tmp_path / "foreign", stranger)
    switched_off = connect(hub, tmp_path / "off", road.world.merchant)
    with hub.store.write() as session:
        hub.connections.set_enabled(session, switched_off, False)
    assert items(hub, road.world.merchant, given) == [own, shared]


def test_a_proof_reaches_the_folder_whole(hub: Hub, road: Road, tmp_path: Path) -> None:
    given = deliver_stop(hub, road)
    connection = connect(hub, tmp_path / "out", None)
    call, proof = prepared(hub, road.world.merchant, given, connection)
    with hub.store.read() as session:
        sink = hub.connections.usable(session, connection)
    receipt = DELIVER.call(sink, proof)
    kept = tmp_path / "out" / "1001" / proof.id
    assert json.loads((kept / "record.json").read_bytes())["order"]["ref"] == "#1001"
    assert (kept / "proof.pdf").read_bytes().startswith(b"%PDF-")
    with hub.store.write(System(road.world.merchant)) as session:
        DELIVER.done(session, given, call, receipt)
        DELIVER.done(session, given, call, receipt)
    with hub.store.read() as session:
        row = session.exec(select(ProofReceiptRow)).one()
    assert (row.proof, row.connection, row.ref) == (proof.id, connection, str(kept))


def test_the_noun_names_order_invoice_stop_and_tracking_page(
    hub: Hub, road: Road, tmp_path: Path
) -> None:
    given = deliver_stop(hub, road)
    _, proof = prepared(hub, road.world.merchant, given, connect(hub, tmp_path, None))
    assert (proof.order, proof.invoice, proof.stop) == ("#1001", "INV-1", road.stops[0])
    assert (proof.key, proof.outcome) == ("run_1:proof:1", "completed")
    assert proof.tracking_url.startswith(hub.settings.public_url)
    assert [file.name for file in proof.files] == ["proof.pdf"]
    assert len(proof.summary) <= 200


def test_the_noun_says_what_was_handed_over_and_to_whom(
    hub: Hub, road: Road, tmp_path: Path
) -> None:
    given = deliver_stop(hub, road)
    with hub.store.write(System()) as session:
        line = session.get_one(OrderLineRow, road.lines[0][0])
        line.price, line.ref = Decimal("4.50"), "li-7"
        name, ordered = line.name, line.quantity
    _, proof = prepared(hub, road.world.merchant, given, connect(hub, tmp_path, None))
    first = proof.lines[0]
    assert (first.name, first.ref, first.ordered, first.handed_over) == (
        name, "li-7", ordered, ordered,
    )  # fmt: skip
    assert first.price is not None
    assert first.price.amount == Decimal("4.50")
    assert (proof.source, bool(proof.recipient.name), bool(proof.address.city)) == (
        "csv", True, True,
    )  # fmt: skip


def test_a_named_proof_stays_the_same_when_another_follows(
    hub: Hub, road: Road, tmp_path: Path
) -> None:
    deliver_stop(hub, road, 0)
    with hub.store.read() as session:
        first = session.exec(select(ProofRow)).one()
    given = DeliverInput(stop=road.stops[0], proof=first.id)
    _, proof = prepared(hub, road.world.merchant, given, connect(hub, tmp_path, None))
    assert proof.id == first.id


def test_a_proof_of_another_stop_is_refused(hub: Hub, road: Road) -> None:
    deliver_stop(hub, road, 0)
    with hub.store.read() as session:
        first = session.exec(select(ProofRow)).one()
    with pytest.raises(Missing, match="not of stop"):
        items(hub, road.world.merchant, DeliverInput(stop=road.stops[1], proof=first.id))


def test_another_merchants_stop_is_not_there(hub: Hub, road: Road) -> None:
    given = deliver_stop(hub, road)
    with pytest.raises(Missing):
        items(hub, "mer_other", given)


def test_a_stop_without_an_attempt_has_no_proof(hub: Hub, road: Road) -> None:
    with pytest.raises(Missing, match="no proof yet"):
        items(hub, road.world.merchant, DeliverInput(stop=road.stops[1]))


def test_no_sink_is_nothing_to_do(hub: Hub, road: Road) -> None:
    assert items(hub, road.world.merchant, deliver_stop(hub, road)) == []
    assert DELIVER.output([]).model_dump() == {"delivered": 0}
