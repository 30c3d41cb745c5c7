"""Plugins are found and verified; a bad one is named and the rest load."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest
from pydantic import BaseModel

from hub.connector import Connector
from hub.hookspecs import hookimpl
from hub.nouns import Delivery, Incoming, Message, Receipt
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
