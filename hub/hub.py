"""The parts that every process of a hub shares, opened once and closed at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hub.access.keys import Keys, check_keys, load_keys
from hub.connections import Connections
from hub.files import Files
from hub.ledgers import Shared
from hub.plugins import Plugins
from hub.settings import Settings
from hub.store import Store, migrations

if TYPE_CHECKING:
    from redis import Redis

    from hub.actions import Action


@dataclass
class Hub:
    """Everything that hangs off one running process; nothing of it is global."""

    settings: Settings
    store: Store
    keys: Keys
    files: Files
    plugins: Plugins
    connections: Connections
    redis: Redis
    handlers: dict[str, Callable[[Hub, Any], None]] = field(default_factory=dict)
    """Kind of work -> who does it (see hub.queue)."""
    rounds: list[Callable[[Hub], None]] = field(default_factory=list)
    """What the leading dispatcher does a few times a second, each short and in own transactions."""
    parts: dict[str, Any] = field(default_factory=dict)
    """What packages keep for the life of this process, by name."""
    actions: dict[str, Action] = field(default_factory=dict)
    """What workflows may do, by name (see hub.actions)."""

    def close(self) -> None:
        """Close the database and Redis connections."""
        self.store.close()
        self.redis.close()


def open_hub(settings: Settings, *, patience: float = 5.0) -> Hub:
    """Open a hub on an up-to-date database; raise `OldSchema` or `WrongKeys` otherwise.

    `patience` is how many seconds a write may wait for the database before `Busy`.
    """
    from redis import Redis
    from redis.backoff import ExponentialBackoff
    from redis.exceptions import ConnectionError as Lost
    from redis.exceptions import TimeoutError as Late
    from redis.retry import Retry

    store = Store(settings.database_url, patience)
    migrations.check(store)
    keys = load_keys(settings)
    check_keys(store, keys)
    plugins = Plugins()
    redis = Redis.from_url(
        settings.redis_url,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.02), 3),
        retry_on_error=[Lost, Late],
        socket_connect_timeout=2,
    )
    connections = Connections(store, plugins, keys)
    connections.ledger = Shared(redis)
    return Hub(
        settings=settings,
        store=store,
        keys=keys,
        files=Files(settings.files_url),
        plugins=plugins,
        connections=connections,
        redis=redis,
    )
