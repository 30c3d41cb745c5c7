"""Checks of what a connector makes of a service's answers, of their absence, and of its address."""

from __future__ import annotations

import http.client
import socket
from typing import Any

import pytest

from hub.connector import Connector
from hub.errors import Rejected, Retry, Unauthorized, Unknown
from hub.http import LARGEST_REPLY
from hub.testing.conformance import ground
from hub.testing.conformance.checks import demand, only
from hub.testing.conformance.ground import Ground, Outcome, calls_a_service, verbs
from hub.testing.conformance.scripted import ScriptedPeer, always
from hub.testing.peers import Reply

NO_DATA = {
    "a page": Reply(200, {}, {"Content-Type": "text/html"}, content=b"<html>Welcome</html>"),
    "nothing": Reply(200, {}, content=b" "),
    "half of it": Reply(200, {}, content=b'{"id": 1, "items": [{"na'),
    "too much": Reply(200, {}, content=b"[" + b"1," * (LARGEST_REPLY // 2) + b"1]"),
}
"""Answers that hold no data, each by what came."""
SHAPES = {"null": b"null", "a list": b"[1]", "an object": b'{"unexpected": true}', "a text": b'"x"'}
"""JSON that is not what was asked for."""
HTTP = "call it through hub.Http, or wrap the SDK's call in hub.calling(...) and hub.judge(...)"
LONGEST = 60
"""Seconds that one call may wait."""


def asks(kit: type[Ground]) -> bool:
    """Say whether a connector has a method of its own that calls the service."""
    return calls_a_service(kit) and bool(verbs(kit))


def is_local(kit: type[Ground]) -> bool:
    """Say whether a connector has no setting for the address of a service."""
    return not calls_a_service(kit)


def writes(kit: type[Ground]) -> bool:
    """Say whether a connector changes something in a service."""
    return calls_a_service(kit) and any(verb in ground.WRITES for verb in verbs(kit))


class WireTests(Ground):
    """What holds for every call of a service."""

    def failed(self, peer: ScriptedPeer, verb: str) -> Outcome:
        """Call a method that has to fail, and see that it asked the service at all."""
        found = self.outcome(verb, url=peer.url)
        demand(
            peer.requests,
            f"{self.at(verb)} sent no request, {found}; give {type(self).__name__} settings and "
            "samples (config, message, proof, answers) with which it asks the service",
            found.error,
        )
        return found

    @only(is_local)
    def test_a_test_can_stand_in_for_its_service(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The address of the service it calls over HTTP is a setting."""
        called: list[str] = []

        def refuse(connection: http.client.HTTPConnection) -> None:
            called.append(connection.host)
            raise ConnectionRefusedError

        monkeypatch.setattr(http.client.HTTPConnection, "connect", refuse)
        monkeypatch.setattr("hub.http.CheckedConnection.connect", refuse)
        for verb in verbs(type(self)):
            self.outcome(verb)
            demand(
                not called,
                f"{self.at(verb)} calls {', '.join(called)}, which no setting names; give its "
                "Config a url: Url with this default, so that tests can be asked instead",
            )

    @only(calls_a_service)
    def test_check_asks_the_service(self, peer: ScriptedPeer) -> None:
        """`check` makes an authenticated call, and takes a good answer."""
        kind = self.connector
        demand(
            kind.check is not Connector.check,
            f"{kind.__qualname__} has no check(); make the cheapest call in it that needs the "
            "credentials, so that a wrong one is seen before it is saved",
        )
        found = self.outcome("check", url=peer.url)
        demand(
            found.error is None,
            f"{self.at('check')} fails although the service answers: {found}; write what it "
            'answers into answers = {"check": [...]}',
            found.error,
        )
        demand(peer.requests, f"{self.at('check')} asks nobody; make the cheapest call in it")

    def test_refused_credentials_are_unauthorized(self, peer: ScriptedPeer, verb: str) -> None:
        """401 and 403 raise `Unauthorized`, which pauses the connection."""
        for status in (401, 403):
            peer.reply = always(Reply(status, {"error": "no"}))
            found = self.failed(peer, verb)
            demand(
                isinstance(found.error, Unauthorized),
                f"{self.at(verb)} has to raise Unauthorized for status {status}, but {found}; "
                f"{HTTP}",
                found.error,
            )

    def test_a_rate_limit_is_a_retry_after_the_time_it_names(
        self, peer: ScriptedPeer, verb: str
    ) -> None:
        """429 raises `Retry` with the seconds of Retry-After, and is not repeated in the call."""
        peer.reply = lambda _: Reply(429, {"error": "slowly"}, {"Retry-After": "7"})
        found = self.failed(peer, verb)
        demand(
            isinstance(found.error, Retry) and found.error.after == 7,
            f"{self.at(verb)} has to raise Retry(after=7) for a 429 with Retry-After: 7, but "
            f"{found}; {HTTP}",
            found.error,
        )
        self.once(peer, verb, "a 429")

    def test_a_broken_service_is_a_retry(self, peer: ScriptedPeer, verb: str) -> None:
        """500 and 503 raise `Retry`; after a request that changes something, `Unknown`."""
        for status in (500, 503):
            peer.requests.clear()
            peer.reply = always(Reply(status, {"error": "broken"}))
            self.doubted(peer, verb, self.failed(peer, verb), f"status {status}")
            self.once(peer, verb, f"status {status}")

    def test_a_lost_answer_is_a_retry_or_unknown(self, peer: ScriptedPeer, verb: str) -> None:
        """A connection that breaks after sending is `Retry` for reading, `Unknown` for writing."""
        peer.reply = lambda _: None
        self.doubted(peer, verb, self.failed(peer, verb), "an answer that never came")
        self.once(peer, verb, "an answer that never came")

    @only(writes)
    def test_a_write_whose_answer_was_lost_is_unknown(
        self, peer: ScriptedPeer, writing: str
    ) -> None:
        """The first write whose answer is lost raises `Unknown`; doing it again then succeeds."""
        made = self.built(peer.url)
        peer.reply = lambda request: self.serve(request) if self.reads(request) else None
        found = self.outcome(writing, made=made)
        demand(
            isinstance(found.error, Unknown),
            f"{self.at(writing)} has to raise Unknown when its answer is lost, but {found}, so "
            f"the hub would do it twice or not at all; {HTTP}",
            found.error,
        )
        peer.reply = self.serve
        again = self.outcome(writing, made=made)
        demand(
            again.error is None,
            f"{self.at(writing)} fails when it is done again after a lost answer: {again}; what "
            "was done already counts as done",
            again.error,
        )

    def test_a_dead_network_is_a_retry(
        self, peer: ScriptedPeer, verb: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No connection raises `Retry`: nothing was sent."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{port}")
        found = self.outcome(verb, url=f"http://127.0.0.1:{port}")
        demand(
            isinstance(found.error, Retry),
            f"{self.at(verb)} has to raise Retry when the service cannot be reached, but {found}; "
            f"{HTTP}",
            found.error,
        )

    def test_a_private_address_is_refused(
        self, peer: ScriptedPeer, verb: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An address inside the operator's network is not called unless it was opened."""
        made = self.built(peer.url)
        monkeypatch.delenv("HUB_ALLOW_ADDRESSES")
        found = self.outcome(verb, made=made)
        renews = verb in ground.TOKENS and found.error is not None and found.is_told
        demand(
            (isinstance(found.error, Rejected) or renews) and not peer.requests,
            f"{self.at(verb)} called a private address or did not say so, {found}; call it through "
            "hub.Http, or give the SDK a hub.GuardedPool",
            found.error,
        )

    def test_a_redirect_is_not_followed(self, peer: ScriptedPeer, verb: str) -> None:
        """A redirect is an error: the credentials stay with the host that was named."""
        peer.reply = lambda _: Reply(302, {}, {"Location": f"{peer.url}/elsewhere"})
        found = self.failed(peer, verb)
        followed = [request for request in peer.requests if request.path == "/elsewhere"]
        demand(
            not followed and found.error is not None and found.is_told,
            f"{self.at(verb)} has to fail on a redirect without following it, but {found}; {HTTP}",
            found.error,
        )

    def test_every_call_has_a_time_limit(
        self, peer: ScriptedPeer, verb: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No call waits longer than a minute."""
        limits: list[float | None] = []
        genuine = http.client.HTTPConnection.getresponse

        def watched(connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
            limits.append(connection.sock.gettimeout())
            return genuine(connection)

        monkeypatch.setattr(http.client.HTTPConnection, "getresponse", watched)
        peer.reply = lambda _: Reply(500, {})
        self.failed(peer, verb)
        endless = [limit for limit in limits if limit is None or not 0 < limit <= LONGEST]
        demand(
            limits and not endless,
            f"{self.at(verb)} waits without an end or longer than {LONGEST} s; call it through "
            "hub.Http, or give the SDK's call a timeout",
        )

    def test_an_answer_without_data_is_an_error(self, peer: ScriptedPeer, verb: str) -> None:
        """A page, nothing, half of it or too much raises one of the hub's errors."""
        for came, reply in NO_DATA.items():
            peer.requests.clear()
            peer.reply = always(reply)
            self.demand_told(peer, verb, came)

    def demand_told(self, peer: ScriptedPeer, verb: str, came: str) -> None:
        """Fail where what came instead of data is taken for data, or for a fault of the hub."""
        found = self.failed(peer, verb)
        demand(
            found.is_told,
            f"{self.at(verb)} lets through what its parser raises when {came} comes instead of "
            f"data: {found}; catch it and raise Rejected or Retry in words for people",
            found.error,
        )
        demand(
            verb in ("check", *ground.WRITES) or found.error is not None,
            f"{self.at(verb)} takes {came} for an answer, {found}; raise Rejected, or what is "
            "there would be taken for nothing",
        )
        again = isinstance(found.error, Retry) and verb in ground.WRITES
        demand(
            not again or self.reads(peer.requests[-1]),
            f"{self.at(verb)} asks for a retry although the service answered 200 with {came}; "
            "raise Unknown, because it may have been done",
            found.error,
        )

    def test_an_answer_of_another_shape_is_told(self, peer: ScriptedPeer, verb: str) -> None:
        """JSON of another shape raises one of the hub's errors, never a `KeyError`."""
        for shape, content in SHAPES.items():
            peer.reply = always(Reply(200, content=content))
            found = self.failed(peer, verb)
            demand(
                found.is_told,
                f"{self.at(verb)} breaks when {shape} comes instead of what it asked for: {found}; "
                "look before you take it apart, and raise Rejected or Unknown in words for people",
                found.error,
            )

    def doubted(self, peer: ScriptedPeer, verb: str, found: Outcome, what: str) -> None:
        """Demand `Retry`, or `Unknown` where something may have been changed."""
        last = peer.requests[-1].method
        asked = self.reads(peer.requests[-1])
        allowed: tuple[type[Any], ...] = (Retry,)
        if verb in ground.TOKENS or (verb in ground.WRITES and asked):
            allowed = (Retry, Unknown)
        elif verb in ground.WRITES:
            allowed = (Unknown,)
        names = " or ".join(kind.__name__ for kind in allowed)
        demand(
            isinstance(found.error, allowed),
            f"{self.at(verb)} has to raise {names} for {what} after a {last}, but {found}; {HTTP}",
            found.error,
        )

    def once(self, peer: ScriptedPeer, verb: str, what: str) -> None:
        """Demand that a failed request was sent a single time."""
        count = len(peer.requests)
        demand(
            count == 1,
            f"{self.at(verb)} sent {count} requests after {what}; never repeat inside a call: "
            "switch the SDK's own retries off and let the hub come back",
        )
