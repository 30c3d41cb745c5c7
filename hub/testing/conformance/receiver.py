"""Checks of a receiver: it believes signed bytes only, makes no call, and names the delivery."""

from __future__ import annotations

import json
import re
import socket
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.errors import HubError, Rejected, Unauthorized
from hub.nouns import (
    Cancelled,
    Delivery,
    DeliveryReport,
    DevicePosition,
    Disconnected,
    InboundText,
    Incoming,
    Order,
    PrivacyRequest,
    RefusedRow,
)
from hub.testing.conformance.checks import demand
from hub.testing.conformance.ground import Ground, Outcome, calls_a_service
from hub.testing.conformance.scripted import ScriptedPeer

SECONDS = 0.2
"""Of the processor, for one verification; the other system waits for it."""
TOLD = (
    Order, Cancelled, RefusedRow, DevicePosition, DeliveryReport, InboundText, Disconnected,
    PrivacyRequest,
)  # fmt: skip
"""What a request may tell."""
NAMES = ", ".join(one.__name__ for one in TOLD[:-1]) + f" or {TOLD[-1].__name__}"
NUMBER = re.compile(r"\d")


def signs(kit: type[Ground]) -> bool:
    """Say whether a test class signs requests as the other system does."""
    return kit.signed is not Ground.signed


class ReceiverTests(Ground):
    """What holds for `receive` and `unpack`."""

    @pytest.fixture
    def request_(self, monkeypatch: pytest.MonkeyPatch) -> Incoming:
        """Return a request as the other system signs it; from here on nobody may be called."""
        self.called: list[str] = []

        def refuse(*given: Any, **named: Any) -> Any:
            self.called.append(str(given[-1] if given else ""))
            raise OSError("no call is made while a request waits for its answer")

        monkeypatch.setattr(socket.socket, "connect", refuse)
        monkeypatch.setattr(socket, "getaddrinfo", refuse)
        return self.signed(self.body) if signs(type(self)) else Incoming(at=datetime.now(UTC))

    @property
    def body(self) -> bytes:
        """The bytes that the other system sends."""
        return self.event if isinstance(self.event, bytes) else json.dumps(self.event).encode()

    def received(self, request: Incoming) -> Outcome:
        """Return what `receive` makes of a request."""
        return self.outcome("receive", request)

    def accepted(self, request: Incoming) -> Delivery:
        """Return the delivery of a request that has to be believed."""
        found = self.received(request)
        demand(
            isinstance(found.value, Delivery),
            f"{self.at('receive')} has to return a Delivery for what signed() of "
            f"{type(self).__name__} signs, but {found}; verify the signature over request.body",
            found.error,
        )
        delivery: Delivery = found.value
        return delivery

    def refused(self, request: Incoming, what: str) -> None:
        """Demand that a request is turned away."""
        found = self.received(request)
        demand(
            isinstance(found.error, Unauthorized | Rejected),
            f"{self.at('receive')} has to raise Unauthorized for {what}, but {found}; first "
            "of all verify the signature over request.body, with hmac.compare_digest",
            found.error,
        )

    def test_a_signed_request_is_accepted(self, request_: Incoming) -> None:
        """A request that the other system signed is a `Delivery`."""
        demand(
            signs(type(self)),
            f"write signed(body, secret) in {type(self).__name__}: it returns Incoming(body=body, "
            "headers={...}, at=...) with the signature that the other system makes with secret",
        )
        self.accepted(request_)

    def test_a_changed_body_is_refused(self, request_: Incoming) -> None:
        """One changed byte makes a signature worthless."""
        body = bytearray(request_.body or b" ")
        for place in {0, len(body) // 2, len(body) - 1}:
            changed = bytes([*body[:place], body[place] ^ 1, *body[place + 1 :]])
            self.refused(request_.model_copy(update={"body": changed}), "a body with another byte")
        longer = request_.model_copy(update={"body": request_.body + b" "})
        self.refused(longer, "a body with a blank more")

    def test_another_secret_is_refused(self, request_: Incoming) -> None:
        """A signature of somebody else is refused."""
        self.refused(
            self.signed(self.body, "somebody-elses-secret-1"), "another secret's signature"
        )

    def test_a_missing_signature_is_refused(self, request_: Incoming) -> None:
        """A request without headers, or with empty ones, is refused."""
        self.refused(request_.model_copy(update={"headers": {}}), "a request without headers")
        blank = dict.fromkeys(request_.headers, "")
        self.refused(request_.model_copy(update={"headers": blank}), "a request with empty headers")

    def test_strange_bytes_are_told(self, request_: Incoming) -> None:
        """An empty body, text that is no JSON and bytes that are no text raise no bare error."""
        for body in (b"", b"null", b"[]", b'{"half', b"\xff\xfe\x00"):
            request = self.signed(body)
            for verb in ("receive", "unpack"):
                found = self.outcome(verb, request)
                demand(
                    found.error is None or isinstance(found.error, HubError),
                    f"{self.at(verb)} breaks on the body {body!r}: {found}; raise Rejected in "
                    "words for people",
                    found.error,
                )
            unsigned = Incoming(body=body, at=request.at)
            self.refused(unsigned, f"the body {body!r} without a signature")

    def test_a_header_of_another_sort_is_told(self, request_: Incoming) -> None:
        """A signature header that is no signature is refused, not stumbled over."""
        for text in ("x", "é", "=" * 5_000, "t=,v1="):
            headers = dict.fromkeys(request_.headers, text)
            self.refused(
                request_.model_copy(update={"headers": headers}), f"headers of {text[:5]!r}"
            )

    def test_a_repeated_request_is_known_again(self, request_: Incoming) -> None:
        """The delivery is the same each time; without an id, its bytes name it."""
        first, again = self.accepted(request_), self.accepted(request_)
        demand(
            first == again,
            f"{self.at('receive')} names the same request in two ways: {first!r} and {again!r}; "
            "so a copy sent again counts as new; take id and signed_at from the request, or leave "
            "the id out: the hub then knows the bytes again",
        )
        demand(
            not first.id or first.id.isprintable(),
            f"{self.at('receive')} names the delivery {first.id!r}, which the hub does not take "
            "for a name; leave the id out or make it of letters and digits",
        )

    def test_the_time_of_signing_is_signed(self, request_: Incoming) -> None:
        """`signed_at` cannot be changed by changing a header."""
        first = self.accepted(request_)
        for name, value in request_.headers.items():
            if first.signed_at is None or not NUMBER.search(value):
                continue
            changed = NUMBER.sub(lambda digit: str((int(digit[0]) + 1) % 10), value)
            headers = {**request_.headers, name: changed}
            found = self.received(request_.model_copy(update={"headers": headers}))
            demand(
                found.error is not None or found.value.signed_at == first.signed_at,
                f"{self.at('receive')} believes a time in the header {name} that the signature "
                "does not cover, so an old request can be sent as a new one; leave signed_at out, "
                "or verify the signature over that header too",
            )

    def test_receiving_makes_no_call_and_is_quick(self, request_: Incoming) -> None:
        """It only looks at bytes: the other system waits for the answer."""
        began = time.process_time()
        self.accepted(request_)
        took = time.process_time() - began
        demand(
            not self.called,
            f"{self.at('receive')} makes a call ({', '.join(self.called)}); fetch what is needed "
            "in unpack, which runs in a worker",
        )
        demand(
            took < SECONDS,
            f"{self.at('receive')} takes {took:.2f} s of the processor; leave all but the "
            "signature to unpack",
        )

    def test_unpack_yields_nouns(self, peer: ScriptedPeer) -> None:
        """It yields orders, cancellations and whatever else a request may tell, nothing more."""
        url = peer.url if calls_a_service(type(self)) else ""
        found = self.outcome("unpack", self.signed(self.body), url=url)
        demand(
            isinstance(found.value, list) and all(isinstance(one, TOLD) for one in found.value),
            f"{self.at('unpack')} has to yield {NAMES} for the event of {type(self).__name__}, "
            f"but {found}",
            found.error,
        )
        demand(
            any(not isinstance(one, RefusedRow) for one in found.value),
            f"{self.at('unpack')} makes nothing of the event of {type(self).__name__}: {found}; "
            "give the class an event as the other system sends it",
        )
