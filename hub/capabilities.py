"""What a connector class can be: small protocols, one noun in, one noun out.

The first seven are what hooks return. The others are traits: a connector of any kind may have them
as well, and then has the whole of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, runtime_checkable

from hub.nouns import (
    Address,
    Callback,
    Cancelled,
    Connect,
    Cursor,
    Delivery,
    DeliveryReport,
    DeliveryStatus,
    DevicePosition,
    Disconnected,
    Found,
    Grant,
    Hook,
    InboundText,
    Incoming,
    Legs,
    Location,
    Matrix,
    Message,
    Order,
    Plan,
    PrivacyRequest,
    Problem,
    Proof,
    Receipt,
    RefusedRow,
    Subscribed,
    Trip,
    Way,
)


@runtime_checkable
class OrderSource(Protocol):
    """Hands over orders; after each `Cursor` it yields, what came before may be committed."""

    def pull(self, cursor: Cursor) -> Iterator[Order | Cancelled | RefusedRow | Cursor]: ...


@runtime_checkable
class RoutingEngine(Protocol):
    """Turns a problem into routes; what does not fit is listed with a reason, never raised.

    Its class says in `Connector.features` what it keeps beyond one window, one load, the shift and
    the capacity. What it does not keep the hub mends afterwards, by taking stops out.
    """

    def plan(self, problem: Problem) -> Plan: ...


@runtime_checkable
class TravelTimes(Protocol):
    """Says how long and how far it is between points."""

    def matrix(self, legs: Legs) -> Matrix: ...


@runtime_checkable
class Geocoder(Protocol):
    """Finds the place of an address, or `None` when it does not know it."""

    def locate(self, address: Address) -> Location | None: ...


@runtime_checkable
class Channel(Protocol):
    """Sends a message once per `message.key` where the provider can tell."""

    def send(self, message: Message) -> Receipt: ...


@runtime_checkable
class PodSink(Protocol):
    """Keeps a proof of delivery; storing a proof with the same key again changes nothing."""

    def store(self, proof: Proof) -> Receipt: ...


@runtime_checkable
class PositionSource(Protocol):
    """Hands over positions of tracking devices; after each `Cursor`, what came before is safe."""

    def positions(self, cursor: Cursor) -> Iterator[DevicePosition | Cursor]: ...


@runtime_checkable
class Receiver(Protocol):
    """Takes requests that the other system sends to the connection's own address."""

    def receive(self, request: Incoming) -> Delivery:
        """Verify the signature over `request.body` and name the delivery.

        It runs in the web process before the answer, so it only looks at bytes: no call, no file.
        Raise `Unauthorized` for a signature that does not hold, `Rejected` for what makes no
        sense; compare with `hmac.compare_digest`.
        """
        ...

    def unpack(
        self, request: Incoming
    ) -> Iterator[
        Order
        | Cancelled
        | RefusedRow
        | DevicePosition
        | DeliveryReport
        | InboundText
        | Disconnected
        | PrivacyRequest
    ]:
        """Yield what a verified request tells; it runs in a worker and may fetch what it names."""
        ...


@runtime_checkable
class Subscriber(Protocol):
    """Sets up the other system's webhooks by itself, and mends them."""

    def subscribe(self, hook: Hook) -> Subscribed:
        """Make sure that every webhook exists, is active and points at the hook, each once.

        It runs in a worker when the connection is enabled and with every check after that.
        """
        ...

    def unsubscribe(self, hook: Hook) -> None:
        """Take back what `subscribe` made; what is gone already is no error."""
        ...


@runtime_checkable
class StatusSink(Protocol):
    """Tells the system that an order came from how its delivery goes."""

    def tell(self, status: DeliveryStatus) -> Receipt:
        """Pass the news on, once per `status.key`.

        News may come late, twice and in another order than things happened: look first at what
        is there, make what an earlier one should have made, and leave what is further alone.
        """
        ...


@runtime_checkable
class ReportSource(Protocol):
    """Hands over what became of messages; after each `Cursor`, what came before is safe."""

    def reports(self, cursor: Cursor) -> Iterator[DeliveryReport | InboundText | Cursor]: ...


@runtime_checkable
class AnytimeEngine(Protocol):
    """An engine that tells what it has found so far, and can be stopped with that."""

    def search(self, problem: Problem, report: Callable[[Found], bool]) -> Plan:
        """Plan, and call `report` with each better find; once it says False, end with the best."""
        ...


@runtime_checkable
class Directions(Protocol):
    """Travel times that also know the way itself: its line and what to do at each corner."""

    def directions(self, trip: Trip) -> Way: ...


@runtime_checkable
class OAuth(Protocol):
    """Connects by a consent page; the hub keeps state and PKCE, locks the renewal and saves it."""

    def authorize(self, connect: Connect) -> str:
        """Return the address of the consent page; it makes no call."""
        ...

    def exchange(self, callback: Callback) -> Grant:
        """Turn the code into tokens; runs in a worker."""
        ...

    def refresh(self) -> Grant:
        """Renew the tokens, one worker at a time; `Unauthorized` when the consent is gone."""
        ...
