"""Checks of a connector that is connected by a consent page (OAuth)."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from pydantic import ValidationError

from hub.errors import Unauthorized
from hub.nouns import Grant
from hub.testing.conformance import samples
from hub.testing.conformance.checks import demand
from hub.testing.conformance.ground import Ground, calls_a_service, said
from hub.testing.conformance.scripted import ScriptedPeer
from hub.testing.peers import Reply


class OAuthTests(Ground):
    """What holds for `authorize`, `exchange` and `refresh`."""

    def granted(self, verb: str, peer: ScriptedPeer) -> Grant:
        """Return what a token call grants."""
        found = self.outcome(verb, url=peer.url if calls_a_service(type(self)) else "")
        demand(
            isinstance(found.value, Grant),
            f"{self.at(verb)} has to return a Grant when the service gives tokens, but {found}; "
            f'if it answers in another way, write answers = {{"{verb}": [...]}}',
            found.error,
        )
        demand(
            peer.requests,
            f"{self.at(verb)} did not ask the test's service; let places of "
            f"{type(self).__name__} name the setting that holds the address of the token endpoint",
        )
        grant: Grant = found.value
        return grant

    def test_the_consent_page_carries_state_and_challenge(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The address has the hub's state, redirect address and S256 challenge, and no secret."""
        called: list[Any] = []
        monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **named: called.append(given))
        found = self.outcome("authorize", samples.CONNECT)
        where = self.at("authorize")
        demand(
            isinstance(found.value, str) and urlsplit(found.value).scheme in ("https", "http"),
            f"{where} has to return the address of the consent page, but {found}",
            found.error,
        )
        demand(not called, f"{where} makes a call; build the address from the settings alone")
        asked = {name: values[-1] for name, values in parse_qs(urlsplit(found.value).query).items()}
        wanted = {
            "state": samples.CONNECT.state,
            "redirect_uri": samples.CONNECT.redirect_url,
            "code_challenge": samples.CONNECT.challenge,
            "code_challenge_method": "S256",
            "response_type": "code",
        }
        wrong = [name for name, value in wanted.items() if asked.get(name) != value]
        demand(
            not wrong,
            f"{where} leaves out or changes {', '.join(wrong)}; quote each with "
            "urllib.parse.urlencode, as RFC 6749 and RFC 7636 name them",
        )
        shown = [
            name for spelling, name in self.spelt().items() if spelling in unquote(found.value)
        ]
        demand(not shown, f"{where} puts {', '.join(set(shown))} into an address that people see")

    def test_the_code_is_exchanged_with_its_verifier(self, peer: ScriptedPeer) -> None:
        """The token call has the code, the verifier and the redirect address."""
        self.granted("exchange", peer)
        told = " ".join(text_of(request.body) for request in peer.requests)
        callback = samples.CALLBACK
        wanted = {
            "the code": callback.code,
            "the verifier": callback.verifier,
            "the redirect address": callback.redirect_url,
        }
        left = [name for name, value in wanted.items() if value not in told]
        demand(
            not left,
            f"{self.at('exchange')} does not send {' and '.join(left)} in the body; without the "
            "verifier somebody else's code would be taken",
        )

    @pytest.mark.parametrize("call", ["exchange", "refresh"])
    def test_what_is_granted_fits_the_settings(self, peer: ScriptedPeer, call: str) -> None:
        """A grant names settings of the connector, and they are valid with the others."""
        grant = self.granted(call, peer)
        fields = self.connector.Config.model_fields
        strange = sorted(set(grant.settings) - set(fields))
        demand(
            not strange,
            f"{self.at(call)} grants {', '.join(strange)}, which its Config does not have; name "
            "the settings that hold the tokens",
        )
        try:
            made = self.connector.Config.model_validate(
                {**self.settings(peer.url), **grant.settings}
            )
        except ValidationError as error:
            told = error.errors(include_input=False, include_url=False)[0]
            demand(False, f"{self.at(call)} grants what its Config refuses: {told['msg']}")
        kept = [getattr(made, name) for name in grant.settings]
        shown = " ".join(str(getattr(v, "get_secret_value", lambda v=v: v)()) for v in kept)
        demand(
            samples.ROTATED in shown,
            f"{self.at(call)} does not grant the access token that the service gave; put it into "
            "Grant.settings under the name of its setting",
        )
        demand(
            samples.ROTATED not in said(made),
            f"{self.connector.Config.__qualname__} shows a granted token; make its setting a "
            "SecretStr",
        )

    def test_a_rotated_token_is_granted(self, peer: ScriptedPeer) -> None:
        """The new refresh token replaces the old one, which the service takes only once."""
        grant = self.granted("refresh", peer)
        demand(
            str(samples.TOKENS["refresh_token"]) in [plain(v) for v in grant.settings.values()],
            f"{self.at('refresh')} drops the new refresh token, so the next renewal fails; put "
            "it into Grant.settings whenever the service gives one",
        )

    def test_a_refusal_to_renew_is_unauthorized(self, peer: ScriptedPeer) -> None:
        """`invalid_grant` raises `Unauthorized`: somebody has to consent anew."""
        peer.reply = lambda _: Reply(400, {"error": "invalid_grant"})
        found = self.outcome("refresh", url=peer.url if calls_a_service(type(self)) else "")
        demand(
            isinstance(found.error, Unauthorized),
            f"{self.at('refresh')} has to raise Unauthorized for 400 invalid_grant, but {found}, "
            "so nobody would be asked to reconnect; catch Rejected and raise Unauthorized",
            found.error,
        )

    @pytest.mark.parametrize("call", ["exchange", "refresh"])
    def test_a_grant_shows_no_token(self, peer: ScriptedPeer, call: str) -> None:
        """No token stands in the text of a grant."""
        grant = self.granted(call, peer)
        demand(
            samples.ROTATED not in f"{grant!r} {grant}",
            f"{self.at(call)} puts a token into account or scopes of its Grant, which people see; "
            "keep tokens in settings",
        )


def text_of(body: bytes) -> str:
    """Return a form or JSON as text that is not quoted."""
    return unquote(body.decode("utf-8", "replace").replace("+", "%20")).replace("\\/", "/")


def plain(value: Any) -> str:
    """Return a setting in clear."""
    reveal = getattr(value, "get_secret_value", None)
    return str(reveal() if reveal else value)
