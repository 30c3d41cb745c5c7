"""Looking up places: through a connection, at its pace, once per door, else a person."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlmodel import select

from hub import orders
from hub.builtin.nominatim import Nominatim
from hub.connections.fields import validated
from hub.errors import Refused
from hub.hub import Hub
from hub.nouns import Address, Order
from hub.orders import geocoding, intake
from hub.orders.actions import GEOCODE, OrderInput
from hub.orders.places import set_pin
from hub.queue.work import claim
from hub.store import ConnectionRow, EventRow, OrderRow, PlaceRow, SettingRow, System, WorkRow
from hub.testing.fixtures import World

HOUSE = {"lat": "47.1410", "lon": "9.5209", "category": "building", "addresstype": "building"}
ADDRESS = Address(line1="Städtle 6", postcode="9490", city="Vaduz", country="LI")


class Service:
    """A Nominatim-style search service on loopback."""

    def __init__(self) -> None:
        self.asked: list[dict[str, list[str]]] = []
        self.agents: list[str] = []
        self.status = 200
        self.reply: Any = [HOUSE]
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.asked.append(parse_qs(urlsplit(self.path).query))
                service.agents.append(self.headers["User-Agent"])
                body = json.dumps(service.reply).encode()
                self.send_response(service.status)
                self.send_header("Content-Length", str(len(body)))
                if service.status == 429:
                    self.send_header("Retry-After", "7")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    made = Service()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", made.address)
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def connection(hub: Hub, service: Service) -> str:
    orders.register(hub)
    with hub.store.write(System()) as session:
        settings = {"url": f"http://{service.address}", "email": "ops@example.li", "consent": True}
        return hub.connections.save(session, "nominatim", settings).id


def hand_in(hub: Hub, world: World, ref: str = "A1", address: Address = ADDRESS) -> str:
    order = Order(ref=ref, address=address)
    with hub.store.write(System()) as session:
        return intake.take(hub, session, world.merchant, "api", order).id


def run(hub: Hub) -> int:
    """Do the look-ups that are due now; return how many were claimed."""
    claims = claim(hub.store, "outward", "worker", limit=50)
    for one in claims:
        hub.handlers[one.kind](hub, one)
    return len(claims)


def hurry(hub: Hub) -> None:
    """Let a minute of wall time be over for what waits."""
    with hub.store.write(System()) as session:
        for row in session.exec(select(WorkRow)):
            row.not_before = session.wall - timedelta(seconds=1)


def get(hub: Hub, id: str) -> OrderRow:
    with hub.store.read(System()) as session:
        return session.get_one(OrderRow, id)


def test_an_address_is_found_and_the_order_is_told(
    hub: Hub, world: World, service: Service, connection: str
) -> None:
    id = hand_in(hub, world)
    assert get(hub, id).reason == "its address is being looked up"
    run(hub)
    order = get(hub, id)
    assert (order.state, order.lat, order.lon) == ("ready", 47.1410, 9.5209)
    assert service.asked[0]["street"] == ["Städtle 6"]
    assert "ops@example.li" in service.agents[0]
    with hub.store.read(System()) as session:
        types = session.exec(select(EventRow.type).order_by(EventRow.id)).all()
    assert types == ["order.needs_address", "order.address_fixed"]


def test_a_door_is_looked_up_once_for_all_its_orders(
    hub: Hub, world: World, service: Service, connection: str
) -> None:
    waiting = [hand_in(hub, world, f"A{n}") for n in range(3)]
    for _ in range(2):
        run(hub)
        hurry(hub)
    assert {get(hub, id).state for id in waiting} == {"ready"}
    assert get(hub, hand_in(hub, world, "A9")).state == "ready"
    assert len(service.asked) == 1
    with hub.store.read(System()) as session:
        assert session.exec(select(PlaceRow.source)).all() == ["nominatim"]


def test_all_workers_together_keep_to_one_request_per_second(
    hub: Hub, world: World, service: Service, connection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = hub.store.clock.wall()
    monkeypatch.setattr(hub.store.clock, "wall", lambda: at)
    for n in range(4):
        hand_in(hub, world, f"A{n}", ADDRESS.model_copy(update={"line1": f"Gasse {n}"}))
    assert run(hub) == 4
    assert len(service.asked) == 1
    with hub.store.read(System()) as session:
        turns = sorted(
            row.not_before for row in session.exec(select(WorkRow).where(WorkRow.state == "ready"))
        )
        tries = session.exec(select(WorkRow.tries).where(WorkRow.state == "ready")).all()
    gaps = [(late - early).total_seconds() for early, late in pairwise(turns)]
    assert gaps == [pytest.approx(1), pytest.approx(1)]
    assert list(tries) == [0, 0, 0]


@pytest.mark.parametrize(
    ("reply", "said"),
    [([], "does not know"), ([{**HOUSE, "category": "boundary", "addresstype": "town"}], "sure")],
)
def test_what_is_not_found_or_not_sure_waits_for_a_person(
    hub: Hub, world: World, service: Service, connection: str, reply: Any, said: str
) -> None:
    service.reply = reply
    id = hand_in(hub, world)
    run(hub)
    assert get(hub, id).state == "needs_address"
    assert said in get(hub, id).reason
    hurry(hub)
    assert run(hub) == 0


def test_a_busy_service_is_asked_again_when_it_says(
    hub: Hub, world: World, service: Service, connection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = hub.store.clock.wall()
    monkeypatch.setattr(hub.store.clock, "wall", lambda: at)
    id = hand_in(hub, world)
    service.status = 429
    run(hub)
    with hub.store.read(System()) as session:
        work = session.exec(select(WorkRow)).one()
        assert (work.not_before - session.wall).total_seconds() == 7
    assert get(hub, id).state == "needs_address"
    service.status = 200
    with hub.store.write(System()) as session:
        session.exec(select(WorkRow)).one().not_before = session.wall
    geocode_again(hub)
    assert get(hub, id).state == "ready"


def geocode_again(hub: Hub) -> None:
    """Run until nothing waits for its turn."""
    for _ in range(3):
        run(hub)
        hurry(hub)
        with hub.store.write(System()) as session:
            for row in session.exec(select(SettingRow)):
                if row.name.startswith("pace:"):
                    session.delete(row)


def test_after_five_tries_a_person_has_to_look(
    hub: Hub, world: World, service: Service, connection: str
) -> None:
    id = hand_in(hub, world)
    service.status = 503
    for _ in range(2 * geocoding.TRIES):
        geocode_again(hub)
    assert "could not be looked up" in get(hub, id).reason
    assert len(service.asked) == geocoding.TRIES


def test_refused_credentials_expire_the_connection_and_park_the_work(
    hub: Hub, world: World, service: Service, connection: str
) -> None:
    service.status = 403
    id = hand_in(hub, world)
    run(hub)
    with hub.store.read(System()) as session:
        assert session.get_one(ConnectionRow, connection).state == "action_needed"
        assert session.exec(select(WorkRow.state)).one() == "parked"
        assert session.exec(
            select(EventRow.type).where(EventRow.type == "connection.expired")
        ).all()
    service.status = 200
    with hub.store.write(System()) as session:
        session.get_one(ConnectionRow, connection).state = "healthy"
        assert geocoding.resume(session) == 1
    geocode_again(hub)
    assert get(hub, id).state == "ready"


def test_a_pin_set_while_the_service_was_asked_stays(
    hub: Hub, world: World, service: Service, connection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    id, real = hand_in(hub, world), Nominatim.locate

    def meanwhile(self: Nominatim, address: Address) -> Any:
        with hub.store.write(System()) as session:
            set_pin(hub, session, id, 47.2, 9.6)
        return real(self, address)

    monkeypatch.setattr(Nominatim, "locate", meanwhile)
    run(hub)
    assert get(hub, id).lat == 47.2
    with hub.store.read(System()) as session:
        assert session.exec(select(PlaceRow.source)).all() == ["pin"]


def test_orders_that_waited_are_looked_up_once_a_geocoder_is_there(
    hub: Hub, world: World, service: Service
) -> None:
    orders.register(hub)
    id = hand_in(hub, world)
    assert "set the pin" in get(hub, id).reason
    with hub.store.write(System()) as session:
        assert GEOCODE.run(hub, session, OrderInput(order=id)).model_dump() == {"asked": False}
        settings = {"url": f"http://{service.address}", "email": "ops@example.li", "consent": True}
        hub.connections.save(session, "nominatim", settings)
    with hub.store.write(System()) as session:
        assert GEOCODE.run(hub, session, OrderInput(order=id)).model_dump() == {"asked": True}
    run(hub)
    assert get(hub, id).state == "ready"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"email": "ops@example.li"}, "leave this machine"),
        ({"email": "nobody", "consent": True}, "e-mail"),
        ({"email": "ops@example.li", "consent": True, "per_second": 5}, "one request per second"),
        ({"consent": True}, "email"),
    ],
)
def test_without_consent_contact_or_manners_it_cannot_be_switched_on(
    given: dict[str, Any], said: str
) -> None:
    with pytest.raises(Refused, match=said):
        validated(Nominatim, given)
