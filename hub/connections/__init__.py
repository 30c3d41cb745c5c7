"""Configured connectors: their secrets, their state, and on and off without a restart."""

from hub.connections.book import Connections

__all__ = ["Connections"]
