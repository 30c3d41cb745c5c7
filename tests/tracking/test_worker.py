"""From the stream of positions to stops, through the real database and a real Redis."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from redis.exceptions import ConnectionError as Lost
from sqlmodel import select

from hub.driving import reports
from hub.driving.words import Report
from hub.hub import Hub
from hub.nouns import Fix
from hub.store import EventRow, RouteRow, StopRow, System
from hub.store.database import Busy
from hub.testing.fixtures import MORNING, set_time
from hub.testing.patience import PATIENCE, until
from hub.testing.road import DOORS, Road
from hub.tracking import positions
from hub.tracking.worker import Consumer

FAR = (47.1700, 9.5100)


def at(seconds: float) -> datetime:
    return MORNING + timedelta(seconds=seconds)


def fix(seconds: float, place: tuple[float, float]) -> Fix:
    return Fix(lat=place[0], lon=place[1], at=at(seconds), accuracy=5)


def send(hub: Hub, road: Road, *fixes: Fix) -> None:
    """Post fixes as a phone does, with the clock at the newest of them."""
    set_time(hub, max(fix.at for fix in fixes))
    assert positions.accept(hub, road.driver, list(fixes)) == len(fixes)


def start(hub: Hub, road: Road) -> None:
    with hub.store.write(System()) as session:
        reports.report(hub, session, road.driver, Report(id=uuid4(), kind="start"))


def complete(hub: Hub, road: Road, number: int) -> None:
    """Give a stop its outcome without a proof, as the row would stand afterwards."""
    with hub.store.write(System()) as session:
        stop = session.get_one(StopRow, road.stops[number])
        stop.state, stop.ended_at = "completed", session.now


def stops(hub: Hub, road: Road) -> list[StopRow]:
    with hub.store.read(System()) as session:
        return [session.get_one(StopRow, id) for id in road.stops]


def told(hub: Hub, kind: str) -> list[str]:
    with hub.store.read(System()) as session:
        rows = session.exec(select(EventRow).where(EventRow.type == kind)).all()
        return [row.subject for row in rows]


@pytest.fixture
def consumer(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Consumer:
    monkeypatch.setattr("hub.tracking.worker.WAIT", 20)
    return Consumer(hub, 0)


def test_positions_alone_make_a_driver_arrive_and_leave(
    hub: Hub, road: Road, consumer: Consumer
) -> None:
    start(hub, road)
    send(hub, road, fix(10, FAR), fix(120, DOORS[0]), fix(125, DOORS[0]))
    consumer.step()
    first = stops(hub, road)[0]
    assert (first.state, first.arrived_at) == ("arrived", at(125))
    complete(hub, road, 0)
    send(hub, road, fix(300, DOORS[0]), fix(390, FAR), fix(395, FAR))
    consumer.step()
    first, second, _ = stops(hub, road)
    assert first.departed_at == at(390)
    assert second.state == "en_route"
    assert told(hub, "stop.arrived") == [road.stops[0]]
    assert told(hub, "stop.departed") == [road.stops[0]]
    assert told(hub, "stop.approaching").count(road.stops[0]) == 1


def test_etas_of_all_stops_follow_at_most_every_fifteen_seconds(
    hub: Hub, road: Road, consumer: Consumer
) -> None:
    start(hub, road)
    send(hub, road, fix(10, FAR))
    consumer.step()
    second = stops(hub, road)[1].eta_at
    send(hub, road, fix(20, (47.20, 9.51)))
    consumer.step()
    assert stops(hub, road)[1].eta_at == second
    send(hub, road, fix(30, (47.2001, 9.51)))
    consumer.step()
    assert stops(hub, road)[1].eta_at != second


def test_before_the_route_has_started_nobody_arrives(
    hub: Hub, road: Road, consumer: Consumer
) -> None:
    send(hub, road, fix(0, DOORS[0]), fix(5, DOORS[0]), fix(10, DOORS[0]))
    consumer.step()
    assert stops(hub, road)[0].state == "dispatched"


def test_positions_outside_working_time_are_dropped(hub: Hub, road: Road) -> None:
    evening = Fix(lat=47.14, lon=9.52, at=MORNING + timedelta(hours=13))
    set_time(hub, evening.at)
    assert positions.accept(hub, road.driver, [evening]) == 0
    assert positions.last(hub, road.driver) is None
    with hub.store.write(System()) as session:
        session.get_one(RouteRow, road.route).state = "in_progress"
    assert positions.accept(hub, road.driver, [evening]) == 1


def test_what_a_dead_consumer_had_read_is_followed_by_the_next(
    hub: Hub, road: Road, consumer: Consumer
) -> None:
    start(hub, road)
    consumer.step()
    send(hub, road, fix(120, DOORS[0]), fix(125, DOORS[0]))
    read = hub.redis.xreadgroup("tracking", consumer.name, {"pos:0": ">"})
    assert read
    hub.redis.delete("pos:0:owner")
    Consumer(hub, 0).step()
    assert stops(hub, road)[0].state == "arrived"
    assert hub.redis.xpending("pos:0", "tracking")["pending"] == 0


def test_a_batch_is_acknowledged_only_after_the_commit(
    hub: Hub, road: Road, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(hub, road)
    consumer.step()
    send(hub, road, fix(120, DOORS[0]), fix(125, DOORS[0]))

    def busy(*_arguments: object, **_more: object) -> None:
        raise Busy("locked")

    with monkeypatch.context() as patch:
        patch.setattr("hub.tracking.follow.cross", busy)
        with pytest.raises(Busy):
            consumer.step()
    assert hub.redis.xpending("pos:0", "tracking")["pending"] == 1
    hub.redis.delete("pos:0:owner")
    Consumer(hub, 0).step()
    assert stops(hub, road)[0].state == "arrived"


def test_a_second_consumer_waits_until_the_first_lets_go(
    hub: Hub, road: Road, consumer: Consumer
) -> None:
    other = Consumer(hub, 0)
    assert consumer.own()
    assert not other.own()
    consumer.release()
    assert other.own()


def test_a_wiped_redis_is_no_reason_to_stop(hub: Hub, road: Road, consumer: Consumer) -> None:
    start(hub, road)
    stopping = threading.Event()
    thread = threading.Thread(target=consumer.run, args=(stopping,))
    thread.start()
    try:
        send(hub, road, fix(10, FAR))
        until(lambda: bool(told(hub, "stop.eta_changed")))
        hub.redis.flushall()
        send(hub, road, fix(120, DOORS[0]), fix(125, DOORS[0]))
        until(lambda: stops(hub, road)[0].state == "arrived")
    finally:
        stopping.set()
        thread.join(PATIENCE)
    assert not thread.is_alive()


def test_while_redis_is_away_it_waits(
    hub: Hub, road: Road, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopping = threading.Event()
    tries = []

    def away() -> None:
        tries.append(1)
        if len(tries) == 3:
            stopping.set()
        raise Lost("gone")

    monkeypatch.setattr(consumer, "step", away)
    consumer.run(stopping)
    assert len(tries) == 3


def test_an_entry_that_cannot_be_read_holds_up_nobody(
    hub: Hub, road: Road, consumer: Consumer
) -> None:
    start(hub, road)
    hub.redis.xadd("pos:0", {"driver": road.driver, "fixes": "[[1,2]]"})
    send(hub, road, fix(120, DOORS[0]), fix(125, DOORS[0]))
    consumer.step()
    assert stops(hub, road)[0].state == "arrived"
    assert hub.redis.xpending("pos:0", "tracking")["pending"] == 0


def test_a_restart_remembers_which_fix_counted_last(
    hub: Hub, road: Road, consumer: Consumer
) -> None:
    start(hub, road)
    send(hub, road, fix(120, FAR))
    consumer.step()
    consumer.release()
    fresh = Consumer(hub, 0)
    positions.accept(hub, road.driver, [fix(60, DOORS[0]), fix(65, DOORS[0])])
    fresh.step()
    assert stops(hub, road)[0].state == "en_route"


def test_the_board_hears_every_batch_and_the_next_stop_once_a_second(
    hub: Hub, road: Road, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.tracking.follow.time", SimpleNamespace(monotonic=lambda: 1000.0))
    start(hub, road)
    subscription = hub.redis.pubsub(ignore_subscribe_messages=True)
    subscription.psubscribe("live:*")
    subscription.get_message(timeout=PATIENCE)
    for second in (10, 11, 12):
        send(hub, road, fix(second, FAR))
        consumer.step()
    heard: dict[str, list[dict[str, object]]] = {}
    hub.redis.publish("live:end", "{}")
    while "live:end" not in heard and (message := subscription.get_message(timeout=PATIENCE)):
        heard.setdefault(message["channel"].decode(), []).append(json.loads(message["data"]))
    subscription.close()
    assert [said["t"] for said in heard["live:board"]] == ["fix"] * 3
    assert heard["live:board"][0]["driver"] == road.driver
    assert heard[f"live:stop:{road.stops[0]}"] == [{"t": "moved"}]
    assert set(heard) == {"live:board", f"live:stop:{road.stops[0]}", "live:end"}


def test_a_silent_phone_at_the_door_has_arrived(hub: Hub, road: Road, consumer: Consumer) -> None:
    start(hub, road)
    send(hub, road, fix(10, FAR), fix(120, DOORS[0]))
    consumer.step()
    assert stops(hub, road)[0].state == "en_route"
    set_time(hub, at(135))
    consumer.step()
    assert (stops(hub, road)[0].state, stops(hub, road)[0].arrived_at) == ("arrived", at(130))


def test_a_stop_that_was_ended_by_hand_meanwhile_is_left_alone(
    hub: Hub, road: Road, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hub.tracking import follow

    start(hub, road)
    crossing = follow.cross

    def meanwhile(*arguments: object) -> None:
        session = arguments[0]
        stop = session.get_one(StopRow, road.stops[0])  # type: ignore[attr-defined]
        stop.route = None
        session.flush()  # type: ignore[attr-defined]
        crossing(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(follow, "cross", meanwhile)
    send(hub, road, fix(120, DOORS[0]), fix(125, DOORS[0]))
    consumer.step()
    assert told(hub, "stop.arrived") == []
