"""Whose travel times are used, and what of their answer is believed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any, ClassVar

import pytest

from hub.builtin.osrm import Osrm
from hub.connector import Connector, NoSettings
from hub.errors import PluginError, Rejected, Retry, Unauthorized
from hub.hub import Hub
from hub.maps.catalogue import LoadedMap, write
from hub.nouns import Legs, Matrix, Way
from hub.nouns.grid import Grid
from hub.planning import matrix_cache, travel
from hub.store import ConnectionRow
from hub.testing.patience import PATIENCE
from hub.testing.peers.osrm import OsrmPeer

VADUZ, SCHAAN, BALZERS = (47.1410, 9.5209), (47.1660, 9.5100), (47.0656, 9.5025)
POINTS = (VADUZ, SCHAAN, BALZERS)


@pytest.fixture
def osrm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OsrmPeer]:
    made = OsrmPeer(tmp_path / "peer")
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


def connect(hub: Hub, name: str, **settings: Any) -> str:
    with hub.store.write() as session:
        return hub.connections.save(session, name, settings).id


def load(hub: Hub, profiles: tuple[str, ...] = ("car",)) -> None:
    """Put a map of the country there, as far as it is looked at before the engine opens it."""
    folder = hub.settings.directory / "maps" / "here"
    for profile in profiles:
        graph = folder / "osrm" / profile
        graph.mkdir(parents=True)
        (graph / "map.osrm.hsgr").touch()
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("streets.db", "places.db"):
        (folder / name).touch()
    made = LoadedMap(
        name="here", title="Here", folder=folder, bounds=(47.0, 9.4, 47.3, 9.7),
        profiles=profiles, credit="OSM", built_at=datetime.now(UTC),
    )  # fmt: skip
    write(folder, made)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the bindings be there, whatever is installed; nothing may open a graph with them."""
    monkeypatch.setattr(travel, "find_spec", lambda name: object())


def used(hub: Hub, profile: Any = "van", points: tuple[travel.Point, ...] = POINTS) -> travel.InUse:
    return travel.in_use(hub, travel.located(points), profile)


def test_without_a_map_and_a_connection_they_are_straight_lines(hub: Hub) -> None:
    found = travel.matrix(hub, POINTS)
    assert found.approximate
    assert found.margin == 0.15
    assert "hub map load" in used(hub).why


def test_a_map_that_covers_all_points_is_used(hub: Hub, installed: None) -> None:
    load(hub)
    assert used(hub).provider.connector.name == "osrm"
    assert used(hub).why == "the loaded map Here"
    assert used(hub, points=(VADUZ, (48.8, 2.3))).provider.connector.name == "straight"


def test_a_map_without_roads_for_the_vehicle_is_not_used(hub: Hub, installed: None) -> None:
    load(hub)
    assert used(hub, "bike").provider.connector.name == "straight"
    assert "no loaded map has roads for a bike" in used(hub, "bike").why


def test_a_map_without_the_engine_says_what_to_install(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(hub)
    monkeypatch.setattr(travel, "find_spec", lambda name: None)
    assert used(hub).provider.connector.name == "straight"
    assert "pip install 'lastmile-hub[maps]'" in used(hub).why


def test_the_operators_connection_comes_before_the_map(
    hub: Hub, installed: None, osrm: OsrmPeer
) -> None:
    load(hub)
    connect(hub, "osrm", url=osrm.url)
    found = travel.matrix(hub, POINTS)
    assert not found.approximate
    assert osrm.tables == [("driving", 3, 3)]


def test_a_connection_that_does_not_know_the_vehicle_is_passed_over(hub: Hub) -> None:
    connect(hub, "tomtom", url="https://tomtom.example", key="key-12345")
    assert used(hub, "truck").provider.connector.name == "tomtom"
    assert used(hub, "bike").provider.connector.name == "straight"


def test_a_server_is_asked_for_new_points_only(hub: Hub, osrm: OsrmPeer) -> None:
    connect(hub, "osrm", url=osrm.url)
    first = travel.matrix(hub, POINTS)
    again = travel.matrix(hub, POINTS[::-1])
    assert osrm.tables == [("driving", 3, 3)]
    assert again.seconds[0][2] == first.seconds[2][0]
    osrm.tables.clear()
    travel.matrix(hub, (*POINTS, (47.2, 9.55)))
    assert sorted(osrm.tables) == [("driving", 1, 4), ("driving", 3, 1)]


def test_changed_settings_ask_anew(hub: Hub, osrm: OsrmPeer) -> None:
    id = connect(hub, "osrm", url=osrm.url)
    travel.matrix(hub, POINTS)
    with hub.store.write() as session:
        hub.connections.save(session, "osrm", {"url": osrm.url, "snap": 50}, id=id)
    travel.matrix(hub, POINTS)
    assert len(osrm.tables) == 2


def test_who_knows_no_traffic_is_not_asked_for_each_hour(hub: Hub, osrm: OsrmPeer) -> None:
    connect(hub, "osrm", url=osrm.url)
    monday = datetime(2026, 11, 23, 8, tzinfo=UTC)
    travel.matrix(hub, POINTS, departs=monday)
    travel.matrix(hub, POINTS, departs=monday + timedelta(hours=3))
    assert len(osrm.tables) == 1
    travel.matrix(hub, POINTS, profile="bike")
    assert len(osrm.tables) == 2


class Moody(Connector[NoSettings]):
    """Travel times that do what a test says."""

    name: ClassVar[str] = "moody"
    title: ClassVar[str] = "Moody"

    def matrix(self, legs: Legs) -> Matrix:
        """Return no way at all."""
        grid = [[-1] * len(legs.points)] * len(legs.points)
        return Matrix(seconds=grid, metres=grid)


class Tables(Connector[NoSettings]):
    """Travel times that know no way."""

    name: ClassVar[str] = "tables"
    title: ClassVar[str] = "Tables"

    def matrix(self, legs: Legs) -> Matrix:
        """Return nothing."""
        return Matrix(seconds=Grid(), metres=Grid())


@pytest.mark.parametrize(
    ("departs", "key", "seconds"),
    [
        (None, [""], matrix_cache.DAYS),
        (datetime.now(UTC) + timedelta(minutes=5), ["now"], travel.FRESH),
        (datetime(2100, 1, 4, 9, 30, tzinfo=UTC), [0, 9], travel.USUAL),
    ],
)
def test_traffic_is_kept_for_its_hour_of_the_week(
    departs: datetime | None, key: list[object], seconds: float
) -> None:
    provider = travel.Provider(Moody(NoSettings()), "con_1")
    found, held = travel.remembered(provider, "van", departs)
    assert found[4:] == key
    assert held == seconds


Use = Callable[[object], None]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Return what lets travel times be asked of a connector that answers with a value."""

    def answer(value: object) -> None:
        def call(self: Moody, _: object) -> object:
            if isinstance(value, Exception):
                raise value
            return value

        monkeypatch.setattr(Moody, "matrix", call)
        monkeypatch.setattr(Moody, "directions", call, raising=False)
        provider = travel.Provider(Moody(NoSettings()))
        monkeypatch.setattr(travel, "in_use", lambda *_: travel.InUse(provider, "a test says so"))

    return answer


def test_a_cell_that_cannot_be_is_no_way_in_both_tables(hub: Hub, use: Use) -> None:
    seconds = [[0, float("nan"), 5.4], [float("inf"), 7, 3], [-9, 10**9, 0]]
    metres = [[0, 1, 2], [3, 4, -1], [5, 6, 0]]
    use(Matrix.model_construct(seconds=seconds, metres=metres))
    found = travel.matrix(hub, POINTS)
    assert found.seconds.lists() == [[0, -1, 5], [-1, 0, -1], [-1, -1, 0]]
    assert found.metres.lists() == [[0, -1, 2], [-1, 0, -1], [-1, -1, 0]]
    assert isinstance(found.seconds, Grid)


def test_what_is_farther_than_any_road_is_no_way_in_both_tables(hub: Hub, use: Use) -> None:
    far = [[0, 10_000_000, 9_999_999], [11_300_000, 0, 1], [9_999_999.6, 20_000_000, 0]]
    use(Matrix.model_construct(seconds=[[0, 1, 2], [3, 0, 4], [5, 6, 0]], metres=far))
    found = travel.matrix(hub, POINTS)
    assert found.metres.lists() == [[0, -1, 9_999_999], [-1, 0, 1], [-1, -1, 0]]
    assert found.seconds.lists() == [[0, -1, 2], [-1, 0, 4], [-1, -1, 0]]


@pytest.mark.parametrize(
    "table",
    [
        [],
        [[0, 1], [1, 0]],
        [[0] * 3] * 2,
        [[0], [0], [0]],
        [[0, 1, 2], [0, 1], [0]],
        [["x"] * 3] * 3,
    ],
)
def test_a_matrix_of_another_size_is_a_broken_plugin(hub: Hub, use: Use, table: Any) -> None:
    use(Matrix.model_construct(seconds=table, metres=table))
    with pytest.raises(PluginError, match="Moody returned a matrix that is not 3 x 3"):
        travel.matrix(hub, POINTS)


def test_what_is_no_matrix_and_no_way_is_a_broken_plugin(hub: Hub, use: Use) -> None:
    use(None)
    with pytest.raises(PluginError, match="Moody returned no Matrix"):
        travel.matrix(hub, POINTS)
    with pytest.raises(PluginError, match="Moody returned no Way of 2 legs"):
        travel.directions(hub, POINTS)
    use(Way(legs=()))
    with pytest.raises(PluginError, match="Moody returned no Way of 2 legs"):
        travel.directions(hub, POINTS)


def test_no_points_make_an_empty_matrix(hub: Hub) -> None:
    assert travel.matrix(hub, ()).seconds.lists() == []
    assert travel.matrix(hub, (VADUZ,)).metres.lists() == [[0]]


@pytest.mark.parametrize("point", [(float("nan"), 9.5), (91.0, 0.0), (47.0, float("inf"))])
def test_a_point_that_is_nowhere_is_named(hub: Hub, point: travel.Point) -> None:
    for ask in (travel.matrix, travel.directions):
        with pytest.raises(Rejected, match="is no place on earth"):
            ask(hub, (VADUZ, point))


def test_a_connection_whose_login_ended_is_expired_and_passed_over(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = connect(hub, "osrm", url="https://osrm.example")

    def refuse(self: Osrm, legs: Legs) -> Matrix:
        raise Unauthorized("the key is not known")

    monkeypatch.setattr(Osrm, "matrix", refuse)
    with pytest.raises(Unauthorized):
        travel.matrix(hub, POINTS)
    with hub.store.read() as session:
        assert session.get_one(ConnectionRow, id).state == "action_needed"
    assert travel.matrix(hub, POINTS).approximate


def test_a_busy_server_is_asked_again_later(hub: Hub, use: Use) -> None:
    use(Retry("slowly", after=5))
    with pytest.raises(Retry):
        travel.matrix(hub, POINTS)
    with pytest.raises(Retry):
        travel.directions(hub, POINTS)


def test_a_way_comes_from_who_knows_it(hub: Hub, osrm: OsrmPeer) -> None:
    connect(hub, "osrm", url=osrm.url)
    way = travel.directions(hub, POINTS)
    assert not way.approximate
    assert [leg.maneuvers[0].street for leg in way.legs] == ["Long Road", "Long Road"]


def test_a_way_that_nobody_knows_is_straight_lines(
    hub: Hub, use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(Rejected("there is no way"))
    assert travel.directions(hub, POINTS).approximate
    tables = travel.Provider(Tables(NoSettings()))
    monkeypatch.setattr(travel, "in_use", lambda *_: travel.InUse(tables, "a test says so"))
    way = travel.directions(hub, POINTS)
    assert way.approximate
    assert way.legs[0].line == (VADUZ, SCHAAN)


def elsewhere(call: Callable[[], Any]) -> list[Any]:
    """Return what a call answers, or raises, in a thread, as a request of the web is served."""
    said: list[Any] = []

    def run() -> None:
        try:
            said.append(call())
        except Exception as error:
            said.append(error)

    thread = Thread(target=run)
    thread.start()
    thread.join(PATIENCE)
    return said


def test_a_request_does_not_wait_for_a_connection_that_hangs(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(hub, "straight", kmh=50)
    kind, come_back = hub.plugins.connector("straight"), Event()
    monkeypatch.setattr(kind, "matrix", lambda self, legs: come_back.wait(PATIENCE))
    monkeypatch.setattr(travel, "PATIENCE", 0.2)
    try:
        for _ in range(travel.TOGETHER):
            (said,) = elsewhere(lambda: travel.matrix(hub, POINTS))
            assert isinstance(said, Retry)
            assert "no answer within 0.2 seconds" in str(said)
        (said,) = elsewhere(lambda: travel.matrix(hub, POINTS))
        assert isinstance(said, Retry)
        assert "is slow to answer" in str(said)
    finally:
        come_back.set()


def test_a_request_gets_the_answer_and_the_errors_of_a_connection(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(hub, "straight", kmh=50)
    (said,) = elsewhere(lambda: travel.matrix(hub, POINTS))
    assert said == travel.matrix(hub, POINTS)

    def refuse(self: Any, legs: Legs) -> Matrix:
        raise Rejected("no")

    monkeypatch.setattr(hub.plugins.connector("straight"), "matrix", refuse)
    (said,) = elsewhere(lambda: travel.matrix(hub, POINTS))
    assert isinstance(said, Rejected)
