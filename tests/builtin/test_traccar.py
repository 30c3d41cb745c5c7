"""Traccar's devices are read: every new position once, those in doubt never."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from pydantic import ValidationError

from hub.builtin.traccar import Traccar, TraccarConfig
from hub.errors import Rejected
from hub.nouns import Cursor, DevicePosition
from hub.testing.conformance import SECRET, ConnectorTests, ScriptedPeer
from hub.testing.conformance.scripted import replied
from hub.testing.peers import Reply, Request

DEVICES = [{"id": 3, "uniqueId": "8602", "name": "Van 1"}, {"id": 4, "uniqueId": "lea"}]


def position(id: int, device: int = 3, **values: Any) -> dict[str, Any]:
    """Return a position as Traccar writes it."""
    return {
        "id": id, "deviceId": device, "valid": True, "outdated": False,
        "fixTime": "2026-11-23T08:00:00.000+00:00", "latitude": 47.1416, "longitude": 9.5215,
        "speed": 10.0, "course": 90.0, "accuracy": 5.0, **values,
    }  # fmt: skip


class TestTraccar(ConnectorTests):
    connector = Traccar
    config = {"url": "https://tracking.example.com", "token": SECRET}  # noqa: RUF012

    def serve(self, request: Request) -> Reply | None:
        found = [position(12, 4), position(11)]
        return replied(DEVICES if request.path == "/api/devices" else found)

    def read(self, peer: ScriptedPeer, found: object, cursor: str = "") -> list[Any]:
        """Return what is read where the server has those positions."""

        def reply(request: Request) -> Reply:
            listed = DEVICES if request.path == "/api/devices" else found
            return Reply(200, listed)  # type: ignore[arg-type]

        peer.reply = reply
        made = self.built(peer.url)
        assert isinstance(made, Traccar)
        return list(made.positions(Cursor(value=cursor)))

    def test_every_device_is_named_by_its_identifier(self, peer: ScriptedPeer) -> None:
        first, second, cursor = self.read(peer, [position(12, 4), position(11)])
        assert [first.device, second.device] == ["8602", "lea"]
        assert cursor == Cursor(value="12")
        assert {request.bearer for request in peer.requests} == {SECRET}
        assert {request.headers["Accept"] for request in peer.requests} == {"application/json"}

    def test_knots_become_metres_per_second_and_no_accuracy_stays_unknown(
        self, peer: ScriptedPeer
    ) -> None:
        made, _ = self.read(peer, [position(1, accuracy=0.0, course=360.0)])
        assert isinstance(made, DevicePosition)
        fix = made.fix
        assert (round(fix.speed or 0, 2), fix.accuracy, fix.heading) == (5.14, None, 0)
        assert fix.at.isoformat() == "2026-11-23T08:00:00+00:00"

    def test_what_was_read_is_not_read_again(self, peer: ScriptedPeer) -> None:
        found = self.read(peer, [position(11), position(12, 4)], cursor="11")
        assert [getattr(one, "device", one) for one in found] == ["lea", Cursor(value="12")]

    def test_a_server_that_begins_anew_is_read_from_the_start(self, peer: ScriptedPeer) -> None:
        found = self.read(peer, [position(2)], cursor="90000")
        assert [getattr(one, "device", one) for one in found] == ["8602", Cursor(value="2")]

    @pytest.mark.parametrize("doubt", [
        {"valid": False}, {"outdated": True}, {"latitude": 95.0}, {"latitude": None},
        {"fixTime": None}, {"deviceId": 99}, {"fixTime": "1970-01-01T00:00:00Z"},
    ], ids=str)  # fmt: skip
    def test_a_position_in_doubt_is_left_out_and_the_others_stay(
        self, peer: ScriptedPeer, doubt: dict[str, Any]
    ) -> None:
        found = self.read(peer, [position(1, **doubt), position(2, 4)])
        assert [getattr(one, "device", one) for one in found] == ["lea", Cursor(value="2")]

    def test_nothing_known_is_nothing_read(self, peer: ScriptedPeer) -> None:
        assert self.read(peer, []) == []

    @pytest.mark.parametrize("answer", [{"error": "x"}, ["text"]], ids=str)
    def test_an_answer_that_is_no_list_is_told(self, peer: ScriptedPeer, answer: object) -> None:
        with pytest.raises(Rejected, match="did not answer with a list"):
            self.read(peer, answer)

    def test_user_and_password_do_as_well(self, peer: ScriptedPeer) -> None:
        peer.reply = lambda _: Reply(200, [])  # type: ignore[arg-type]
        Traccar(TraccarConfig(url=peer.url, user="ops@example.com", password="öl")).check()  # type: ignore[arg-type]
        sent = peer.requests[0].headers["Authorization"].removeprefix("Basic ")
        assert base64.b64decode(sent).decode() == "ops@example.com:öl"


@pytest.mark.parametrize("given", [
    {}, {"token": "t", "user": "u", "password": "p"}, {"user": "u"}, {"password": "p"},
], ids=str)  # fmt: skip
def test_there_is_exactly_one_way_in(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="either a token, or a user and a password"):
        TraccarConfig.model_validate({"url": "https://tracking.example.com", **given})
