"""What is kept of travel times: what is asked for, how long it holds, how much there is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.errors import Retry
from hub.nouns import Legs, Location, Matrix
from hub.planning import matrix_cache
from hub.planning.matrix_cache import cached


class Service:
    """Answers as a service would: seconds say from where to where; it counts what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, tuple[int, ...] | None]] = []
        self.offset = 0

    def __call__(self, legs: Legs) -> Matrix:
        self.asked.append((len(legs.points), legs.touching))
        wanted = set(range(len(legs.points)) if legs.touching is None else legs.touching)
        seconds = [
            [
                said(here, there) + self.offset * (a != b) if a in wanted or b in wanted else -7
                for b, there in enumerate(legs.points)
            ]
            for a, here in enumerate(legs.points)
        ]
        return Matrix(seconds=seconds, metres=seconds, margin=0.25, approximate=True)


def said(here: Location, there: Location) -> int:
    """Return what says from where to where a leg leads, 0 for a place itself."""
    if round(here.lon, 5) == round(there.lon, 5):
        return 0
    return round(here.lon * 100) * 1000 + round(there.lon * 100)


def at(*numbers: float) -> tuple[Location, ...]:
    return tuple(Location(lat=47.0, lon=number / 100) for number in numbers)


@pytest.fixture
def service() -> Service:
    return Service()


Ask = Callable[..., list[list[int]]]


@pytest.fixture
def ask(service: Service, tmp_path: Path) -> Ask:
    """Return what asks for a matrix of numbered places, and checks that it is the right one."""

    def run(*numbers: float, key: str = "key", seconds: float = 1000.0) -> list[list[int]]:
        points = at(*numbers)
        found = cached(tmp_path / "cache", [key], Legs(points=points), service, seconds)
        assert found.seconds == found.metres
        return found.seconds.lists()

    return run


def right(*numbers: float, offset: int = 0) -> list[list[int]]:
    points = at(*numbers)
    return [[said(a, b) + offset * (a != b) for b in points] for a in points]


def test_what_was_asked_is_not_asked_again_in_any_order(service: Service, ask: Ask) -> None:
    assert ask(3, 1, 2) == right(3, 1, 2)
    assert ask(2, 3) == right(2, 3)
    assert service.asked == [(3, None)]


def test_a_new_place_asks_for_its_own_legs_only(service: Service, ask: Ask) -> None:
    ask(1, 2, 3)
    assert ask(5, 3, 1, 2) == right(5, 3, 1, 2)
    (_, touching) = service.asked[1]
    assert service.asked == [(3, None), (4, touching)]
    assert touching is not None
    assert len(touching) == 1


def test_places_that_never_met_ask_for_what_lies_between_them(service: Service, ask: Ask) -> None:
    ask(1, 2, 3)
    ask(3, 4)
    assert ask(1, 2, 4) == right(1, 2, 4)
    assert [len(touching or ()) for _, touching in service.asked[2:]] == [1]
    assert ask(4, 3, 2, 1) == right(4, 3, 2, 1)
    assert len(service.asked) == 3


def test_a_place_named_twice_is_asked_for_once(service: Service, ask: Ask) -> None:
    assert ask(1, 2, 1, 2.0000001) == right(1, 2, 1, 2)
    assert service.asked == [(2, None)]


def test_margin_and_kind_are_kept(service: Service, tmp_path: Path) -> None:
    for _ in range(2):
        found = cached(tmp_path, ["key"], Legs(points=at(1, 2)), service)
        assert (found.margin, found.approximate) == (0.25, True)
    assert len(service.asked) == 1


def test_another_key_knows_nothing_of_it(service: Service, ask: Ask) -> None:
    ask(1, 2)
    ask(1, 2, key="other")
    assert len(service.asked) == 2


def test_what_is_too_old_is_asked_again(
    service: Service, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000_000.0
    monkeypatch.setattr("hub.planning.matrix_cache.time.time", lambda: now)
    ask(1, 2)
    now += 900
    ask(1, 2, 3)
    service.offset = 5
    now += 900
    found = ask(1, 2, 3)
    assert len(service.asked) == 3
    assert found == right(1, 2, 3, offset=5)


def test_a_refreshed_leg_does_not_make_its_neighbours_young(
    service: Service, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000_000.0
    monkeypatch.setattr("hub.planning.matrix_cache.time.time", lambda: now)
    ask(1, 2, 3)
    ask(3, 4)
    now += 900
    ask(1, 2, 3, 4)
    service.offset = 5
    now += 200
    assert ask(1, 2) == right(1, 2, offset=5)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04broken"])
def test_a_broken_file_costs_a_request_and_no_more(
    service: Service, ask: Ask, tmp_path: Path, content: bytes
) -> None:
    ask(1, 2)
    (path,) = (tmp_path / "cache").iterdir()
    path.write_bytes(content)
    assert ask(1, 2) == right(1, 2)
    assert ask(1, 2) == right(1, 2)
    assert len(service.asked) == 2


def test_where_nothing_can_be_written_it_is_asked_each_time(
    service: Service, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    for _ in range(2):
        found = cached(tmp_path / "file", ["key"], Legs(points=at(1, 2)), service)
        assert found.seconds.lists() == right(1, 2)
    assert len(service.asked) == 2


def test_a_request_that_fails_leaves_what_was_known(
    service: Service, ask: Ask, tmp_path: Path
) -> None:
    ask(1, 2)

    def fail(_: Legs) -> Matrix:
        raise Retry("slowly")

    with pytest.raises(Retry):
        cached(tmp_path / "cache", ["key"], Legs(points=at(1, 2, 3)), fail)
    assert ask(1, 2) == right(1, 2)
    assert len(service.asked) == 1


def test_the_places_that_were_not_asked_for_longest_make_room(
    service: Service, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matrix_cache, "MOST", 3)
    ask(1, 2, 3)
    ask(2, 3, 4)
    ask(2, 3, 4)
    assert len(service.asked) == 2
    ask(1, 2)
    assert len(service.asked) == 3
    assert ask(1, 2, 3, 4) == right(1, 2, 3, 4)
    assert service.asked[-1] == (4, None)


def test_the_oldest_files_make_room(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(1, 2, key="old")
    (old,) = (tmp_path / "cache").iterdir()
    os.utime(old, (1, 1))
    left = tmp_path / "cache" / ".lost.tmp"
    left.touch()
    os.utime(left, (1, 1))
    monkeypatch.setattr(matrix_cache, "LARGEST", 3000)
    ask(1, 2, key="new")
    (kept,) = (tmp_path / "cache").iterdir()
    assert kept != old


@pytest.mark.parametrize("numbers", [(), (1,), (1, 1)])
def test_where_there_is_no_leg_nothing_is_kept(
    service: Service, ask: Ask, tmp_path: Path, numbers: tuple[int, ...]
) -> None:
    assert ask(*numbers) == right(*numbers)
    assert not (tmp_path / "cache").exists()
