"""Checks of a position source: each position once, with its instant, from where it stood."""

from __future__ import annotations

import pytest

from hub.nouns import Cursor, DevicePosition
from hub.testing.conformance import reading
from hub.testing.conformance.checks import demand
from hub.testing.conformance.ground import Ground, calls_a_service
from hub.testing.conformance.scripted import ScriptedPeer


class PositionSourceTests(Ground):
    """What holds for `positions`."""

    @pytest.fixture
    def devices(self, peer: ScriptedPeer) -> str:
        """Return the address of a service that has positions, nothing for a source without one."""
        return peer.url if calls_a_service(type(self)) else ""

    def test_positions_come_with_a_cursor(self, devices: str) -> None:
        """It yields `DevicePosition` and `Cursor`, and a cursor last."""
        reading.demand_pages(self, "positions")
        found = reading.first(self, "positions", devices)
        reading.demand_kinds(self, "positions", found, (DevicePosition, Cursor))
        demand(
            any(isinstance(one, DevicePosition) for one in found),
            f"{self.at('positions')} yields no position of the sample; give {type(self).__name__} "
            "records in answers or config that can be read",
        )
        demand(
            isinstance(found[-1], Cursor),
            f"{self.at('positions')} ends without a Cursor, so the hub would read the same again; "
            "yield one after the records of each page",
        )

    def test_no_position_comes_twice(self, devices: str) -> None:
        """Read to its end and once more from its last cursor, every position comes once."""
        reading.demand_no_repetition(self, "positions", devices, DevicePosition)

    def test_positions_resume_after_a_crash(self, devices: str) -> None:
        """Stopped anywhere and resumed from its last cursor, it loses no position."""
        reading.demand_resumes(self, "positions", devices, DevicePosition)

    def test_positions_have_zoned_instants(self, devices: str) -> None:
        """Instants name their zone, and the machine's own zone makes no difference."""
        reading.demand_same_everywhere(self, "positions", devices, DevicePosition)
