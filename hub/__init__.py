"""The plugin author's API: names only, each resolved when it is first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.actions import Action, ActionInput, ActionOutput, Inside, Outward
    from hub.budget import Budget
    from hub.capabilities import (
        AnytimeEngine,
        Channel,
        Directions,
        Geocoder,
        OAuth,
        OrderSource,
        PodSink,
        PositionSource,
        Receiver,
        ReportSource,
        RoutingEngine,
        StatusSink,
        Subscriber,
        TravelTimes,
    )
    from hub.connector import Connector
    from hub.deadlines import beat
    from hub.errors import HubError, PluginError, Rejected, Retry, Unauthorized, Unknown
    from hub.hookspecs import hookimpl
    from hub.http import GuardedPool, Http, Url, calling, guard
    from hub.nouns import (
        Address,
        Break,
        Callback,
        Cancelled,
        Connect,
        Costs,
        Cursor,
        Delivery,
        DeliveryReport,
        DeliveryStatus,
        DevicePosition,
        Disconnected,
        Feature,
        Fix,
        Found,
        Grant,
        Grid,
        HandedLine,
        Hook,
        InboundText,
        Incoming,
        Legs,
        Loads,
        Location,
        Maneuver,
        Matrix,
        Message,
        Money,
        Order,
        OrderLine,
        Pause,
        Plan,
        PlannedRoute,
        PrivacyRequest,
        Problem,
        ProblemStop,
        ProblemVehicle,
        Profile,
        Proof,
        ProofFile,
        Receipt,
        Recipient,
        RefusedRow,
        Relaxation,
        Reloads,
        Rule,
        Shipment,
        Subscribed,
        TimeWindow,
        Trip,
        Unserved,
        Visit,
        Way,
        WayLeg,
        Window,
    )
    from hub.oauth import Kept, TokenClient
    from hub.planning.answer import balanced
    from hub.verdicts import judge, understood
    from hub.web.policy import allow

__version__ = "0.1.0"

_HOMES = {
    "hub.actions": "Action ActionInput ActionOutput Inside Outward",
    "hub.capabilities": "AnytimeEngine Channel Directions Geocoder OAuth OrderSource PodSink "
    "PositionSource Receiver ReportSource RoutingEngine StatusSink Subscriber TravelTimes",
    "hub.connector": "Connector",
    "hub.deadlines": "beat",
    "hub.errors": "HubError PluginError Rejected Retry Unauthorized Unknown",
    "hub.hookspecs": "hookimpl",
    "hub.budget": "Budget",
    "hub.http": "GuardedPool Http Url calling guard",
    "hub.nouns": "Address Break Callback Cancelled Connect Costs Cursor Delivery DeliveryReport "
    "DeliveryStatus DevicePosition Disconnected Feature Fix Found Grant Grid HandedLine Hook "
    "InboundText Incoming Legs Loads Location Maneuver Matrix Message Money Order OrderLine Pause "
    "Plan PlannedRoute PrivacyRequest Problem ProblemStop ProblemVehicle Profile Proof ProofFile "
    "Receipt Recipient RefusedRow Relaxation Reloads Rule Shipment Subscribed TimeWindow Trip "
    "Unserved Visit Way WayLeg Window",
    "hub.oauth": "Kept TokenClient",
    "hub.planning.answer": "balanced",
    "hub.verdicts": "judge understood",
    "hub.web.policy": "allow",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [  # noqa: RUF022 - grouped by what they are for
    "AnytimeEngine", "Channel", "Directions", "Geocoder", "OAuth", "OrderSource", "PodSink",
    "PositionSource", "Receiver", "ReportSource", "RoutingEngine", "StatusSink", "Subscriber",
    "TravelTimes",
    "Budget", "Connector", "GuardedPool", "Http", "Kept", "TokenClient", "Url", "balanced", "beat",
    "calling", "guard", "hookimpl", "judge", "understood",
    "Action", "ActionInput", "ActionOutput", "Inside", "Outward", "allow",
    "HubError", "PluginError", "Rejected", "Retry", "Unauthorized", "Unknown",
    "Address", "Break", "Callback", "Cancelled", "Connect", "Costs", "Cursor", "Delivery",
    "DeliveryReport", "DeliveryStatus", "DevicePosition", "Disconnected", "Feature", "Fix",
    "Found", "Grant", "Grid", "HandedLine", "Hook", "InboundText", "Incoming", "Legs", "Loads",
    "Location", "Maneuver", "Matrix", "Message", "Money", "Order", "OrderLine", "Pause", "Plan",
    "PlannedRoute", "PrivacyRequest", "Problem", "ProblemStop", "ProblemVehicle", "Profile",
    "Proof", "ProofFile", "Receipt", "Recipient", "RefusedRow", "Relaxation", "Reloads", "Rule",
    "Shipment", "Subscribed", "TimeWindow", "Trip", "Unserved", "Visit", "Way", "WayLeg", "Window",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'hub' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
