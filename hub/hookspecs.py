"""Every place to plug in, on one screen.

A hook takes nothing and returns connector classes. It is called once per process, when the hub
starts; the hub then makes one instance per configured connection and calls that itself.
"""

from __future__ import annotations

import pluggy

from hub.capabilities import Channel, Geocoder, OrderSource, PodSink, RoutingEngine, TravelTimes

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
