"""How the kit chooses its checks, exempts from them, and lets new ones warn first."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field, SecretStr

from hub import Connector, Geocoder, Http, Message, OAuth, OrderSource, Receipt, Url
from hub.contract import CAPABILITY, TRAITS, methods
from hub.testing.conformance import CHECKS, SECRET, ConnectorTests, NewCheck, checks
from hub.testing.conformance.checks import Check
from hub.testing.conformance.kit import BRONZE, PARTS, SILVER

PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"


class Config(BaseModel):
    """Settings of a service."""

    url: Url = Field(default="https://service.example", title="Address")
    token: SecretStr = Field(title="Token")


class Sender(Connector[Config]):
    """Sends."""

    name = "kit_sender"
    title = "Sender"
    Config = Config

    def check(self) -> None:
        Http(self.config.url).get("/")

    def send(self, message: Message) -> Receipt:
        Http(self.config.url).post("/", headers={"Idempotency-Key": message.key})
        return Receipt()


class Begun(Sender):
    """Sends, and is to read orders some day."""

    name = "kit_begun"

    def pull(self, cursor: object) -> None:
        """Ask for orders."""
        raise NotImplementedError("write Begun.pull; its docstring says what it has to do")


def kit(connector: type[Connector[Any]], **told: Any) -> type[ConnectorTests]:
    """Return a test class as an author would write it."""
    return type("Kit", (ConnectorTests,), {"connector": connector, "config": {}, **told})


def about(chosen: type[ConnectorTests]) -> set[str]:
    """Return whom the checks are for that were chosen."""
    return {check.about for check in CHECKS if check.name in chosen.hub_checks}


def test_the_checks_are_chosen_by_what_the_class_can_do() -> None:
    assert about(kit(Sender)) == {
        "every connector", "what calls a service", "every call", "a new plugin", "a channel"
    }  # fmt: skip
    assert kit(Sender).test_pulling_again_yields_nothing_twice is None


def test_of_a_capability_that_is_not_written_one_check_says_what_to_write() -> None:
    chosen = kit(Begun)
    assert "an order source" not in about(chosen)
    with pytest.raises(AssertionError, match=r"write Begun\.pull; its docstring says"):
        chosen().test_pull_is_written()


def test_every_capability_and_trait_of_the_hub_has_checks() -> None:
    covered = {part.methods for part in PARTS}
    for protocol in (*CAPABILITY.values(), *TRAITS):
        assert tuple(methods(protocol)) in covered, protocol.__name__
    assert tuple(methods(OrderSource)) == ("pull",)
    assert tuple(methods(Geocoder)) == ("locate",)
    assert len(methods(OAuth)) == 3


def test_a_check_that_the_author_writes_anew_is_the_authors() -> None:
    chosen = kit(Sender, test_secrets_are_hidden=None)
    assert chosen.test_secrets_are_hidden is None


def test_an_exempt_check_is_passed_over_with_its_reason() -> None:
    chosen = kit(Sender, exempt={"test_sending_carries_the_key": "the gateway takes no key"})
    with pytest.raises(pytest.skip.Exception, match="exempt: the gateway takes no key"):
        chosen().test_sending_carries_the_key(peer=None)
    assert chosen.hub_checks["test_sending_carries_the_key"] == "the gateway takes no key"


@pytest.mark.parametrize(
    ("exempt", "why"),
    [
        ({"test_sending_carries_the_key": " "}, "has no reason; say why"),
        ({"test_nothing_of_the_kind": "so"}, "which is no check"),
    ],
)
def test_an_exemption_without_a_reason_or_of_no_check_is_refused(
    exempt: dict[str, str], why: str
) -> None:
    with pytest.raises(TypeError, match=why):
        kit(Sender, exempt=exempt)


def failing() -> None:
    """Fail."""
    raise AssertionError("add a timeout")


@pytest.mark.parametrize(
    ("hub_is", "written_for", "warns"),
    [
        ("0.2.0", "0.1", True),
        ("0.2.3", "0.1", True),
        ("0.2.0", "0.2", False),
        ("0.3.0", "0.1", False),
    ],
)
def test_a_new_check_warns_for_the_one_version_that_brought_it(
    monkeypatch: pytest.MonkeyPatch, hub_is: str, written_for: str, warns: bool
) -> None:
    monkeypatch.setattr("hub.__version__", hub_is)
    check = Check("test_it", "It has.", "all", SILVER, "0.2", lambda _: True, failing)
    assert checks.is_new(check, written_for) == warns


def test_a_check_that_warns_tells_what_it_will_fail_for() -> None:
    check = Check("test_it", "It has.", "all", BRONZE, "0.2", lambda _: True, failing)
    with pytest.warns(NewCheck, match="will fail from the next version on: add a timeout"):
        checks.warning(check)()


def test_a_mark_says_since_when_a_check_is_there() -> None:
    @checks.since("0.7")
    def marked() -> None:
        """Do nothing."""

    assert marked.__dict__["hub_since"] == "0.7"
    assert {check.since for check in CHECKS} == {"0.1"}


def test_the_version_a_plugin_is_written_for_is_the_lowest_that_it_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = {"a": ["lastmile-hub<0.4,>=0.2"], "b": ["lastmile-hub"], "c": ["requests>=2"]}
    monkeypatch.setattr(checks, "requires", told.get)
    assert [checks.target(name) for name in told] == ["0.2", "0.1", "0.1"]
    assert checks.target("nobody-has-this") == "0.1"


def test_no_secret_of_a_sample_is_another_word_for_a_test() -> None:
    made = kit(Sender, config={"token": SECRET})()
    assert made.secrets() == {"token": SECRET}


def listed() -> str:
    """Return the list of all checks as the page has it."""
    lines: list[str] = []
    for part in dict.fromkeys(check.about for check in CHECKS):
        own = [check for check in CHECKS if check.about == part]
        grade = own[0].grade or "no grade"
        lines += ["", f"**{part[0].upper()}{part[1:]}** ({grade})", ""]
        lines += [f"- `{check.name}`: {check.says}" for check in own]
    return "\n".join(lines).strip()


def test_the_page_lists_every_check_with_its_sentence() -> None:
    found = re.search(
        r"<!-- checks -->\n(.*?)\n<!-- /checks -->", PAGE.read_text(encoding="utf-8"), re.S
    )
    assert found
    assert found[1].strip() == listed(), f"put this between the marks:\n{listed()}"


def test_every_check_has_one_sentence_and_a_name_of_its_own() -> None:
    assert [check.name for check in CHECKS if not check.says.endswith((".", ":"))] == []
    assert len({check.name for check in CHECKS}) == len(CHECKS)
