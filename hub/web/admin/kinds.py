"""Kinds of connections in people's words, and which of them a reader may set up."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

from hub.capabilities import Receiver, ReportSource
from hub.connections.grants import by_consent
from hub.connector import Connector
from hub.contract import CAPABILITY
from hub.errors import Forbidden
from hub.orders import imports
from hub.store import ConnectionRow, Merchant
from hub.testing import grades
from hub.web.context import hub, principal

KINDS = {
    "order_sources": "Orders in",
    "notification_channels": "Messages",
    "pod_sinks": "Proofs out",
    "position_sources": "Positions in",
    "geocoders": "Addresses",
    "travel_times": "Travel times",
    "routing_engines": "Planning",
}
"""Hooks by the title under which their connections stand."""
DOES = {
    "order_sources": "reads orders",
    "notification_channels": "sends messages",
    "pod_sinks": "keeps proofs",
    "position_sources": "says where vehicles are",
    "geocoders": "finds addresses",
    "travel_times": "knows travel times",
    "routing_engines": "plans routes",
}
HOW = {
    ("notification_channels", "sms"): "notify.sms",
    ("notification_channels", "email"): "notify.email",
    ("pod_sinks", ""): "proofs.deliver",
}
"""The step that a workflow needs for a kind, and for what it carries."""
OF_MERCHANTS = ("order_sources", "notification_channels", "pod_sinks", "geocoders")
"""Kinds that serve one merchant; the others are about the operator's fleet."""


def hooks_of(connector: str) -> list[str]:
    """Return the kinds a connector belongs to, in the order of the page.

    What hands over orders only where it is asked to stands under what it does besides.
    """
    found = [
        hook for hook in KINDS if hook in CAPABILITY and connector in hub().plugins.of_kind(hook)
    ]
    aside = bool(found[1:]) and "order_sources" in hub().plugins.connector(connector).needs
    return sorted(found, key=lambda hook: aside and hook == "order_sources")


def steps_for(row: ConnectionRow) -> list[str]:
    """Return the steps that go through a connection, as far as its settings let them."""
    plugin = hub().plugins.owner(row.connector)
    medium = plugin.connectors[row.connector].medium if plugin else ""
    kinds = [hook for hook in hooks_of(row.connector) if hub().connections.serves(row, hook)]
    found = (HOW.get((hook, medium)) or HOW.get((hook, "")) for hook in kinds)
    return [step for step in found if step]


def hook_of(connector: str) -> str:
    """Return the first kind a connector belongs to; nothing for one that is not installed."""
    return next(iter(hooks_of(connector)), "")


def kind_title(connector: str) -> str:
    """Return what people call a connector, also when its plugin is gone."""
    plugin = hub().plugins.owner(connector)
    return plugin.connectors[connector].title if plugin else connector


def version_of(connector: str) -> str:
    """Return the version of the plugin that brings a connector, as far as it says one."""
    plugin = hub().plugins.owner(connector)
    return plugin.version if plugin else ""


def grade_of(connector: str) -> str:
    """Return the grade of the plugin that brings a connector; nothing while none is known."""
    plugin = hub().plugins.owner(connector)
    found = grades.read(plugin) if plugin else None
    return found.grade if found else ""


def abilities(kind: type[Connector[Any]]) -> str:
    """Return in words what a connector can do."""
    said = [DOES[hook] for hook in hooks_of(kind.name)]
    if issubclass(kind, Receiver):
        said.append("is told at once")
    if issubclass(kind, ReportSource):
        said.append("reads what came back")
    if by_consent(kind):
        said.append("connects by consent")
    return ", ".join(said)


def is_local(kind: type[Connector[Any]]) -> bool:
    """Say whether a connector reaches into the hub's own machine."""
    fields = kind.Config.model_fields.values()
    return kind.local or any(Path in (one.annotation, *get_args(one.annotation)) for one in fields)


def is_offered(kind: type[Connector[Any]]) -> bool:
    """Say whether the reader may set a connector up."""
    return kind.name != imports.CONNECTOR and is_open(kind)  # files have a page of their own


def is_open(kind: type[Connector[Any]]) -> bool:
    """Say whether the reader may give a connector its settings."""
    if not isinstance(principal(), Merchant):
        return True
    return hook_of(kind.name) in OF_MERCHANTS and not is_local(kind)


def offered(connector: str) -> type[Connector[Any]]:
    """Return a connector that the reader may set up; raise `Forbidden` for another one."""
    kind = hub().plugins.connector(connector)
    if not is_offered(kind):
        raise Forbidden(f"{kind.title} is set up by the operator of the hub; ask them")
    return kind


def available() -> list[tuple[str, str, list[type[Connector[Any]]]]]:
    """Return every connector that the reader may set up: (hook, its title, connectors)."""
    found = []
    for hook, title in KINDS.items():
        kinds = hub().plugins.of_kind(hook) if hook in CAPABILITY else {}
        own = [k for name, k in sorted(kinds.items()) if hook_of(name) == hook and is_offered(k)]
        if own:
            found.append((hook, title, own))
    return found
