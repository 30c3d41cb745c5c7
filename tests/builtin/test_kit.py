"""The kit, run on the connectors that come with the hub."""

from __future__ import annotations

from hub.builtin.csv import Csv
from hub.builtin.folder import Folder
from hub.builtin.nominatim import Nominatim
from hub.builtin.ortools import Ortools
from hub.builtin.pyvrp import PyVrp
from hub.builtin.straight import Straight
from hub.builtin.vroom import Vroom
from hub.testing.conformance import ConnectorTests

FOUND = {"lat": "47.1389", "lon": "9.5225", "category": "building", "type": "house"}


class TestCsv(ConnectorTests):
    connector = Csv
    config = {"path": "{here}/samples/orders.csv"}  # noqa: RUF012
    broken = {"path": "{here}/samples/broken.csv"}  # noqa: RUF012


class TestFolder(ConnectorTests):
    connector = Folder
    config = {"path": "{tmp}/proofs"}  # noqa: RUF012

    def count(self) -> int:
        """Return how many proofs lie in the folder."""
        return len(list((self.tmp / "proofs").rglob("record.json")))


class TestNominatim(ConnectorTests):
    connector = Nominatim
    config = {"email": "ops@example.com", "consent": True, "url": "https://geo.example"}  # noqa: RUF012
    answers = {"check": [{"status": 0}], "locate": [[FOUND]], "unknown": [[]]}  # noqa: RUF012


class TestOrtools(ConnectorTests):
    connector = Ortools
    config = {}  # noqa: RUF012


class TestPyVrp(ConnectorTests):
    connector = PyVrp
    config = {}  # noqa: RUF012


class TestVroom(ConnectorTests):
    connector = Vroom
    config = {}  # noqa: RUF012


class TestStraight(ConnectorTests):
    connector = Straight
    config = {}  # noqa: RUF012
