"""The frozen nouns that cross a plugin's edge.

Coordinates are WGS84 degrees, distances metres, durations whole seconds, instants aware UTC,
money Decimal with an ISO 4217 currency, phones E.164 (or as typed, where they come from a shop).
"""

from __future__ import annotations

from hub.nouns.consent import Callback, Connect, Grant
from hub.nouns.grid import Grid
from hub.nouns.messages import DeliveryReport, InboundText, Message, Receipt
from hub.nouns.noun import Json, Noun
from hub.nouns.orders import (
    Address,
    Cancelled,
    Cursor,
    Kind,
    Location,
    Money,
    Order,
    OrderLine,
    Recipient,
    RefusedRow,
    TimeWindow,
)
from hub.nouns.plans import (
    Break,
    Costs,
    Feature,
    Found,
    Loads,
    Pause,
    Plan,
    PlannedRoute,
    Problem,
    ProblemStop,
    ProblemVehicle,
    Relaxation,
    Reloads,
    Rule,
    Shipment,
    Unserved,
    Visit,
    Window,
)
from hub.nouns.positions import DevicePosition, Fix
from hub.nouns.proofs import DeliveryStatus, HandedLine, Outcome, Progress, Proof, ProofFile
from hub.nouns.ways import Legs, Maneuver, Matrix, Profile, Trip, Way, WayLeg
from hub.nouns.webhooks import Delivery, Disconnected, Hook, Incoming, PrivacyRequest, Subscribed

__all__ = [
    "Address",
    "Break",
    "Callback",
    "Cancelled",
    "Connect",
    "Costs",
    "Cursor",
    "Delivery",
    "DeliveryReport",
    "DeliveryStatus",
    "DevicePosition",
    "Disconnected",
    "Feature",
    "Fix",
    "Found",
    "Grant",
    "Grid",
    "HandedLine",
    "Hook",
    "InboundText",
    "Incoming",
    "Json",
    "Kind",
    "Legs",
    "Loads",
    "Location",
    "Maneuver",
    "Matrix",
    "Message",
    "Money",
    "Noun",
    "Order",
    "OrderLine",
    "Outcome",
    "Pause",
    "Plan",
    "PlannedRoute",
    "PrivacyRequest",
    "Problem",
    "ProblemStop",
    "ProblemVehicle",
    "Profile",
    "Progress",
    "Proof",
    "ProofFile",
    "Receipt",
    "Recipient",
    "RefusedRow",
    "Relaxation",
    "Reloads",
    "Rule",
    "Shipment",
    "Subscribed",
    "TimeWindow",
    "Trip",
    "Unserved",
    "Visit",
    "Way",
    "WayLeg",
    "Window",
]
