"""What a plugin's hooks may return, checked when they are called; what breaks it is named."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hub import capabilities
from hub.connector import Connector
from hub.errors import PluginError

if TYPE_CHECKING:
    from hub.actions import Action

CAPABILITY: dict[str, type] = {
    "order_sources": capabilities.OrderSource,
    "routing_engines": capabilities.RoutingEngine,
    "travel_times": capabilities.TravelTimes,
    "geocoders": capabilities.Geocoder,
    "notification_channels": capabilities.Channel,
    "pod_sinks": capabilities.PodSink,
}
"""Hook -> what the connector classes that it returns can do."""


def collect(plugin: str, hook: str, call: Callable[[], Any]) -> list[Any]:
    """Call one hook of one plugin and return its list, refusing anything else."""
    callable_hook(plugin, hook, call)
    found = call()
    if not isinstance(found, list):
        raise PluginError(f"{plugin}.{hook} must return a list, not {found!r}")
    return found


def callable_hook(plugin: str, hook: str, call: Callable[[], Any]) -> None:
    """Raise `PluginError` unless a hook can be called as the hub does."""
    if inspect.iscoroutinefunction(call):
        raise PluginError(f"{plugin}.{hook} is a coroutine; hooks are ordinary functions")
    try:
        inspect.signature(call).bind()
    except TypeError as error:
        raise PluginError(f"{plugin}.{hook} must take no arguments ({error})") from error


def connector_class(plugin: str, hook: str, connector: type[Any]) -> None:
    """Raise `PluginError` unless `connector` is a class that can do what its hook promises."""
    if not (inspect.isclass(connector) and issubclass(connector, Connector)):
        raise PluginError(f"{plugin}.{hook} returned {connector!r}, which is no Connector class")
    for name, method in vars(CAPABILITY[hook]).items():
        if name.startswith("_") or not callable(method):
            continue
        own = getattr(connector, name, None)
        if own is None:
            raise PluginError(f"{connector.__qualname__} has no {name}(), which {hook} needs")
        takes(own, f"{connector.__qualname__}.{name}", len(inspect.signature(method).parameters))


def takes(function: Callable[..., Any], name: str, count: int) -> None:
    """Raise `PluginError` unless a function is an ordinary one that can be given `count` values."""
    if inspect.iscoroutinefunction(function):
        raise PluginError(f"{name} is a coroutine; use a function")
    try:
        inspect.signature(function).bind(*[object()] * count)
    except TypeError as error:
        raise PluginError(f"{name}: {error}") from error


def workflow_action(plugin: str, action: Any) -> Action:
    """Return a plugin's action; raise `PluginError` for one that workflows could not use."""
    from hub.actions import ActionInput, ActionOutput, Inside, Outward

    if not isinstance(action, Inside | Outward):
        raise PluginError(f"{plugin}.workflow_actions returned {action!r}, which is no Action")
    if not action.name.startswith(f"{plugin}.") or not action.name.count(".") == 1:
        raise PluginError(f"the action {action.name} has to be named {plugin}.<verb>")
    for model, base in ((action.Input, ActionInput), (action.Output, ActionOutput)):
        if not (inspect.isclass(model) and issubclass(model, base)):
            raise PluginError(f"{action.name}: {model!r} is no {base.__name__}")
    if isinstance(action, Inside):
        takes(action.run, f"{action.name}: run", 3)
    else:
        for part, count in (("items", 3), ("prepare", 3), ("call", 2), ("done", 4), ("failed", 4)):
            takes(getattr(action, part), f"{action.name}: {part}", count)
        takes(action.output, f"{action.name}: output", 1)
    made: Action = action
    return made
