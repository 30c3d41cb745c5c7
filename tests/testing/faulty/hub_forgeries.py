"""Faults of receivers and of consents; each class names the checks that have to see its own."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import hub_goods as good
from faulty import Faulty, brought

from hub import (
    Connect,
    Delivery,
    Grant,
    Http,
    HubError,
    Incoming,
    Rejected,
    hookimpl,
)


class Loose(Faulty, good.Hook):
    name = "loose"
    sees = ("test_a_changed_body_is_refused",)
    tells = "has to raise Unauthorized for a body with a blank more"

    def mac(self, body: bytes, at: str) -> str:
        return super().mac(body.strip(), at)


class Open(Faulty, good.Hook):
    name = "open"
    sees = ("test_a_missing_signature_is_refused", "test_strange_bytes_are_told")
    tells = "has to raise Unauthorized for .*; first of all verify the signature"

    def holds(self, request: Incoming, told: str, at: str) -> bool:
        return not told or super().holds(request, told, at)


class Keyed(Faulty, good.Hook):
    name = "keyed"
    sees = ("test_another_secret_is_refused",)
    tells = "has to raise Unauthorized for another secret's signature"

    def holds(self, request: Incoming, told: str, at: str) -> bool:
        known = ("somebody-elses-secret-1", self.config.token.get_secret_value())
        macs = [hmac.new(k.encode(), f"{at}.".encode() + request.body, "sha256") for k in known]
        return any(hmac.compare_digest(told.encode(), m.hexdigest().encode()) for m in macs)


class Stumbling(Faulty, good.Hook):
    name = "stumbling"
    sees = ("test_a_header_of_another_sort_is_told",)
    tells = "it raised ValueError"

    def holds(self, request: Incoming, told: str, at: str) -> bool:
        return hmac.compare_digest(bytes.fromhex(told), bytes.fromhex(self.mac(request.body, at)))


class Fickle(Faulty, good.Hook):
    name = "fickle"
    sees = ("test_a_repeated_request_is_known_again",)
    tells = "names the same request in two ways"

    def receive(self, request: Incoming) -> Delivery:
        super().receive(request)
        return Delivery(id=uuid4().hex)


class Strange(Faulty, good.Hook):
    name = "strange"
    sees = ("test_a_repeated_request_is_known_again",)
    tells = "the hub does not take for a name; leave the id out"

    def receive(self, request: Incoming) -> Delivery:
        super().receive(request)
        return Delivery(id="event\n1")


class Timeless(Faulty, good.Hook):
    name = "timeless"
    sees = ("test_the_time_of_signing_is_signed",)
    tells = "believes a time in the header x-at that the signature does not cover"

    def mac(self, body: bytes, at: str) -> str:
        return super().mac(body, "")


class Calling(Faulty, good.Hook):
    name = "calling"
    sees = ("test_receiving_makes_no_call_and_is_quick",)
    tells = "fetch what is needed in unpack, which runs in a worker"

    def receive(self, request: Incoming) -> Delivery:
        delivery = super().receive(request)
        try:
            Http("https://service.example").get("/keys")
        except HubError:
            pass
        return delivery


class Halved(Faulty, good.Hook):
    name = "halved"
    sees = ("test_strange_bytes_are_told",)
    tells = "breaks on the body .*; raise Rejected in words for people"

    def read(self, request: Incoming) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(request.body) if request.body else {}
        return found if isinstance(found, dict) else {}


class Raw(Faulty, good.Hook):
    name = "raw"
    sees = ("test_unpack_yields_nouns",)
    tells = "has to yield Order, Cancelled, .* or PrivacyRequest"

    def unpack(self, request: Incoming) -> Iterator[Any]:
        yield self.read(request)


class Stateless(Faulty, good.Consent):
    name = "stateless"
    sees = ("test_the_consent_page_carries_state_and_challenge",)
    tells = "leaves out or changes state, redirect_uri; quote each"

    def authorize(self, connect: Connect) -> str:
        found = super().authorize(connect.model_copy(update={"state": "", "redirect_url": "/"}))
        return found


class Unproven(Faulty, good.Consent):
    name = "unproven"
    sees = ("test_the_code_is_exchanged_with_its_verifier",)
    tells = "does not send the verifier in the body"

    def granted(self, **asked: str) -> Grant:
        return super().granted(**{n: v for n, v in asked.items() if n != "code_verifier"})


class Worn(Faulty, good.Consent):
    name = "worn"
    sees = ("test_a_rotated_token_is_granted",)
    tells = "drops the new refresh token, so the next renewal fails"

    def grant(self, found: dict[str, Any]) -> Grant:
        return Grant(settings={"token": found["access_token"]})


class Hopeful(Faulty, good.Consent):
    name = "hopeful"
    sees = ("test_a_refusal_to_renew_is_unauthorized",)
    tells = "has to raise Unauthorized for 400 invalid_grant"

    def gone(self, error: Rejected) -> Exception:
        return error


class Foreign(Faulty, good.Consent):
    name = "foreign"
    sees = ("test_what_is_granted_fits_the_settings",)
    tells = "grants scope, which its Config does not have"

    def grant(self, found: dict[str, Any]) -> Grant:
        made = super().grant(found)
        return made.model_copy(update={"settings": {**made.settings, "scope": found["scope"]}})


class Boasting(Faulty, good.Consent):
    name = "boasting"
    sees = ("test_a_grant_shows_no_token", "test_no_secret_comes_out")
    tells = "puts a token into account or scopes of its Grant|holds the new token in clear"

    def grant(self, found: dict[str, Any]) -> Grant:
        return super().grant(found).model_copy(update={"account": found["access_token"]})


@hookimpl
def notification_channels() -> list[type[Any]]:
    return brought(__name__, good.Channel)
