"""TomTom: a key, blocks of cells, departures, cells without a way, limits, ways."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.builtin.traffic import Tomtom, TomtomConfig
from hub.errors import Rejected, Retry, Unauthorized
from hub.nouns import Legs, Location, Trip
from hub.testing.conformance import ConnectorTests
from hub.testing.peers import Reply, Request
from hub.testing.peers.tomtom import TomtomPeer

VADUZ, SCHAAN = Location(lat=47.1410, lon=9.5209), Location(lat=47.1660, lon=9.5100)
PARIS, ISLAND = Location(lat=48.8566, lon=2.3522), Location(lat=47.28, lon=9.68)


@pytest.fixture
def tomtom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TomtomPeer]:
    made = TomtomPeer(tmp_path / "tomtom")
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


def connector(peer: TomtomPeer, **settings: Any) -> Tomtom:
    return Tomtom(TomtomConfig(**{"url": peer.url, "key": peer.token, **settings}))


def line(count: int) -> tuple[Location, ...]:
    return tuple(Location(lat=47.1 + at / 2000, lon=9.5 + at / 2000) for at in range(count))


def options(peer: TomtomPeer) -> dict[str, Any]:
    found: dict[str, Any] = peer.questions[-1]["options"]
    return found


def test_a_matrix_is_asked_for_in_blocks_of_cells(tomtom: TomtomPeer) -> None:
    found = connector(tomtom).matrix(Legs(points=line(20)))
    sizes = [len(one["origins"]) * len(one["destinations"]) for one in tomtom.questions]
    assert max(sizes) <= 200
    assert sum(sizes) == 400
    ends = (47.1, 9.5), (47.1005, 9.5005)
    assert found.seconds[0][1] == round(tomtom.country.seconds(*ends) or 0)


def test_a_departure_meets_live_traffic_and_an_ordinary_day_does_not(tomtom: TomtomPeer) -> None:
    legs = Legs(points=(VADUZ, SCHAAN), departs=datetime.now(UTC) + timedelta(hours=5))
    live = connector(tomtom).matrix(legs)
    assert options(tomtom)["traffic"] == "live"
    assert options(tomtom)["departAt"].endswith("Z")
    usual = connector(tomtom).matrix(legs.model_copy(update={"departs": None}))
    assert options(tomtom) == {
        "routeType": "fastest", "travelMode": "car", "traffic": "historical", "departAt": "any",
    }  # fmt: skip
    assert live.seconds[0][1] == pytest.approx(1.5 * usual.seconds[0][1], abs=1)


def test_a_departure_that_is_past_is_now(tomtom: TomtomPeer) -> None:
    past = datetime.now(UTC) - timedelta(hours=1)
    connector(tomtom).matrix(Legs(points=(VADUZ, SCHAAN), departs=past))
    assert options(tomtom)["departAt"] == "now"
    trip = Trip(points=(VADUZ, SCHAAN), departs=past)
    assert connector(tomtom).directions(trip).legs[0].metres > 0


def test_cells_without_a_way_are_negative(tomtom: TomtomPeer) -> None:
    found = connector(tomtom).matrix(Legs(points=(VADUZ, PARIS, ISLAND, SCHAAN), profile="truck"))
    assert options(tomtom)["travelMode"] == "truck"
    assert found.seconds.lists()[1] == [-1, 0, -1, -1]
    assert found.metres[0][2] == -1
    assert found.metres[0][3] > 0


@pytest.mark.parametrize(
    ("code", "error", "said"),
    [
        ("OUT_OF_REGION", Rejected, "set `cells` to 100"),
        ("COMPUTE_TIME_LIMIT_EXCEEDED", Retry, "could not work out"),
        ("SOMETHING", Rejected, "refused a part of the matrix: SOMETHING"),
    ],
)
def test_a_cell_that_is_refused_for_another_reason_is_no_missing_way(
    tomtom: TomtomPeer,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    error: type[Exception],
    said: str,
) -> None:
    monkeypatch.setattr(tomtom, "cell", lambda *_: {"detailedError": {"code": code}})
    with pytest.raises(error, match=said):
        connector(tomtom).matrix(Legs(points=(VADUZ, SCHAAN)))


def test_a_wrong_key_is_refused_and_never_repeated_to_anybody(tomtom: TomtomPeer) -> None:
    wrong = connector(tomtom, key="wrong-key-12345")
    for call in (wrong.check, lambda: wrong.matrix(Legs(points=(VADUZ, SCHAAN)))):
        with pytest.raises(Unauthorized, match="does not accept the key") as caught:
            call()
        assert "wrong-key" not in str(caught.value)


@pytest.mark.parametrize("said", ["Developer Over Qps", "Account Over Rate Limit"])
def test_a_limit_is_asked_again_later(tomtom: TomtomPeer, said: str) -> None:
    tomtom.over = said
    with pytest.raises(Retry) as caught:
        connector(tomtom).matrix(Legs(points=(VADUZ, SCHAAN)))
    assert caught.value.after == 60


def test_a_way_is_shared_out_to_its_legs(tomtom: TomtomPeer) -> None:
    way = connector(tomtom).directions(Trip(points=line(3)))
    kinds = [[(one.kind, one.heading) for one in leg.maneuvers] for leg in way.legs]
    assert kinds == [
        [("depart", ""), ("arrive", "left")],
        [("depart", ""), ("arrive", "right")],
    ]
    first, second = way.legs
    assert first.maneuvers[0].metres == first.metres
    assert second.maneuvers[0].metres == second.metres
    assert first.line[-1] == second.line[0] == (47.1005, 9.5005)
    assert way.credit == "© TomTom"


def test_a_trip_without_a_way_is_rejected(tomtom: TomtomPeer) -> None:
    with pytest.raises(Rejected, match="Engine error while executing"):
        connector(tomtom).directions(Trip(points=(VADUZ, ISLAND)))


class TestTomtom(ConnectorTests):
    connector = Tomtom
    config = {"url": "https://tomtom.example", "key": TomtomPeer.token}  # noqa: RUF012

    @pytest.fixture(autouse=True)
    def country(self, tmp_path: Path) -> Iterator[None]:
        self.behind = TomtomPeer(tmp_path / "behind")
        yield
        self.behind.server.server_close()
        self.behind.log.close()

    def serve(self, request: Request) -> Reply | None:
        """Answer as the service of the made-up country."""
        return self.behind.answer(request)

    def reads(self, request: Request) -> bool:
        """Say that every request only asks."""
        return True
