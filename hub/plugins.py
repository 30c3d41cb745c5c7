"""Find, verify and list plugins; a bad one is recorded by name, the rest load."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pluggy

from hub import contract, hookspecs
from hub.connector import Connector
from hub.contract import CAPABILITY
from hub.deadlines import interrupted
from hub.errors import PluginError

if TYPE_CHECKING:
    from hub.actions import Action

GROUP = "hub"
CORE = "lastmile-hub"
LATER = ("blueprints", "commands")
"""Hooks that only some processes call; the others are called when a plugin is loaded."""
HOOKS = (*CAPABILITY, "workflow_actions", "workflow_functions", *LATER)
log = logging.getLogger(__name__)


def in_order(points: Iterable[EntryPoint]) -> list[tuple[EntryPoint, str, str]]:
    """Return entry points with their distribution's name and version, sorted by their own name.

    Of one name the hub's own comes first.
    """
    said: dict[int, tuple[str, str]] = {}  # each look at a distribution parses its metadata anew
    found = []
    for point in points:
        key = id(point.dist)  # all points of one distribution hold the same, which they keep alive
        if point.dist and key not in said:
            said[key] = point.dist.name, point.dist.version
        found.append((point, *said.get(key, ("", ""))))
    return sorted(found, key=lambda one: (one[0].name, one[1] != CORE, one[1]))


def patience() -> float:
    """Return how many seconds a plugin may take to be imported and to say what it brings."""
    return float(os.environ.get("HUB_PLUGIN_SECONDS", 30))


@dataclass
class Plugin:
    """One installed plugin: what it brings, or why it could not be loaded."""

    name: str
    distribution: str
    version: str
    module: str = ""
    error: str = ""
    connectors: dict[str, type[Connector[Any]]] = field(default_factory=dict)
    kinds: dict[str, set[str]] = field(default_factory=dict)
    """Connector name -> the hooks that returned it."""
    actions: dict[str, Action] = field(default_factory=dict)
    functions: dict[str, contract.PureFunction] = field(default_factory=dict)
    hooks: dict[str, Callable[[], Any]] = field(default_factory=dict)
    """What it implements, by hook."""


class Plugins:
    """All plugins of this process, found once at start."""

    def __init__(self, points: Iterable[EntryPoint] | None = None) -> None:
        self.manager = pluggy.PluginManager(GROUP)
        self.manager.add_hookspecs(hookspecs)
        self.plugins: dict[str, Plugin] = {}
        found = entry_points(group=GROUP) if points is None else points
        for point, distribution, version in in_order(list(found)):
            self._load(point, distribution, version)

    def _load(self, point: EntryPoint, distribution: str, version: str) -> None:
        made = Plugin(point.name, distribution, version, module=point.module)
        first = self.plugins.get(point.name)
        if first is not None:
            made.name = f"{point.name} of {made.distribution or point.value}"
            made.error = f"PluginError: {first.distribution or CORE} brings a plugin {point.name}"
            self.plugins[made.name] = made
            return
        self.plugins[point.name] = made
        try:
            with interrupted(patience()):
                self._register(made, point.load())
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # an import may even call sys.exit(); the others go on
            made.error = f"{type(error).__name__}: {error}"
            for brought in (
                made.connectors, made.kinds, made.actions, made.functions, made.hooks,
            ):  # fmt: skip
                brought.clear()
            if self.manager.has_plugin(point.name):
                self.manager.unregister(name=point.name)

    def _register(self, made: Plugin, module: Any) -> None:
        if not isinstance(module, ModuleType):
            # Of an instance, one version of pluggy evaluates the properties and one does not.
            raise PluginError(f"the entry point {made.name} has to name a module, not {module!r}")
        self.manager.register(module, name=made.name)
        for caller in self.manager.get_hookcallers(module) or []:
            if caller.spec is None:
                raise PluginError(f"{made.name} implements {caller.name}, which is no hook")
            if not hasattr(getattr(module, caller.name, None), "hub_impl"):
                raise PluginError(f"{made.name}: name the function {caller.name} as its hook is")
        for hook in HOOKS:
            call = getattr(module, hook, None)
            if call is not None and hasattr(call, "hub_impl"):
                contract.callable_hook(made.name, hook, call)
                made.hooks[hook] = call
            elif hook not in LATER and getattr(call, "__module__", "") == module.__name__:
                raise PluginError(f"{made.name}.{hook} is not marked; put @hookimpl above it")
        for hook in CAPABILITY:
            for connector in self.collect(made, hook):
                self._add(made, hook, connector)
        for action in self.collect(made, "workflow_actions"):
            found = contract.workflow_action(made.name, action)
            made.actions[found.name] = found
        for function in self.collect(made, "workflow_functions"):
            pure = contract.workflow_function(made.name, function)
            made.functions[pure.name] = pure

    def collect(self, plugin: Plugin, hook: str) -> list[Any]:
        """Return what a plugin's hook returns, nothing where it has none."""
        call = plugin.hooks.get(hook)
        return [] if call is None else contract.collect(plugin.name, hook, call)

    def later(self, plugin: Plugin, hook: str, check: Callable[[Any], None]) -> list[Any]:
        """Return what a hook of `LATER` returns; where it breaks the contract, note why."""
        try:
            with interrupted(patience()):
                found = self.collect(plugin, hook)
                for one in found:
                    check(one)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a plugin's own code may raise anything; the others go on
            plugin.error = f"{hook}: {type(error).__name__}: {error}"
            log.error("the plugin %s brings no %s: %s", plugin.name, hook, plugin.error)
            return []
        return found

    def offering(self, action: str) -> Plugin | None:
        """Return the plugin that brings the workflow action of that name, None for the hub's."""
        return next((p for p in self.plugins.values() if action in p.actions), None)

    def _add(self, made: Plugin, hook: str, connector: type[Connector[Any]]) -> None:
        contract.connector_class(made.name, hook, connector)
        other = self.owner(connector.name)
        if other is not None and other is not made:
            raise PluginError(f"{made.name}: connector {connector.name} belongs to {other.name}")
        if made.connectors.get(connector.name, connector) is not connector:
            raise PluginError(f"{made.name} brings two connectors named {connector.name}")
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
