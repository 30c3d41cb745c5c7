"""The frozen nouns that cross a plugin's edge.

Coordinates are WGS84 degrees, distances metres, durations whole seconds, instants aware UTC,
money Decimal with an ISO 4217 currency, phones E.164 (or as typed, where they come from a shop).
"""

from __future__ import annotations

from hub.nouns.consent import Callback, Connect, Grant
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
    Leg,
    Legs,
    Matrix,
    Plan,
    PlannedRoute,
    Problem,
    ProblemStop,
    ProblemVehicle,
    Unserved,
    Visit,
)
from hub.nouns.positions import DevicePosition, Fix
from hub.nouns.proofs import DeliveryStatus, HandedLine, Outcome, Progress, Proof, ProofFile
from hub.nouns.webhooks import Delivery, Disconnected, Hook, Incoming, PrivacyRequest, Subscribed

__all__ = [
    "Address",
    "Callback",
    "Cancelled",
    "Connect",
    "Cursor",
    "Delivery",
    "DeliveryReport",
    "DeliveryStatus",
    "DevicePosition",
    "Disconnected",
    "Fix",
    "Grant",
    "HandedLine",
    "Hook",
    "InboundText",
    "Incoming",
    "Json",
    "Kind",
    "Leg",
    "Legs",
    "Location",
    "Matrix",
    "Message",
    "Money",
    "Noun",
    "Order",
    "OrderLine",
    "Outcome",
    "Plan",
    "PlannedRoute",
    "PrivacyRequest",
    "Problem",
    "ProblemStop",
    "ProblemVehicle",
    "Progress",
    "Proof",
    "ProofFile",
    "Receipt",
    "Recipient",
    "RefusedRow",
    "Subscribed",
    "TimeWindow",
    "Unserved",
    "Visit",
]
