"""Any other system: orders from its address, files or webhooks, mapped by field; news back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from hub import (
    Cancelled,
    Connector,
    Cursor,
    Delivery,
    DeliveryStatus,
    Incoming,
    Order,
    OrderSource,
    Receipt,
    RefusedRow,
    hookimpl,
)
from hub.builtin.generic import files, hooks, news
from hub.builtin.generic.feed import Feed
from hub.builtin.generic.folders import Here, remote
from hub.builtin.generic.records import sample
from hub.builtin.generic.settings import Config
from hub.builtin.generic.shape import FolderConfig
from hub.builtin.generic.tables import Thing

SAMPLES = 20
"""Records that people map by."""


class Generic(Connector[Config]):
    """Reads orders from an address or an SFTP folder, takes webhooks, and posts news."""

    name: ClassVar[str] = "generic"
    title: ClassVar[str] = "Own system (CSV, JSON, webhooks)"
    Config = Config
    sdk = ("paramiko", "standardwebhooks")

    def check(self) -> None:
        """Read the first page, or list the folder; where only webhooks come there is nothing."""
        if self.config.is_sftp:
            with remote(self.config) as folder:
                folder.entries()
        elif self.config.url:
            Feed(self.config).probe()

    def records(self) -> list[Any]:
        """Return some records as they come, for people to map; none where only webhooks come."""
        if self.config.is_sftp:
            with remote(self.config) as folder:
                found = files.records(folder, self.config, SAMPLES)
        else:
            found = Feed(self.config).records(SAMPLES) if self.config.url else []
        return sample(found)

    def told(self, request: Incoming) -> list[Any]:
        """Return the records of a webhook as they came, for people to map."""
        return sample(hooks.records(request, self.config)[:SAMPLES])

    def pull(self, cursor: Cursor) -> Iterator[Thing | Cursor]:
        """Yield the next page or file behind `cursor`, with cursors between."""
        if self.config.is_sftp:
            with remote(self.config) as folder:
                yield from files.pull(folder, self.config, cursor)
        elif self.config.url:
            yield from Feed(self.config).pull(cursor)
        else:
            yield cursor

    def receive(self, request: Incoming) -> Delivery:
        """Verify the secret or the signature."""
        return hooks.delivery(request, self.config)

    def unpack(self, request: Incoming) -> Iterator[Order | Cancelled | RefusedRow]:
        """Yield the orders that a webhook brings."""
        yield from hooks.unpacked(request, self.config)

    def tell(self, status: DeliveryStatus) -> Receipt:
        """Post what happened to an order, where an address for news is set."""
        return news.tell(status, self.config)


class GenericFolder(Connector[FolderConfig]):
    """Reads orders from files of a folder of this machine."""

    name: ClassVar[str] = "generic_folder"
    title: ClassVar[str] = "Folder of an own system (CSV, JSON)"
    Config = FolderConfig

    def check(self) -> None:
        """List the folder."""
        Here(self.config.path).entries()

    def records(self) -> list[Any]:
        """Return some records as they come, for people to map."""
        found = files.records(Here(self.config.path), self.config, SAMPLES)
        return sample(found)

    def pull(self, cursor: Cursor) -> Iterator[Thing | Cursor]:
        """Yield the next file behind `cursor`, with cursors between."""
        yield from files.pull(Here(self.config.path), self.config, cursor)


@hookimpl
def order_sources() -> list[type[OrderSource]]:
    """Offer both."""
    return [Generic, GenericFolder]
