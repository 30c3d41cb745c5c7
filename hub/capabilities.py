"""What a connector class can be: one-method protocols, one noun in, one noun out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from hub.nouns import (
    Address,
    Cursor,
    Legs,
    Location,
    Matrix,
    Message,
    Order,
    Plan,
    Problem,
    Proof,
    Receipt,
    RefusedRow,
)


@runtime_checkable
class OrderSource(Protocol):
    """Hands over orders; after each `Cursor` it yields, what came before may be committed."""

    def pull(self, cursor: Cursor) -> Iterator[Order | RefusedRow | Cursor]: ...


@runtime_checkable
class RoutingEngine(Protocol):
    """Turns a problem into routes; what does not fit is listed with a reason, never raised."""

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
