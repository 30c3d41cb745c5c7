"""Which connectors planning asks, and what happens to a connection that does not work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hub.connections.pulse import degrade
from hub.connector import Connector
from hub.errors import HubError, PluginError, Unauthorized
from hub.events import append
from hub.events.catalogue import ConnectionExpired
from hub.events.facts import ConnectionFacts
from hub.hub import Hub
from hub.store import ConnectionRow

TIMES = "straight"


@dataclass(frozen=True)
class Provider:
    """A connector that is about to be asked, and its connection if it has one."""

    connector: Connector[Any]
    connection: str | None = None


@contextmanager
def asking(hub: Hub, provider: Provider) -> Iterator[None]:
    """Turn what goes wrong inside into our words; `Unauthorized` expires the connection."""
    try:
        with hub.connections.contained(provider.connector):
            yield
    except Unauthorized as error:
        if provider.connection is not None:
            expire(hub, provider.connection, str(error))
        raise
    except HubError:
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        raise PluginError(f"{provider.connector.title} failed: {said}") from error


def pass_over(hub: Hub, reason: str) -> None:
    """Mark the operator's engines and travel times as not working: the built-in ones are used.

    For a plan whose worker was ended because one of them did not come back.
    """
    with hub.store.write() as session:
        for hook in ("routing_engines", "travel_times"):
            for row in hub.connections.find(session, hook, None):
                if row.merchant is None and row.state == "healthy":
                    degrade(row, session.wall, f"Planning did not come back: {reason}")


def expire(hub: Hub, id: str, reason: str) -> None:
    """Mark a connection as one to reconnect; the next plan passes it over."""
    with hub.store.write() as session:
        hub.connections.expire(session, id, reason)
        row = session.get_one(ConnectionRow, id)
        facts = ConnectionFacts(
            id=row.id, connector=row.connector, title=row.title, reason=row.reason
        )
        append(session, ConnectionExpired(subject=row.id, connection=facts))
