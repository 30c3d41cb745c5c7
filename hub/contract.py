"""What a plugin's hooks may return, checked when they are called; what breaks it is named."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, get_type_hints

from hub import capabilities
from hub.connector import Connector
from hub.errors import PluginError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from hub.actions import Action

CAPABILITY: dict[str, type] = {
    "order_sources": capabilities.OrderSource,
    "routing_engines": capabilities.RoutingEngine,
    "travel_times": capabilities.TravelTimes,
    "geocoders": capabilities.Geocoder,
    "notification_channels": capabilities.Channel,
    "pod_sinks": capabilities.PodSink,
    "position_sources": capabilities.PositionSource,
}
"""Hook -> what the connector classes that it returns can do."""
TRAITS = (
    capabilities.Receiver,
    capabilities.OAuth,
    capabilities.Subscriber,
    capabilities.StatusSink,
    capabilities.ReportSource,
    capabilities.AnytimeEngine,
    capabilities.Directions,
)
"""What a connector of any kind can do besides; who has one method of it has them all."""
CEL_TYPES: dict[Any, str] = {str: "string", int: "int", float: "double", bool: "bool"}
"""What a function for expressions may take and return, and what expressions call it."""


@dataclass(frozen=True)
class PureFunction:
    """A function that expressions may call."""

    name: str
    parameters: tuple[tuple[str, str], ...]
    """(name, CEL type) of each."""
    result: str
    run: Callable[..., Any]


def collect(plugin: str, hook: str, call: Callable[[], Any]) -> list[Any]:
    """Call one hook of one plugin and return its list, refusing anything else."""
    callable_hook(plugin, hook, call)
    found = call()
    if not isinstance(found, list):
        raise PluginError(f"{plugin}.{hook} must return a list, not {found!r}")
    return found


def callable_hook(plugin: str, hook: str, call: Callable[[], Any]) -> None:
    """Raise `PluginError` unless a hook can be called as the hub does."""
    if not inspect.isroutine(call):
        raise PluginError(f"{plugin}.{hook} is no function, but {call!r}")
    if is_coroutine(call):
        raise PluginError(f"{plugin}.{hook} is a coroutine; hooks are ordinary functions")
    asked = list(inspect.signature(call).parameters)
    if asked:
        # Nor one with a default: whether that counts depends on the version of pluggy.
        raise PluginError(f"{plugin}.{hook} must take no arguments, not {', '.join(asked)}")


def is_coroutine(function: Callable[..., Any]) -> bool:
    """Say whether calling a function only begins something that has to be awaited."""
    inner = inspect.unwrap(function)
    return inspect.iscoroutinefunction(inner) or inspect.isasyncgenfunction(inner)


def connector_class(plugin: str, hook: str, connector: type[Any]) -> None:
    """Raise `PluginError` unless `connector` is a class that can do what its hook promises."""
    if not (inspect.isclass(connector) and issubclass(connector, Connector)):
        raise PluginError(f"{plugin}.{hook} returned {connector!r}, which is no Connector class")
    has_all(connector, CAPABILITY[hook], hook)
    settings(connector)
    for trait in TRAITS:
        if any(hasattr(connector, name) for name in methods(trait)):
            has_all(connector, trait, trait.__name__)


def settings(connector: type[Connector[Any]]) -> None:
    """Raise `PluginError` unless a form can be made of a connector's `Config`."""
    from pydantic import BaseModel
    from pydantic.errors import PydanticUserError

    config, name = connector.Config, f"{connector.__qualname__}.Config"
    if not (inspect.isclass(config) and issubclass(config, BaseModel)):
        raise PluginError(f"{name} is no pydantic model, but {config!r}")
    for field, found in config.model_fields.items():
        if found.annotation in (Any, object, None):
            raise PluginError(f"{name}.{field} has no type; a form needs one, such as str")
    try:
        describe(config)
    except PydanticUserError as error:
        why = str(error).splitlines()[0]
        raise PluginError(f"{name}: no form can be made of it ({why})") from error


@cache
def describe(config: type[BaseModel]) -> None:
    """Let pydantic describe a model as a form needs it; what it refuses it raises.

    A class stays as it is, and one plugin may return it from several hooks.
    """
    config.model_json_schema()


def methods(protocol: type[Any]) -> dict[str, Callable[..., Any]]:
    """Return the methods that a protocol asks for."""
    return {
        name: method
        for name, method in vars(protocol).items()
        if not name.startswith("_") and callable(method)
    }


def has_all(connector: type[Any], protocol: type[Any], wanted: str) -> None:
    """Raise `PluginError` unless a class has every method of `protocol`, as the hub calls it."""
    for name, method in methods(protocol).items():
        own = getattr(connector, name, None)
        if own is None:
            raise PluginError(f"{connector.__qualname__} has no {name}(), which {wanted} needs")
        takes(own, f"{connector.__qualname__}.{name}", len(inspect.signature(method).parameters))


def takes(function: Callable[..., Any], name: str, count: int) -> None:
    """Raise `PluginError` unless a function is an ordinary one that can be given `count` values."""
    if not callable(function):
        raise PluginError(f"{name} is no function, but {function!r}")
    if is_coroutine(function):
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


def workflow_function(plugin: str, function: Any) -> PureFunction:
    """Return a plugin's function for expressions; raise `PluginError` for one that cannot be."""
    name = getattr(function, "__name__", "")
    if not inspect.isfunction(function) or inspect.iscoroutinefunction(function):
        raise PluginError(
            f"{plugin}.workflow_functions returned {function!r}, which is no function"
        )
    if not name.startswith(f"{plugin}_"):
        raise PluginError(f"the function {name} has to be named {plugin}_<name>")
    hints = get_type_hints(function)
    given = inspect.signature(function).parameters.values()
    kinds = {one.name: CEL_TYPES.get(hints.get(one.name), "") for one in given}
    plain = all(one.kind is one.POSITIONAL_OR_KEYWORD for one in given)
    result = CEL_TYPES.get(hints.get("return"), "")
    if not (plain and result and all(kinds.values())):
        known = ", ".join(kind.__name__ for kind in CEL_TYPES)
        raise PluginError(f"{name}: every parameter and the result has a type, one of {known}")
    return PureFunction(name, tuple(kinds.items()), result, function)
