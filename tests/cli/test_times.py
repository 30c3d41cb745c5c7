"""Travel times from the terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from hub.errors import Missing, Refused
from hub.hub import Hub
from hub.nouns import Location
from hub.planning.times import haversine
from hub.store import DepotRow
from hub.testing.fixtures import World
from hub.testing.peers.osrm import OsrmPeer
from hub.testing.town import Town, town

__all__ = ["town"]

Command = Callable[..., Result]
HEAD = "from_lat,from_lon,to_lat,to_lon,seconds\n"


def legs(scale: float, exponent: float) -> str:
    """Return a file of legs that follow a law, from Vaduz to the north."""
    rows = []
    for number in range(1, 41):
        north = 47.141 + number / 500
        far = haversine(Location(lat=47.141, lon=9.52), Location(lat=north, lon=9.52))
        rows.append(f"47.141,9.52,{north:.5f},9.52,{scale * far**exponent:.1f}")
    return HEAD + "\n".join(rows)


def test_a_file_of_legs_becomes_the_settings_to_enter(command: Command, given: Path) -> None:
    file = given / "legs.csv"
    file.write_text(legs(1.7, 0.72))
    found = json.loads(command("times", "fit", str(file), "--json").stdout)
    assert found["legs"] == 40
    assert found["scale"] == pytest.approx(1.7, abs=0.02)
    assert found["exponent"] == pytest.approx(0.72, abs=0.002)
    assert found["off"] < 0.01
    said = command("times", "fit", str(file)).stdout
    line = next(line for line in said.splitlines() if line.startswith("hub connect straight"))
    command(*line.split()[1:], "--yes")
    said = json.loads(command("connections", "list", "--json").stdout)
    assert [row["connector"] for row in said] == ["straight"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("from_lat,to_lat\n1,2\n", "lacks the columns from_lon, to_lon, seconds"),
        (HEAD + "47,9,47.1,9,100\n47,9,north,9,100\n", "line 3: that is no leg"),
        (HEAD + "47,9,97.1,9,100\n", "line 2: that is no leg"),
        (HEAD + "47,9,47.1,9,inf\n", "line 2: that is no leg"),
        (HEAD + "47,9,47.1\n", "line 2: that is no leg"),
        (HEAD, "0 usable legs are too few"),
    ],
)
def test_a_file_that_says_too_little_is_refused(
    command: Command, given: Path, text: str, said: str
) -> None:
    file = given / "legs.csv"
    file.write_text(text)
    with pytest.raises(Refused, match=said):
        command("times", "fit", str(file))


def test_without_stops_it_says_which_times_are_used(command: Command, world: World) -> None:
    said = command("times", "check").stdout
    assert "travel times: Straight lines (no map) (approximate, 15% of margin in them)" in said
    assert "hub map load" in said
    assert "no day ahead has stops to measure" in said


def test_without_a_depot_it_says_what_to_add(command: Command, hub: Hub) -> None:
    with hub.store.read() as session:
        assert session.get(DepotRow, "none") is None
    with pytest.raises(Missing, match="hub depot add"):
        command("times", "check")


def test_the_next_days_places_are_measured(
    hub: Hub, command: Command, town: Town, serve: Callable[..., None], tmp_path: Path
) -> None:
    for north in (0.01, 0.02, 2.0):
        town.stop(north=north)
    peer = OsrmPeer(tmp_path / "osrm")
    serve(peer)
    with hub.store.write() as session:
        hub.connections.save(session, "osrm", {"url": peer.url}, title="Our roads")
    found = json.loads(command("times", "check", "--json").stdout)
    assert (found["connector"], found["why"]) == ("osrm", "the connection Our roads")
    assert (found["places"], found["legs"], found["without_a_way"]) == (4, 12, 6)
    assert found["to_straight_lines"] > 0
    said = command("times", "check", "--depot", "Vaduz").stdout
    assert "4 places of 2026-11-23: 12 legs" in said
    assert "times what straight lines say" in said
