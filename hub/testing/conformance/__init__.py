"""The checks that every connector has to pass: subclass one class and name the connector.

class TestPing(ConnectorTests):
    connector = Ping
    config = {"url": "https://ping.example", "token": SECRET}
"""

from hub.testing.conformance.checks import KitWarning, NewCheck
from hub.testing.conformance.kit import CHECKS, ConnectorTests
from hub.testing.conformance.samples import SECRET, a_problem, a_proof
from hub.testing.conformance.scripted import ScriptedPeer
from hub.testing.conformance.sending import ChannelTests

__all__ = [
    "CHECKS",
    "SECRET",
    "ChannelTests",
    "ConnectorTests",
    "KitWarning",
    "NewCheck",
    "ScriptedPeer",
    "a_problem",
    "a_proof",
]
