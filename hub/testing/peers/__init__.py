"""Small servers on loopback that answer like the services we call, and keep a raw log."""

from hub.testing.peers.log import RawLog, duplicates
from hub.testing.peers.server import Peer, Reply, Request

__all__ = ["Peer", "RawLog", "Reply", "Request", "duplicates"]
