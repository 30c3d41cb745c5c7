"""Plugins are found and verified; a bad one is named and the rest load."""

from __future__ import annotations

import functools
import inspect
import sys
import threading
from collections.abc import AsyncIterator, Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, ConfigDict

from hub.connector import Connector, NoSettings
from hub.hookspecs import hookimpl
from hub.nouns import Cursor, Delivery, Incoming, Message, Order, Receipt
from hub.plugins import Plugins


class Pigeon(Connector[BaseModel]):
    """Sends nothing anywhere."""

    name = "pigeon"
    title = "Pigeon post"

    def send(self, message: Message) -> Receipt:
        """Pretend."""
        return Receipt(ref=message.key)


Make = Callable[..., EntryPoint]


@pytest.fixture
def point(monkeypatch: pytest.MonkeyPatch) -> Make:
    """Return a maker of entry points whose module holds the given functions."""

    def make(name: str, **functions: object) -> EntryPoint:
        module = ModuleType(f"made_{name}")
        for hook, function in functions.items():
            setattr(module, hook, function)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return EntryPoint(name=name, value=module.__name__, group="hub")

    return make


def returning(value: object) -> object:
    """Return a hook implementation that returns `value`."""
    return hookimpl(lambda: value)


def test_a_good_plugin_brings_its_connector(point: Make) -> None:
    plugins = Plugins([point("post", notification_channels=returning([Pigeon]))])
    assert plugins.of_kind("notification_channels") == {"pigeon": Pigeon}
    assert plugins.plugins["post"].error == ""


def test_a_plugin_that_cannot_be_imported_is_named_and_the_rest_load(point: Make) -> None:
    broken = EntryPoint(name="broken", value="no_such_module_at_all", group="hub")
    plugins = Plugins([broken, point("post", notification_channels=returning([Pigeon]))])
    assert "no_such_module_at_all" in plugins.plugins["broken"].error
    assert "pigeon" in plugins.of_kind("notification_channels")


class Deaf(Connector[BaseModel]):
    """Cannot send."""

    name = "deaf"


class Greedy(Connector[BaseModel]):
    """Wants more than a message."""

    name = "greedy"

    def send(self, message: Message, urgency: int) -> Receipt:
        """Want more."""
        return Receipt()


class Slow(Connector[BaseModel]):
    """Sends in a coroutine that nobody awaits."""

    name = "slow"

    async def send(self, message: Message) -> Receipt:
        """Never run."""
        return Receipt()


async def coroutine() -> list[type]:
    """Return too late."""
    return [Pigeon]


@pytest.mark.parametrize(
    ("hooks", "why"),
    [
        ({"notification_channel": returning([Pigeon])}, "notification_channel"),
        ({"notification_channels": returning(Pigeon)}, "must return a list"),
        ({"notification_channels": returning([Deaf])}, "has no send"),
        ({"notification_channels": returning([Greedy])}, "urgency"),
        ({"notification_channels": returning([Slow])}, "coroutine"),
        ({"notification_channels": hookimpl(coroutine)}, "coroutine"),
        ({"notification_channels": returning([object])}, "no Connector class"),
    ],
    ids=[
        "misspelt",
        "no list",
        "no method",
        "extra parameter",
        "async method",
        "async hook",
        "any",
    ],
)
def test_a_plugin_that_breaks_the_contract_is_refused_by_name(
    point: Make, hooks: dict[str, object], why: str
) -> None:
    plugins = Plugins([point("bad", **hooks)])
    assert why in plugins.plugins["bad"].error
    assert plugins.of_kind("notification_channels") == {}


def test_two_plugins_cannot_bring_the_same_connector(point: Make) -> None:
    hooks = {"notification_channels": returning([Pigeon])}
    plugins = Plugins([point("one", **hooks), point("two", **hooks)])
    assert "belongs to one" in plugins.plugins["two"].error


def test_every_installed_plugin_loads() -> None:
    errors = {name: plugin.error for name, plugin in Plugins().plugins.items() if plugin.error}
    assert errors == {}


class HalfOpen(Pigeon):
    """Takes requests and never says what they mean."""

    name = "half_open"

    def receive(self, request: Incoming) -> Delivery:
        """Believe anything."""
        return Delivery()


def test_a_connector_with_half_a_trait_is_refused(point: Make) -> None:
    plugins = Plugins([point("post", notification_channels=returning([HalfOpen]))])
    error = plugins.plugins["post"].error
    assert error == "PluginError: HalfOpen has no unpack(), which Receiver needs"


class Shared(Pigeon):
    """The same name, another class."""

    name = "pigeon"


class Loose(Connector[BaseModel]):
    """Has settings that are no model."""

    name = "loose"
    Config = dict  # type: ignore[assignment]

    def send(self, message: Message) -> Receipt:
        """Pretend."""
        return Receipt()


class Untyped(Pigeon):
    """Has a setting of any type."""

    name = "untyped"

    class Config(BaseModel):
        """Anything goes."""

        url: Any = ""


class Opaque(Pigeon):
    """Has a setting that no form can show."""

    name = "opaque"

    class Config(BaseModel):
        """Holds a handle."""

        model_config = ConfigDict(arbitrary_types_allowed=True)
        handle: threading.Event


class Ready(Pigeon):
    """Says that its method is a property."""

    name = "ready"
    send = property(lambda self: None)  # type: ignore[assignment]


class Fewer(Connector[BaseModel]):
    """Takes no message."""

    name = "fewer"

    def send(self) -> Receipt:
        """Want nothing."""
        return Receipt()


class Streaming(Connector[BaseModel]):
    """Hands orders over in a way that nobody awaits."""

    name = "streaming"

    async def pull(self, cursor: Cursor) -> AsyncIterator[Order]:
        """Yield too late."""
        yield Order(ref="1")


def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that looks like another one."""

    @functools.wraps(function)
    def inner(*given: Any) -> Any:
        return function(*given)

    return inner


class Hidden(Connector[BaseModel]):
    """Hides a coroutine behind a decorator."""

    name = "hidden"
    send = wrapped(Slow.send)


@pytest.mark.parametrize(
    ("hooks", "why"),
    [
        ({"notification_channels": returning([Shared, Pigeon])}, "two connectors named pigeon"),
        ({"notification_channels": returning((Pigeon,))}, "must return a list"),
        ({"notification_channels": returning(None)}, "must return a list, not None"),
        ({"notification_channels": returning(["Pigeon"])}, "no Connector class"),
        ({"notification_channels": returning([Pigeon(NoSettings())])}, "no Connector class"),
        ({"notification_channels": hookimpl(lambda actor="nobody": [])}, "take no arguments"),
        ({"notification_channels": hookimpl(lambda *given: [])}, "take no arguments"),
        ({"notification_channels": hookimpl(lambda given: [])}, "given"),
        ({"notification_channels": lambda: [Pigeon]}, "put @hookimpl above it"),
        ({"renamed": hookimpl(specname="pod_sinks")(lambda: [])}, "name the function pod_sinks"),
        ({"notification_channels": hookimpl(Pigeon)}, "is no function"),
        ({"notification_channels": hookimpl(lambda: sys.exit(3))}, "SystemExit: 3"),
        ({"notification_channels": hookimpl(lambda: 1 // 0)}, "ZeroDivisionError"),
        ({"notification_channels": returning([Loose])}, "Loose.Config is no pydantic model"),
        ({"notification_channels": returning([Untyped])}, "Untyped.Config.url has no type"),
        ({"notification_channels": returning([Opaque])}, "Opaque.Config: no form can be made"),
        ({"notification_channels": returning([Ready])}, "Ready.send is no function"),
        ({"notification_channels": returning([Fewer])}, "too many positional arguments"),
        ({"notification_channels": returning([Hidden])}, "Hidden.send is a coroutine"),
        ({"order_sources": returning([Streaming])}, "Streaming.pull is a coroutine"),
        ({"position_sources": returning([Pigeon])}, "has no positions(), which position_sources"),
    ],
)
def test_whatever_else_breaks_the_contract_is_refused_by_name(
    point: Make, hooks: dict[str, object], why: str
) -> None:
    for name, function in hooks.items():
        if inspect.isfunction(function):
            function.__name__, function.__module__ = name, "made_bad"
    good = point("post", pod_sinks=returning([]))
    plugins = Plugins([point("bad", **hooks), good])
    assert why in plugins.plugins["bad"].error
    assert plugins.plugins["bad"].connectors == {}
    assert plugins.plugins["post"].error == ""
    assert [name for name, _ in plugins.manager.list_name_plugin()] == ["post"]


class Registered:
    """An object that would be asked for its properties while it is registered."""

    asked: ClassVar[list[str]] = []

    @property
    def notification_channels(self) -> object:
        """Be evaluated by one version of pluggy and not by another."""
        self.asked.append("notification_channels")
        return hookimpl(lambda: [Pigeon])


@pytest.mark.parametrize("held", [Registered(), Registered])
def test_what_is_no_module_is_refused_before_anything_of_it_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, held: object
) -> None:
    module = ModuleType("made_object")
    module.held = held  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "made_object", module)
    Registered.asked.clear()
    plugins = Plugins([EntryPoint(name="object", value="made_object:held", group="hub")])
    assert "has to name a module" in plugins.plugins["object"].error
    assert Registered.asked == []


@pytest.mark.parametrize(("code", "why"), [
    ("import sys; sys.exit('bye')", "SystemExit: bye"),
    ("class Odd(BaseException): pass\nraise Odd('odd')", "Odd: odd"),
    ("from pydantic import BaseModel\nclass Config(BaseModel):\n    url = ''", "PydanticUserError"),
    ("1 +", "SyntaxError"),
    ("import no_such_sdk", "no_such_sdk"),
])  # fmt: skip
def test_an_import_that_ends_in_any_way_is_named_and_the_rest_load(
    point: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, why: str
) -> None:
    (tmp_path / "made_broken.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "made_broken", raising=False)
    broken = EntryPoint(name="broken", value="made_broken", group="hub")
    plugins = Plugins([broken, point("post", notification_channels=returning([Pigeon]))])
    assert why in plugins.plugins["broken"].error
    assert "pigeon" in plugins.of_kind("notification_channels")


def test_whoever_stops_the_process_during_an_import_is_obeyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "made_slow.py").write_text("raise KeyboardInterrupt")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        Plugins([EntryPoint(name="slow", value="made_slow", group="hub")])


def test_of_two_plugins_with_one_name_the_first_loads_and_the_other_is_named(point: Make) -> None:
    class Goose(Pigeon):
        """Another bird."""

        name = "goose"

    first = point("post", notification_channels=returning([Pigeon]))
    module = ModuleType("made_other")
    module.notification_channels = returning([Goose])  # type: ignore[attr-defined]
    sys.modules["made_other"] = module
    try:
        second = EntryPoint(name="post", value="made_other", group="hub")
        plugins = Plugins([first, second])
    finally:
        del sys.modules["made_other"]
    assert set(plugins.of_kind("notification_channels")) == {"pigeon"}
    assert plugins.plugins["post"].error == ""
    assert plugins.plugins["post of made_other"].error.endswith("brings a plugin post")
