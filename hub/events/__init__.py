"""What happened: typed, in the transaction that made it so, numbered without gaps."""

from hub.events.catalogue import Event, catalogue
from hub.events.facts import CustomerFacts, MerchantFacts, OrderFacts, RouteFacts, StopFacts
from hub.events.log import after, append, append_all, erase, number, persons

__all__ = [
    "CustomerFacts",
    "Event",
    "MerchantFacts",
    "OrderFacts",
    "RouteFacts",
    "StopFacts",
    "after",
    "append",
    "append_all",
    "catalogue",
    "erase",
    "number",
    "persons",
]
