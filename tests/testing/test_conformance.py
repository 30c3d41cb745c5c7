"""The kit itself: a connector with one fault fails the very check that is there for it."""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests
from pydantic import BaseModel, Field, SecretStr

from hub import Connector, Http, Message, Receipt, Rejected, Retry, Url
from hub.testing.conformance import SECRET, ChannelTests, ConnectorTests, ScriptedPeer


class Config(BaseModel):
    """Settings without a fault."""

    url: Url = Field(title="Address")
    token: SecretStr = Field(title="Token")


class Good(Connector[Config]):
    """A connector without a fault, but that no distribution brings it."""

    name = "good"
    Config = Config
    sdk = ("requests",)
    __module__ = "hub.connector"

    def check(self) -> None:
        Http(self.config.url).get("/")

    def send(self, message: Message) -> Receipt:
        Http(self.config.url).post("/", headers={"Idempotency-Key": message.key})
        return Receipt()


class Leaking(Good):
    """Keeps its token as plain text."""

    name = "leaking"

    class Config(BaseModel):  # type: ignore[assignment]
        """Settings with a secret for all to see, and without titles."""

        url: Url
        token: str


class Endless(Good):
    """Calls without a time limit, follows redirects and asks no guard."""

    name = "endless"

    def check(self) -> None:
        reply = requests.get(self.config.url)
        if reply.status_code != 200:
            raise Retry("it failed")


class Stubborn(Good):
    """Sleeps and repeats a rate limit inside the call."""

    name = "stubborn"

    def check(self) -> None:
        try:
            super().check()
        except Retry:
            time.sleep(0.01)
            super().check()


class Keyless(Good):
    """Says that it is keyed and sends no key."""

    name = "keyless"

    def send(self, message: Message) -> Receipt:
        Http(self.config.url).post("/")
        return Receipt()


class Heavy(Good):
    """Its module has imported what it should import in a method: here, requests."""

    name = "heavy"
    __module__ = "hub.http"


class Kit(ConnectorTests, ChannelTests):
    """The checks, to be pointed at a connector by hand."""

    __test__ = False
    config: ClassVar[dict[str, Any]] = {"url": "https://service.example", "token": SECRET}

    def __init__(self, connector: type[Connector[Any]]) -> None:
        self.connector = connector  # type: ignore[misc]


@pytest.fixture
def peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedPeer]:
    made = ScriptedPeer(tmp_path)
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


Failed = pytest.fail.Exception
FAULTS = [
    (Leaking, "test_secrets_are_hidden"),
    (Leaking, "test_no_other_setting_looks_like_a_secret"),
    (Leaking, "test_every_setting_has_a_title"),
    (Endless, "test_every_call_has_a_time_limit"),
    (Endless, "test_a_redirect_is_not_followed"),
    (Endless, "test_a_private_address_is_refused"),
    (Endless, "test_a_dead_network_is_a_retry"),
    (Endless, "test_refused_credentials_are_unauthorized"),
    (Stubborn, "test_a_rate_limit_is_a_retry_after_the_time_it_names"),
    (Stubborn, "test_a_broken_service_is_a_retry"),
    (Keyless, "test_sending_carries_the_key"),
    (Heavy, "test_importing_it_is_light"),
]


@pytest.mark.parametrize(("connector", "check"), FAULTS)
def test_a_fault_fails_its_check(
    connector: type[Connector[Any]],
    check: str,
    peer: ScriptedPeer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises((AssertionError, Failed, requests.RequestException, Rejected, Retry)):
        run(connector, check, peer, monkeypatch)


@pytest.mark.parametrize("check", sorted({check for _, check in FAULTS}))
def test_a_connector_without_fault_passes(
    check: str, peer: ScriptedPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(Good, check, peer, monkeypatch)


def test_a_connector_that_no_distribution_brings_fails() -> None:
    with pytest.raises(AssertionError, match="not installed"):
        Kit(Good).test_its_plugin_is_installed_and_loads()


def run(
    connector: type[Connector[Any]],
    check: str,
    peer: ScriptedPeer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Call one check of the kit with what it asks for."""
    call = getattr(Kit(connector), check)
    given = {"peer": peer, "monkeypatch": monkeypatch, "status": 401 if "refused" in check else 500}
    call(**{name: given[name] for name in inspect.signature(call).parameters})
