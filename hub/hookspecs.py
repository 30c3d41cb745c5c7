"""Every place to plug in, on one screen.

A hook takes nothing and returns a list. It is called once in each process that needs it. Of the
connector classes that most return, the hub makes one instance per configured connection and calls
that itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pluggy

from hub.capabilities import (
    Channel,
    Geocoder,
    OrderSource,
    PodSink,
    PositionSource,
    RoutingEngine,
    TravelTimes,
)

if TYPE_CHECKING:
    from click import Command
    from flask import Blueprint

    from hub.actions import Action

hookspec = pluggy.HookspecMarker("hub")
hookimpl = pluggy.HookimplMarker("hub")


@hookspec
def order_sources() -> list[type[OrderSource]]:  # type: ignore[empty-body]
    """Return classes that hand over orders: files, shops, accounting."""


@hookspec
def routing_engines() -> list[type[RoutingEngine]]:  # type: ignore[empty-body]
    """Return classes that turn a day's stops into routes."""


@hookspec
def travel_times() -> list[type[TravelTimes]]:  # type: ignore[empty-body]
    """Return classes that know how long it takes from place to place."""


@hookspec
def geocoders() -> list[type[Geocoder]]:  # type: ignore[empty-body]
    """Return classes that find the coordinates of an address."""


@hookspec
def notification_channels() -> list[type[Channel]]:  # type: ignore[empty-body]
    """Return classes that carry a message to a person."""


@hookspec
def pod_sinks() -> list[type[PodSink]]:  # type: ignore[empty-body]
    """Return classes that keep proofs of delivery outside the hub."""


@hookspec
def position_sources() -> list[type[PositionSource]]:  # type: ignore[empty-body]
    """Return classes that know where tracking devices are."""


@hookspec
def workflow_actions() -> list[Action]:  # type: ignore[empty-body]
    """Return what workflow steps can do besides what the hub brings, each `<plugin>.<verb>`."""


@hookspec
def workflow_functions() -> list[Callable[..., Any]]:  # type: ignore[empty-body]
    """Return pure functions for expressions, each named `<plugin>_<name>`, its types written."""


@hookspec
def blueprints() -> list[Blueprint]:  # type: ignore[empty-body]
    """Return pages of the plugin's own, mounted under `/plugins/<plugin>/`; for the web alone."""


@hookspec
def commands() -> list[Command]:  # type: ignore[empty-body]
    """Return commands of the plugin's own, run as `hub <plugin> <command>`."""
