"""After an erasure no table, no file and no value in Redis tells of the person any more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlmodel import SQLModel, select

from hub.connections import activity
from hub.dispatch.flags import raise_flag
from hub.errors import Missing, Refused
from hub.hub import Hub
from hub.nouns import Address, Delivery, Incoming, Location, Order, PrivacyRequest, RefusedRow
from hub.orders.intake import take
from hub.privacy import requests
from hub.proofs import pdf
from hub.queue import entry
from hub.store import (
    AuditRow,
    ConnectionRow,
    FlagRow,
    ImportErrorRow,
    ImportRow,
    InboxRow,
    MessageRow,
    OrderRow,
    PlaceRow,
    PrivacyRow,
    ProofRow,
    ReplyRow,
    System,
    WorkRow,
)
from hub.testing.fixtures import MORNING, World, set_time
from hub.workflow import incoming, previews, rejects
from hub.workflow.parts import assemble
from tests.canary import in_files, in_redis

WORDS = (
    "Rosalinde Quaderer", "rosalinde@example.li", "+423 555 12 34", "+4235551234",
    "Geheimweg 17", "Ring at the blue door", "Neighbour Ospelt",
)  # fmt: skip
OTHER = "Hugo Risch"


@pytest.fixture
def shop(hub: Hub, world: World) -> str:
    """Return a connection from which the orders of the tests came."""
    assemble(hub)
    with hub.store.write(System()) as session:
        return hub.connections.save(
            session, "folder", {"path": "/tmp/x"}, merchant=world.merchant
        ).id


def order(hub: Hub, world: World, ref: str, name: str = WORDS[0], **values: Any) -> str:
    """Take an order in; return its id."""
    mine = name == WORDS[0]
    made = Order(
        ref=ref, parent=f"parent-{ref}",
        recipient={"name": name, "email": WORDS[1] if mine else "hugo@example.li",
                   "phone": WORDS[2] if mine else "+423 777 00 00"},
        address=Address(line1=WORDS[4] if mine else "Im Feld 3", postcode="9490", city="Vaduz"),
        location=Location(lat=47.13912, lon=9.52243),
        notes=WORDS[5] if mine else "", **values,
    )  # fmt: skip
    with hub.store.write(System()) as session:
        return take(hub, session, world.merchant, "folder", made).id


def deliver(hub: Hub, world: World, road: Any, id: str) -> str:
    """Let an order be delivered, with all that follows from it; return the proof's id."""
    from uuid import uuid4

    from hub.driving.words import Report
    from hub.orders.stops import create_stop
    from hub.proofs import handover

    with hub.store.write(System()) as session:
        stop = create_stop(session, id)
        stop.route, stop.position, stop.state = road.route, 9, "dispatched"
        session.flush()
        said = Report(id=uuid4(), kind="complete", stop=stop.id, received_by=WORDS[6],
                      note=f"left with {WORDS[6]}", lat=47.13911, lon=9.52241)  # fmt: skip
        handover.report(hub, session, world.driver, said, device="phone")
        session.add(MessageRow(
            key=f"m-{id}", merchant=world.merchant, stop=stop.id, channel="con_x", to=WORDS[3],
            text="Hello Rosalinde Quaderer", state="sent", created_at=MORNING,
        ))  # fmt: skip
        session.add(ReplyRow(
            merchant=world.merchant, channel="con_x", ref=f"r-{id}", sender=WORDS[3],
            text=f"{WORDS[6]} is at home", stop=stop.id, received_at=MORNING,
        ))  # fmt: skip
        name = session.get_one(OrderRow, id).name
        raise_flag(session, f"f-{id}", "note", f"{name} called", stop.id, world.merchant)
    with hub.store.read() as session:
        proof = session.exec(select(ProofRow).where(ProofRow.stop == stop.id)).one()
    pdf.pdf(hub, System(), proof.id)
    return proof.id


def keep(hub: Hub, shop: str, body: bytes, status: int = 200) -> None:
    """Keep a delivery as the web process does, in a state."""
    with hub.store.write(System()) as session:
        row = session.get_one(ConnectionRow, shop)
        request = Incoming(body=body, headers={}, at=session.wall)
        incoming.write(session, [incoming.kept(hub.keys, row, request, Delivery(topic="t"))])
        session.flush()
        for kept in session.exec(select(InboxRow)):
            kept.status = status


def everything(hub: Hub, tmp_path: Path) -> list[tuple[str, bytes]]:
    """Return all that is held, with what is encrypted in clear."""
    found = [*in_tables(hub), *in_redis(hub.settings.redis_url)]
    found += [(where, held) for where, held in in_files(tmp_path) if "hub.db" not in where]
    with hub.store.read() as session:
        for row in session.exec(select(InboxRow)):
            if row.kind == activity.DELIVERY and row.body:
                found.append((f"inbox {row.id}", hub.keys.opened(bytes(row.body))))
        for preview in session.exec(select(previews.PreviewRow)):
            found.append(
                (f"preview {preview.id}", json.dumps(previews.found(hub, preview)).encode())
            )
        for asked in session.exec(select(PrivacyRow)):
            if asked.asked:
                found.append((f"privacy {asked.id}", hub.keys.unseal(asked.asked).encode()))
            if asked.file:
                found.append((f"copy {asked.id}", requests.content(hub, asked)))
    return found


def in_tables(hub: Hub) -> Iterator[tuple[str, bytes]]:
    """Yield every row of every table; what SQLite has not overwritten yet is no row."""
    with hub.store.engine.connect() as connection:
        for table in SQLModel.metadata.sorted_tables:
            for row in connection.execute(sqlalchemy.select(table)):
                yield f"the table {table.name}", repr(row).encode()


def places(hub: Hub, tmp_path: Path, words: tuple[str, ...] = WORDS) -> set[str]:
    """Return where any word stands, as text or as JSON writes it."""
    forms = set(words) | {json.dumps(word)[1:-1] for word in words}
    return {
        where for where, held in everything(hub, tmp_path)
        if any(form.encode() in held for form in forms)
    }  # fmt: skip


def ask(hub: Hub, shop: str, **values: Any) -> None:
    """Let the shop ask for something."""
    with hub.store.write(System()) as session:
        row = session.get_one(ConnectionRow, shop)
        requests.ask(hub, session, row, PrivacyRequest(**values))
    work(hub)


def work(hub: Hub) -> None:
    while entry.run(hub, "fast", "test"):
        pass


def request_of(hub: Hub) -> PrivacyRow:
    with hub.store.read() as session:
        return session.exec(select(PrivacyRow)).one()


def fill(hub: Hub, world: World, shop: str, road: Any) -> tuple[str, str]:
    """Leave the person's words in every place where they come to stand; return order and proof."""
    id = order(hub, world, "1001")
    proof = deliver(hub, world, road, id)
    keep(hub, shop, json.dumps({"email": WORDS[1], "name": WORDS[0]}).encode())
    with hub.store.write(System()) as session:
        row = session.get_one(ConnectionRow, shop)
        refused = RefusedRow(line=0, reason=f"order 7 of {WORDS[0]} is bad", ref="7")
        rejects.refuse(session, row, rejects.Origin("pull"), refused)
        activity.note(session, row, "out", "pull", "rejected", text=f"{WORDS[1]} is bad")
        file = hub.files.put(f"name\n{WORDS[0]}\n".encode())
        made = ImportRow(
            merchant=world.merchant, filename="x.csv", sha256=file, state="done", created_at=MORNING
        )
        session.add(made)
        session.flush()
        session.add(ImportErrorRow(import_=made.id, line=2, reason=f"{WORDS[4]} is nowhere"))
        session.add(PlaceRow(address_key="geheimweg 17 9490 vaduz", lat=47.13912, lon=9.52243,
                             updated_at=MORNING))  # fmt: skip
        session.add(InboxRow(
            source=world.driver, key="r1", kind="report", received_at=session.wall,
            body=json.dumps({"received_by": WORDS[6]}).encode(), status=200,
        ))  # fmt: skip
        preview = previews.PreviewRow(connection=shop, stage="test", asked_at=session.wall)
        preview.state, preview.sealed = "done", hub.keys.seal(json.dumps({"order": WORDS[0]}))
        session.add(preview)
    return id, proof


def test_nothing_tells_of_a_person_who_was_erased(
    hub: Hub, world: World, road: Any, shop: str, tmp_path: Path
) -> None:
    id, proof = fill(hub, world, shop, road)
    other = order(hub, world, "1002", OTHER)
    before = places(hub, tmp_path)
    assert len(before) > 10, before
    with hub.store.read() as session:
        record = session.get_one(ProofRow, proof).record
    with hub.store.write(System()) as session:
        asked = PrivacyRequest(kind="erase", email=WORDS[1].upper())
        requests.ask_here(hub, session, asked, world.merchant, "x")
    work(hub)
    assert request_of(hub).text == "1 order erased."
    assert places(hub, tmp_path) == set()
    with hub.store.read() as session:
        kept = session.get_one(ProofRow, proof)
        assert (kept.record, kept.salt, kept.pdf) == (record, "", "")
        done = session.get_one(OrderRow, id)
        assert (done.ref, done.address["city"], done.lat) == ("1001", "Vaduz", 47.14)
        assert session.get_one(OrderRow, other).name == OTHER
    assert places(hub, tmp_path, (OTHER,))
    assert WORDS[0].encode() not in hub.files.get(pdf.pdf(hub, System(), proof))


def test_a_shop_has_only_its_own_orders_and_deliveries_erased(
    hub: Hub, world: World, road: Any, shop: str, tmp_path: Path
) -> None:
    fill(hub, world, shop, road)
    with hub.store.write(System()) as session:
        elsewhere = Order(
            ref="9", recipient={"name": WORDS[0], "email": WORDS[1]},
            location=Location(lat=47.1, lon=9.5),
        )  # fmt: skip
        kept = take(hub, session, world.merchant, "csv", elsewhere).id
    ask(hub, shop, kind="erase", email=WORDS[1])
    with hub.store.read() as session:
        assert session.get_one(OrderRow, kept).name == WORDS[0]
        assert session.exec(select(OrderRow.name).where(OrderRow.source == "folder")).all() == [""]
        assert session.exec(select(InboxRow.body).where(InboxRow.source == shop)).all() == [b""]


def test_the_same_request_is_taken_once(hub: Hub, world: World, shop: str) -> None:
    for _ in range(2):
        ask(hub, shop, kind="erase", email=WORDS[1], ref="77")
    row = request_of(hub)
    assert (row.state, row.text, row.asked) == ("done", "0 orders erased.", "")
    assert (row.due_at - row.asked_at) == timedelta(days=30)
    with hub.store.read() as session:
        said = [one.action for one in session.exec(select(AuditRow)) if "privacy" in one.action]
    assert said == ["privacy.asked", "privacy.answered"]


def test_who_still_waits_for_a_delivery_is_erased_after_it(
    hub: Hub, world: World, road: Any, shop: str
) -> None:
    id = order(hub, world, "1001")
    ask(hub, shop, kind="erase", orders=("parent-1001",))
    row = request_of(hub)
    assert (row.state, row.orders) == ("partly", 0)
    assert "1 order is still to be delivered" in row.text
    with hub.store.read() as session:
        assert session.get_one(OrderRow, id).name == WORDS[0]
    deliver(hub, world, road, id)
    later(hub)
    assert (request_of(hub).state, request_of(hub).orders) == ("done", 1)
    with hub.store.read() as session:
        assert session.get_one(OrderRow, id).name == ""


def later(hub: Hub) -> None:
    """Let the hour pass after which it is looked again."""
    with hub.store.write() as session:
        row = session.exec(select(WorkRow).where(WorkRow.kind == "privacy")).one()
        assert row.state == "ready"
        row.not_before = session.wall
    work(hub)


def test_what_is_on_no_route_when_the_time_is_up_is_called_off_and_erased(
    hub: Hub, world: World, shop: str
) -> None:
    id = order(hub, world, "1001")
    ask(hub, shop, kind="erase", orders=("1001",))
    set_time(hub, MORNING + timedelta(days=29))
    later(hub)
    with hub.store.read() as session:
        row = session.get_one(OrderRow, id)
    assert (row.state, row.name, request_of(hub).state) == ("cancelled", "", "done")


def test_an_erased_order_stays_erased_when_its_source_tells_it_again(
    hub: Hub, world: World, road: Any, shop: str
) -> None:
    id = order(hub, world, "1001")
    deliver(hub, world, road, id)
    ask(hub, shop, kind="erase", orders=("1001",))
    assert order(hub, world, "1001", service_time=900) == id
    with hub.store.read() as session:
        assert session.get_one(OrderRow, id).name == ""


def test_everybody_of_a_shop_that_has_left_is_erased(
    hub: Hub, world: World, road: Any, shop: str, tmp_path: Path
) -> None:
    id, _ = fill(hub, world, shop, road)
    other = order(hub, world, "1002", OTHER)
    deliver(hub, world, road, other)
    ask(hub, shop, kind="erase_all")
    assert request_of(hub).orders == 2
    with hub.store.read() as session:
        names = select(OrderRow.name).where(OrderRow.source == "folder")
        assert session.exec(names).all() == ["", ""]
        assert session.get_one(OrderRow, id).erased_at == MORNING
    left = places(hub, tmp_path, (WORDS[0], WORDS[1], OTHER))
    brought = hub.files.put(f"name\n{WORDS[0]}\n".encode())
    assert {where.rpartition("/")[2] for where in left} == {brought}  # a file that was imported


def test_a_delivery_that_waits_is_taken_in_first_and_dropped_then(
    hub: Hub, world: World, road: Any, shop: str
) -> None:
    keep(hub, shop, WORDS[1].encode(), status=0)
    ask(hub, shop, kind="erase", email=WORDS[1])
    assert request_of(hub).state == "partly"
    with hub.store.write() as session:
        session.exec(select(InboxRow)).one().status = 200
    later(hub)
    assert request_of(hub).state == "done"
    with hub.store.read() as session:
        kept = session.exec(select(InboxRow)).one()
        assert kept.body == b""
        with pytest.raises(Refused, match="not kept any more"):
            rejects.replay(session, shop, kept.id)


def test_a_copy_holds_all_that_is_known_and_lies_encrypted(
    hub: Hub, world: World, road: Any, shop: str
) -> None:
    id = order(hub, world, "1001")
    deliver(hub, world, road, id)
    order(hub, world, "1002", OTHER)
    ask(hub, shop, kind="export", email=WORDS[1])
    row = request_of(hub)
    assert row.orders == 1
    assert WORDS[0].encode() not in hub.files.get(row.file)
    told = json.loads(requests.content(hub, row))
    (one,) = told["orders"]
    assert (one["name"], one["delivery"]["visits"][0]["received_by"]) == (WORDS[0], WORDS[6])
    assert one["delivery"]["messages"][0]["to"] == WORDS[3]
    assert any(event["person"] for event in one["events"])
    assert OTHER not in json.dumps(told)
    with hub.store.read() as session:
        (flag,) = session.exec(select(FlagRow).where(FlagRow.kind == "privacy_export"))
    assert "pass it on by 23.12.2026" in flag.text


def test_a_copy_goes_after_a_month_and_with_the_person(
    hub: Hub, world: World, road: Any, shop: str
) -> None:
    id = order(hub, world, "1001")
    deliver(hub, world, road, id)
    ask(hub, shop, kind="export", email=WORDS[1])
    file = request_of(hub).file
    set_time(hub, MORNING + timedelta(days=31))
    later(hub)
    assert request_of(hub).file == ""
    assert not hub.files.path(file).exists()
    with pytest.raises(Missing, match="not kept any more"):
        requests.content(hub, request_of(hub))


def test_a_copy_is_deleted_when_the_person_is_erased(
    hub: Hub, world: World, road: Any, shop: str
) -> None:
    id = order(hub, world, "1001")
    deliver(hub, world, road, id)
    ask(hub, shop, kind="export", email=WORDS[1], ref="1")
    ask(hub, shop, kind="erase", email=WORDS[1], ref="2")
    with hub.store.read() as session:
        assert [row.file for row in session.exec(select(PrivacyRow))] == ["", ""]


def test_a_request_that_names_nobody_is_refused(hub: Hub, world: World, shop: str) -> None:
    with hub.store.write(System()) as session, pytest.raises(Refused, match="name the person"):
        requests.ask_here(hub, session, PrivacyRequest(kind="erase"), None, "x")
