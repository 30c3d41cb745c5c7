"""A service that is connected by consent (RFC 6749 with PKCE), as strict as one may meet.

It looks at everything that a client sends, uses each code once, gives a new refresh token with
every renewal, and takes the old one for `grace` seconds more.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

from hub.nouns import Callback
from hub.testing.patience import PATIENCE
from hub.testing.peers.server import Peer, Reply, Request

CODE_LIVES = 60.0


@dataclass
class Family:
    """One consent and every token that came of it; who breaks a rule ends all of them."""

    account: str
    scopes: str
    ended: bool = False


@dataclass
class Code:
    """What a code was given for."""

    family: Family
    redirect: str
    challenge: str
    at: float
    used: bool = False


@dataclass
class Token:
    """An access or refresh token; `until` is when it ends."""

    family: Family
    until: float


@dataclass
class Counters:
    """How often what was asked of the token address, and how it went."""

    exchanges: int = 0
    renewals: int = 0
    graces: int = 0
    """Renewals by an old refresh token that was taken once more."""
    refused: list[str] = field(default_factory=list)


class ConsentPeer(Peer):
    """Answers `/authorize`, `/token`, `/account` and Xero's `/connections`.

    `asks` shows a page with two buttons instead of saying yes at once.
    """

    service = "consent"
    shows = True

    def __init__(self, directory: Path, port: int = 0, *, secret: str = "") -> None:
        self.client, self.secret = "client-1", secret
        self.account, self.tenants = "Alpenkraut AG", [("tenant-1", "Alpenkraut AG")]
        self.asks, self.says = False, "allow"
        self.lifetime, self.grace = 1800.0, 1800.0
        self.scopes = ""
        """What is granted instead of what was asked for."""
        self.gate = threading.Event()
        """While it is clear, `/token` gives no answer."""
        self.gate.set()
        self.deaf = 0
        """How many answers of `/token` get lost on the way."""
        self.counters = Counters()
        self.codes: dict[str, Code] = {}
        self.access: dict[str, Token] = {}
        self.renews: dict[str, Token] = {}
        super().__init__(directory, port)

    def give(self, redirect: str = "http://127.0.0.1/back", scope: str = "orders") -> Callback:
        """Return what comes back from a consent page on which somebody said yes."""
        code, verifier = secrets.token_urlsafe(12), secrets.token_urlsafe(48)
        self.codes[code] = Code(
            Family(self.account, scope), redirect, challenge(verifier), time.monotonic()
        )
        return Callback(code=code, verifier=verifier, redirect_url=redirect)

    def revoke(self) -> None:
        """End every consent, as somebody does on the service's own page."""
        for token in [*self.access.values(), *self.renews.values()]:
            token.family.ended = True

    def end_access(self) -> None:
        """Refuse the access tokens that are out, long before their time."""
        self.access.clear()

    def admits(self, request: Request) -> bool:
        """Let everybody reach the two pages that look at credentials themselves."""
        return request.path in ("/authorize", "/token") or self._holder(request) is not None

    def handle(self, request: Request) -> Reply | None:
        """Answer one request, the token address only while the gate is open."""
        if request.path != "/token":
            return super().handle(request)
        self.gate.wait(PATIENCE)
        reply = super().handle(request)
        if self.deaf:
            self.deaf -= 1
            return None
        return reply

    def answer(self, request: Request) -> Reply:
        """Answer as RFC 6749 asks."""
        if request.path == "/authorize":
            return self._authorize(request)
        if request.path == "/token" and request.method == "POST":
            return self._token(request)
        if request.path == "/account":
            return Reply(200, {"name": self._name(request)})
        if request.path == "/connections":
            return Reply(content=listed(self.tenants), headers={"Content-Type": "application/json"})
        return Reply(404, {"error": "no such address"})

    def show(self, request: Request) -> Reply:
        """Say what this is."""
        return Reply(200, {"service": "a service that is connected by consent"})

    def _authorize(self, request: Request) -> Reply:
        asked = request.query
        wrong = self._wrong(asked)
        if wrong:
            return Reply(400, {"error": "invalid_request", "error_description": wrong})
        says = asked.get("says") or ("" if self.asks else self.says)
        if not says:
            return page(asked)
        if says != "allow":
            return back(asked, {"error": "access_denied", "error_description": "not today"})
        code = secrets.token_urlsafe(12)
        family = Family(self.account, self.scopes or asked.get("scope", ""))
        self.codes[code] = Code(
            family, asked["redirect_uri"], asked["code_challenge"], time.monotonic()
        )
        return back(asked, {"code": code})

    def _wrong(self, asked: dict[str, str]) -> str:
        if asked.get("client_id") != self.client:
            return "this client is not known"
        if asked.get("response_type") != "code" or not asked.get("redirect_uri"):
            return "response_type=code and a redirect_uri are needed"
        if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
            return "a code_challenge with S256 is needed"
        return "" if asked.get("state") else "a state is needed"

    def _token(self, request: Request) -> Reply:
        parts = parse_qs(request.body.decode())
        asked = {name: values[-1] for name, values in parts.items()}
        if not self._is_client(request, asked):
            return self._refuse("invalid_client", 401)
        if asked.get("grant_type") == "authorization_code":
            return self._exchange(asked)
        if asked.get("grant_type") == "refresh_token":
            return self._renew(asked)
        return self._refuse("unsupported_grant_type")

    def _is_client(self, request: Request, asked: dict[str, str]) -> bool:
        if not self.secret:
            return asked.get("client_id") == self.client
        told = base64.b64encode(f"{self.client}:{self.secret}".encode()).decode()
        return bool(request.headers.get("Authorization") == f"Basic {told}")

    def _exchange(self, asked: dict[str, str]) -> Reply:
        self.counters.exchanges += 1
        code = self.codes.get(asked.get("code", ""))
        if code is None or time.monotonic() - code.at > CODE_LIVES:
            return self._refuse("invalid_grant", said="the code is not known or too old")
        if code.used:
            code.family.ended = True
            return self._refuse("invalid_grant", said="the code was used before")
        if challenge(asked.get("code_verifier", "")) != code.challenge:
            return self._refuse("invalid_grant", said="the code_verifier does not fit")
        if asked.get("redirect_uri") != code.redirect:
            return self._refuse("invalid_grant", said="the redirect_uri is another")
        code.used = True
        return self._issue(code.family)

    def _renew(self, asked: dict[str, str]) -> Reply:
        self.counters.renewals += 1
        held = self.renews.get(asked.get("refresh_token", ""))
        now = time.monotonic()
        if held is None or held.family.ended or held.until < now:
            return self._refuse("invalid_grant", said="the refresh token is not known any more")
        if held.until < float("inf"):
            self.counters.graces += 1
        held.until = min(held.until, now + self.grace)
        return self._issue(held.family)

    def _issue(self, family: Family) -> Reply:
        access, renews = (f"{kind}-{secrets.token_urlsafe(24)}" for kind in ("access", "renews"))
        self.access[access] = Token(family, time.monotonic() + self.lifetime)
        self.renews[renews] = Token(family, float("inf"))
        told: dict[str, Any] = {
            "access_token": access, "refresh_token": renews, "token_type": "Bearer",
            "expires_in": int(self.lifetime), "scope": family.scopes,
        }  # fmt: skip
        return Reply(200, told, {"Cache-Control": "no-store"})

    def _refuse(self, error: str, status: int = 400, said: str = "") -> Reply:
        self.counters.refused.append(said or error)
        return Reply(status, {"error": error, **({"error_description": said} if said else {})})

    def _holder(self, request: Request) -> Token | None:
        held = self.access.get(request.bearer)
        good = held is not None and not held.family.ended and held.until > time.monotonic()
        return held if good else None

    def _name(self, request: Request) -> str:
        held = self._holder(request)
        return held.family.account if held else ""


def challenge(verifier: str) -> str:
    """Return the S256 challenge of a verifier."""
    made = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def back(asked: dict[str, str], told: dict[str, str]) -> Reply:
    """Send somebody back to the client."""
    query = urlencode({**told, "state": asked["state"]})
    return Reply(302, {}, {"Location": f"{asked['redirect_uri']}?{query}"})


def listed(tenants: list[tuple[str, str]]) -> bytes:
    """Return organisations as Xero lists them."""
    told = [
        {"id": f"connection-{id}", "tenantId": id, "tenantName": name, "tenantType": "ORGANISATION"}
        for id, name in tenants
    ]
    return json.dumps(told).encode()


def page(asked: dict[str, str]) -> Reply:
    """Ask a person, on a page with two buttons."""
    kept = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in asked.items()
    )
    text = (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Consent</title>"
        "<style>body{font:16px/1.5 system-ui;margin:3rem auto;max-width:26rem}"
        "button{font:inherit;padding:.5rem 1rem}</style><h1>Lastmile Hub wants access</h1>"
        f"<form>{kept}<button name=says value=allow>Allow access</button> "
        "<button name=says value=deny>Cancel</button></form>"
    )
    return Reply(200, headers={"Content-Type": "text/html; charset=utf-8"}, content=text.encode())
