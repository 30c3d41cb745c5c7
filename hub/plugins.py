"""Find, verify and list plugins; a bad one is recorded by name, the rest load."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

import pluggy

from hub import capabilities, hookspecs
from hub.connector import Connector
from hub.errors import PluginError

GROUP = "hub"
CAPABILITY: dict[str, type] = {
    "order_sources": capabilities.OrderSource,
    "routing_engines": capabilities.RoutingEngine,
    "travel_times": capabilities.TravelTimes,
    "geocoders": capabilities.Geocoder,
    "notification_channels": capabilities.Channel,
    "pod_sinks": capabilities.PodSink,
}


@dataclass
class Plugin:
    """One installed plugin: what it brings, or why it could not be loaded."""

    name: str
    distribution: str
    version: str
    error: str = ""
    connectors: dict[str, type[Connector[Any]]] = field(default_factory=dict)
    kinds: dict[str, set[str]] = field(default_factory=dict)
    """Connector name -> the hooks that returned it."""


class Plugins:
    """All plugins of this process, found once at start."""

    def __init__(self, points: Iterable[EntryPoint] | None = None) -> None:
        self.manager = pluggy.PluginManager(GROUP)
        self.manager.add_hookspecs(hookspecs)
        self.plugins: dict[str, Plugin] = {}
        for point in sorted(
            entry_points(group=GROUP) if points is None else points, key=lambda p: p.name
        ):
            self._load(point)

    def _load(self, point: EntryPoint) -> None:
        made = Plugin(
            name=point.name,
            distribution=point.dist.name if point.dist else "",
            version=point.dist.version if point.dist else "",
        )
        self.plugins[point.name] = made
        try:
            module = point.load()
            self._register(made, module)
        except Exception as error:
            made.error = f"{type(error).__name__}: {error}"
            made.connectors.clear()
            if self.manager.has_plugin(point.name):
                self.manager.unregister(name=point.name)

    def _register(self, made: Plugin, module: ModuleType) -> None:
        self.manager.register(module, name=made.name)
        for caller in self.manager.get_hookcallers(module) or []:
            if caller.spec is None:
                raise PluginError(f"{made.name} implements {caller.name}, which is no hook")
        for hook in CAPABILITY:
            implementation = getattr(module, hook, None)
            if implementation is not None and hasattr(implementation, "hub_impl"):
                for connector in collect(made.name, hook, implementation):
                    self._add(made, hook, connector)

    def _add(self, made: Plugin, hook: str, connector: type[Connector[Any]]) -> None:
        verify(made.name, hook, connector)
        other = self.owner(connector.name)
        if other is not None and other is not made:
            raise PluginError(f"{made.name}: connector {connector.name} belongs to {other.name}")
        made.connectors[connector.name] = connector
        made.kinds.setdefault(connector.name, set()).add(hook)

    def owner(self, connector: str) -> Plugin | None:
        """Return the plugin that brings the connector of that name."""
        return next((p for p in self.plugins.values() if connector in p.connectors), None)

    def connector(self, name: str) -> type[Connector[Any]]:
        """Return a connector class; raise `PluginError` saying what is missing."""
        found = self.owner(name)
        if found is None:
            raise PluginError(f"no installed plugin brings {name}; install it and restart the hub")
        return found.connectors[name]

    def of_kind(self, hook: str) -> dict[str, type[Connector[Any]]]:
        """Return the connectors that a hook brought, by name."""
        return {
            name: plugin.connectors[name]
            for plugin in self.plugins.values()
            for name, hooks in plugin.kinds.items()
            if hook in hooks and name in plugin.connectors
        }


def collect(plugin: str, hook: str, call: Callable[[], Any]) -> list[type[Connector[Any]]]:
    """Call one hook of one plugin and return its classes, refusing anything else."""
    if inspect.iscoroutinefunction(call):
        raise PluginError(f"{plugin}.{hook} is a coroutine; hooks are ordinary functions")
    try:
        inspect.signature(call).bind()
    except TypeError as error:
        raise PluginError(f"{plugin}.{hook} must take no arguments ({error})") from error
    found = call()
    if not isinstance(found, list):
        raise PluginError(f"{plugin}.{hook} must return a list of classes, not {found!r}")
    return found


def verify(plugin: str, hook: str, connector: type[Any]) -> None:
    """Raise `PluginError` unless `connector` is a class that can do what its hook promises."""
    if not (inspect.isclass(connector) and issubclass(connector, Connector)):
        raise PluginError(f"{plugin}.{hook} returned {connector!r}, which is no Connector class")
    wanted = CAPABILITY[hook]
    for name, method in vars(wanted).items():
        if name.startswith("_") or not callable(method):
            continue
        own = getattr(connector, name, None)
        if own is None:
            raise PluginError(f"{connector.__qualname__} has no {name}(), which {hook} needs")
        if inspect.iscoroutinefunction(own):
            raise PluginError(f"{connector.__qualname__}.{name} is a coroutine; use a function")
        arguments = [object()] * len(inspect.signature(method).parameters)
        try:
            inspect.signature(own).bind(*arguments)
        except TypeError as error:
            raise PluginError(f"{connector.__qualname__}.{name}: {error}") from error
