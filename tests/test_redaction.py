"""Credentials are covered, in whatever way they are written; other words stay."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, SecretStr

from hub.redaction import cover, redact, secrets_of

SECRET = 'p&ss "word"/1'


class Inner(BaseModel):
    token: SecretStr = SecretStr("inner-token")


class Outer(BaseModel):
    key: SecretStr | None = None
    inner: Inner = Inner()
    many: list[SecretStr] = [SecretStr("one-of-many")]
    url: str = "https://shop.example"


def test_the_secrets_of_settings_are_found_however_deep_they_lie() -> None:
    found = secrets_of(Outer(key=SecretStr("outer-key")))
    assert found == {"outer-key", "inner-token", "one-of-many"}
    assert secrets_of(Outer()) == {"inner-token", "one-of-many"}


@pytest.mark.parametrize("text", [
    SECRET, "at p%26ss%20%22word%22%2F1?", r'{"password": "p&ss \"word\"/1"}',
])  # fmt: skip
def test_a_secret_is_covered_as_it_is_and_as_urls_and_json_write_it(text: str) -> None:
    assert "ss" not in cover(text, [SECRET]).replace("password", "")


@pytest.mark.parametrize("text", [
    "Authorization: Bearer abc123def456", "{'Authorization': 'Basic YWJjOmRlZjEy'}",
    '{"x-shopify-access-token": "abc123def456"}', "sent Bearer abc123def456 and more",
    "Cookie: session=abc123def456", "https://x/?a=1&api_key=abc123def456",
])  # fmt: skip
def test_what_carries_credentials_is_covered_without_knowing_them(text: str) -> None:
    assert "abc123" not in redact(text)
    assert "YWJj" not in redact(text)


@pytest.mark.parametrize("text", [
    "the bearer of the parcel", "a key is needed", "run:step:item", "basic authentication failed",
    "worker key=run:1 took 3 s",
])  # fmt: skip
def test_words_that_open_nothing_stay(text: str) -> None:
    assert cover(text, ["", "abc"]) == text
