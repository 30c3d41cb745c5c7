"""The record of a delivery: canonical, chained, without a person in it."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image
from sqlmodel import col, select

from hub.driving.words import Report
from hub.errors import Refused
from hub.hub import Hub
from hub.proofs import handover, record, uploads
from hub.store import AttemptRow, EtaRow, EventRow, PersonRow, ProofFileRow, ProofRow
from hub.testing.fixtures import MORNING, set_time
from hub.testing.road import Road


def photo(shade: int = 90) -> bytes:
    file = BytesIO()
    Image.new("RGB", (80, 60), (shade, shade, 20)).save(file, "JPEG")
    return file.getvalue()


def hand_over(hub: Hub, road: Road, number: int = 0, kind: str = "complete", **more: Any) -> str:
    said = Report.model_validate({"id": uuid4(), "kind": kind, "stop": road.stops[number], **more})
    with hub.store.write() as session:
        handover.report(hub, session, road.driver, said, device="phone")
    return road.stops[number]


def proof_of(hub: Hub, stop: str) -> ProofRow:
    with hub.store.read() as session:
        return session.exec(select(ProofRow).where(ProofRow.stop == stop)).one()


def test_the_record_says_what_happened(hub: Hub, road: Road) -> None:
    sent = uploads.upload(hub, road.driver, "photo", photo())
    stop = hand_over(
        hub, road, lat=47.1418, lon=9.5215, accuracy=9.6, cash_taken="12.50",
        at=MORNING - timedelta(minutes=2), files=[{"kind": "photo", "sha256": sent.sha256}],
    )  # fmt: skip
    said = json.loads(proof_of(hub, stop).record)
    assert said["version"] == 1
    assert said["order"]["ref"] == "#1001"
    assert (said["outcome"], said["attempt"]["number"]) == ("completed", 1)
    assert said["captured_at"] == said["occurred_at"] == "2026-11-23T06:58:00.000Z"
    assert said["received_at"] == "2026-11-23T07:00:00.000Z"
    assert said["place"] == {
        "lat": "47.141800", "lon": "9.521500", "accuracy_m": 10, "distance_m": 22,
    }  # fmt: skip
    assert said["lines"][0] == {
        "number": 1, "sku": "OIL", "name": "Pine oil", "ordered": 2, "handed_over": 2,
    }  # fmt: skip
    assert said["cash"] == {"due": "12.50", "taken": "12.50", "currency": "CHF"}
    assert said["files"] == [
        {"kind": "photo", "sha256": sent.sha256, "size": sent.size, "media_type": "image/jpeg"}
    ]


def test_the_hash_is_of_the_canonical_bytes(hub: Hub, road: Road) -> None:
    row = proof_of(hub, hand_over(hub, road))
    assert record.canonical(json.loads(row.record)) == row.record.encode()
    assert hashlib.sha256(row.record.encode()).hexdigest() == row.sha256


def test_every_number_in_a_record_is_an_integer(hub: Hub, road: Road) -> None:
    row = proof_of(hub, hand_over(hub, road, lat=47.14161234, lon=9.5, accuracy=3.7))

    def refuse(text: str) -> float:
        raise AssertionError(f"{text} is not an integer")

    json.loads(row.record, parse_float=refuse)


def test_records_of_a_merchant_are_chained(hub: Hub, road: Road) -> None:
    first, second, third = (proof_of(hub, hand_over(hub, road, number)) for number in range(3))
    assert [first.number, second.number, third.number] == [1, 2, 3]
    assert [first.prev, second.prev, third.prev] == ["", first.sha256, second.sha256]
    assert json.loads(third.record)["prev"] == second.sha256


def test_no_person_is_in_the_record(hub: Hub, road: Road) -> None:
    stop = hand_over(hub, road, received_by="Rosa Beck", note="with neighbour Anton Hilti")
    row = proof_of(hub, stop)
    for secret in ("Rosa", "Beck", "Anton", "Hilti", "Lea", "Frick", road.driver, "+423"):
        assert secret not in row.record


def test_the_name_can_be_proven_with_the_salt_only(hub: Hub, road: Road) -> None:
    row = proof_of(hub, hand_over(hub, road, received_by="Rosa Beck"))
    said = json.loads(row.record)["received_by"]
    assert said == record.salted(row.salt, "received_by", "Rosa Beck")
    assert said != record.salted("00" * 16, "received_by", "Rosa Beck")
    assert said != record.salted(row.salt, "note", "Rosa Beck")


def test_a_driver_has_one_pseudonym_per_merchant(hub: Hub, road: Road) -> None:
    first = json.loads(proof_of(hub, hand_over(hub, road, 0)).record)
    second = json.loads(proof_of(hub, hand_over(hub, road, 1)).record)
    assert first["driver"] == second["driver"]
    secret = hub.keys.pseudonym
    other = record.pseudonym(secret, "mer_other", "driver", road.driver)
    assert first["driver"] != other


def test_the_event_of_an_ending_names_its_proof(hub: Hub, road: Road) -> None:
    row = proof_of(hub, hand_over(hub, road))
    with hub.store.read() as session:
        event = session.exec(select(EventRow).where(EventRow.type == "stop.completed")).one()
        person = session.get_one(PersonRow, event.id)
    assert event.data["proof"] == {"id": row.id, "sha256": row.sha256}
    assert person.data["driver"] == {"first_name": "Lea"}


def test_a_file_that_nobody_sent_undoes_the_whole_report(hub: Hub, road: Road) -> None:
    with pytest.raises(Refused, match="not uploaded"):
        hand_over(hub, road, files=[{"kind": "photo", "sha256": "0" * 64}])
    with hub.store.read() as session:
        assert session.exec(select(AttemptRow)).all() == []
        assert session.exec(select(EventRow)).all() == []


def test_a_photo_is_no_signature(hub: Hub, road: Road) -> None:
    sent = uploads.upload(hub, road.driver, "photo", photo())
    with pytest.raises(Refused, match="signature"):
        hand_over(hub, road, files=[{"kind": "signature", "sha256": sent.sha256}])


def test_another_drivers_photo_is_refused(hub: Hub, road: Road) -> None:
    sent = uploads.upload(hub, "drv_other", "photo", photo())
    with pytest.raises(Refused, match="not uploaded"):
        hand_over(hub, road, files=[{"kind": "photo", "sha256": sent.sha256}])


def test_the_same_photo_named_twice_is_kept_once(hub: Hub, road: Road) -> None:
    sent = uploads.upload(hub, road.driver, "photo", photo())
    again = uploads.upload(hub, road.driver, "photo", photo())
    assert sent == again
    hand_over(hub, road, files=[{"kind": "photo", "sha256": sent.sha256}] * 2)
    with hub.store.read() as session:
        assert len(session.exec(select(ProofFileRow)).all()) == 1


def test_a_repeated_report_makes_no_second_proof_and_no_new_eta(hub: Hub, road: Road) -> None:
    said = Report(id=uuid4(), kind="complete", stop=road.stops[0])
    counts = []
    for minutes in range(2):
        set_time(hub, MORNING + timedelta(minutes=30 * minutes))
        with hub.store.write() as session:
            handover.report(hub, session, road.driver, said)
        with hub.store.read() as session:
            counts.append(
                [len(session.exec(select(t)).all()) for t in (ProofRow, EtaRow, EventRow)]
            )
    assert counts[0] == counts[1]
    assert counts[0][0] == 1


def test_a_disbelieved_clock_stands_beside_the_time_that_counts(hub: Hub, road: Road) -> None:
    stop = hand_over(hub, road, at=MORNING - timedelta(days=2))
    said = json.loads(proof_of(hub, stop).record)
    assert said["captured_at"] == "2026-11-21T07:00:00.000Z"
    assert said["occurred_at"] == "2026-11-23T07:00:00.000Z"


def test_a_recipient_hears_of_the_approach_even_when_arrival_comes_first(
    hub: Hub, road: Road
) -> None:
    hand_over(hub, road, 2)
    with hub.store.read() as session:
        told = session.exec(
            select(EventRow.type).where(
                EventRow.subject == road.stops[2], col(EventRow.type) == "stop.approaching"
            )
        ).all()
    assert len(told) == 1
