"""Each class here has one fault, and the names of the checks that have to see it."""

from __future__ import annotations

import logging
import threading
import time
import warnings
from datetime import date, datetime
from typing import Any

import hub_goods as good
import requests
from faulty import Faulty, brought
from pydantic import BaseModel, Field, field_validator

from hub import (
    Connector,
    Http,
    Message,
    Receipt,
    Rejected,
    Retry,
    Unauthorized,
    Unknown,
    Url,
    calling,
    hookimpl,
    understood,
)
from hub.http import session

log = logging.getLogger(__name__)


class Untitled(Faulty, good.Channel):
    name = "untitled"
    title = ""
    sees = ("test_it_says_what_it_is",)
    tells = "has no title; add title ="


class Bare(Faulty, good.Channel):
    name = "bare"
    sees = ("test_every_setting_has_a_title",)
    tells = r"sender would have no label in the form; write Field\(title="

    class Config(good.Config):
        """Settings, one without a label."""

        sender: str = ""


class Plain(Faulty, good.Geocoder):
    name = "plain"
    sees = ("test_no_other_setting_looks_like_a_secret",)
    tells = "token opens something but is .*; make it a SecretStr"

    class Config(BaseModel):
        """Settings with a secret for all to see."""

        url: Url = Field(default="https://service.example", title="Address")
        token: str = Field(title="Token")

    @property
    def http(self) -> Http:
        return Http(self.config.url, X_Token=self.config.token)


class Talkative(Faulty, good.Channel):
    name = "talkative"
    sees = ("test_secrets_are_hidden",)
    tells = r"keep it in its SecretStr and call get_secret_value\(\) only where it is sent"

    def __repr__(self) -> str:
        return f"<{self.name} {self.config.token.get_secret_value()}>"


class Demanding(Faulty, good.Channel):
    name = "demanding"
    sees = ("test_settings_that_an_earlier_release_saved_still_fit",)
    tells = r"sender is new and required, but saved\[0\] has none; give it a default"

    class Config(good.Config):
        """Settings, one of which is new."""

        sender: str = Field(title="Sender")


class Forgetful(Faulty, good.Channel):
    name = "forgetful"
    sees = ("test_the_settings_survive_being_saved",)
    tells = "cannot be read again after it was saved"

    class Config(good.Config):
        """Settings with a date that is read in one way and written in another."""

        since: date = Field(default="24.12.2026", title="Since", validate_default=True)  # type: ignore[assignment]

        @field_validator("since", mode="before")
        @classmethod
        def read(cls, text: str) -> date:
            return datetime.strptime(text, "%d.%m.%Y").date()  # noqa: DTZ007


class Endless(Faulty, good.Channel):
    name = "endless"
    sees = ("test_every_call_has_a_time_limit",)
    tells = r"Endless.check\(\) .* waits without an end .*; call it through hub.Http"

    def check(self) -> None:
        self.http.get("/account", timeout=None)


class Stubborn(Faulty, good.Channel):
    name = "stubborn"
    sees = ("test_a_rate_limit_is_a_retry_after_the_time_it_names",)
    tells = "sent 2 requests after a 429; never repeat inside a call"

    def check(self) -> None:
        try:
            super().check()
        except Retry as error:
            if error.after is None:
                raise
            super().check()


class Insistent(Faulty, good.Channel):
    name = "insistent"
    sees = ("test_a_broken_service_is_a_retry",)
    tells = "sent 2 requests after status 50.; never repeat inside a call"

    def check(self) -> None:
        try:
            super().check()
        except Retry as error:
            if "answered 5" not in str(error):
                raise
            super().check()


class Led(Faulty, good.Channel):
    name = "led"
    sees = ("test_a_redirect_is_not_followed",)
    tells = "has to fail on a redirect without following it"

    def check(self) -> None:
        with calling(self.config.url, reads=True), session() as made:
            reply = made.get(self.config.url + "/account", timeout=5)
        understood(reply)


class Unguarded(Faulty, good.Channel):
    name = "unguarded"
    sees = ("test_a_private_address_is_refused",)
    tells = "call it through hub.Http, or give the SDK a hub.GuardedPool"

    def check(self) -> None:
        with calling(self.config.url, reads=True):
            reply = requests.get(self.config.url, timeout=5, allow_redirects=False)
        understood(reply)


class Patient(Faulty, good.Channel):
    name = "patient"
    sees = ("test_refused_credentials_are_unauthorized",)
    tells = "has to raise Unauthorized for status 40."

    def check(self) -> None:
        try:
            super().check()
        except Unauthorized as error:
            raise Retry("perhaps it works later") from error


class Hasty(Faulty, good.Channel):
    name = "hasty"
    sees = ("test_a_dead_network_is_a_retry",)
    tells = "has to raise Retry when the service cannot be reached"

    def check(self) -> None:
        try:
            super().check()
        except Retry as error:
            if "reached" not in str(error):
                raise
            raise Rejected("there is no such service") from error


class Doubling(Faulty, good.Channel):
    name = "doubling"
    sees = (
        "test_a_lost_answer_is_a_retry_or_unknown",
        "test_a_write_whose_answer_was_lost_is_unknown",
    )
    tells = "has to raise Unknown"

    def send(self, message: Message) -> Receipt:
        try:
            return super().send(message)
        except Unknown as error:
            if "closed" not in str(error):
                raise
            raise Retry("the answer was lost; once more") from error


class Unchecked(Faulty, good.Channel):
    name = "unchecked"
    check = Connector.check
    sees = ("test_check_asks_the_service",)
    tells = r"has no check\(\); make the cheapest call in it that needs the credentials"


class Fixed(Faulty, good.Times):
    name = "fixed"
    sees = ("test_a_test_can_stand_in_for_its_service",)
    tells = "calls status.example, which no setting names; give its Config a url"

    def check(self) -> None:
        Http("https://status.example").get("/")


class Logging(Faulty, good.Channel):
    name = "logging"
    sees = ("test_no_secret_comes_out",)
    tells = r"Logging.check\(\) .*: its log holds token in clear"

    def check(self) -> None:
        log.debug("asking with %s", self.config.token.get_secret_value())
        super().check()


class Printing(Faulty, good.Channel):
    name = "printing"
    sees = ("test_no_secret_comes_out",)
    tells = "what it prints holds token in clear"

    def check(self) -> None:
        print(self.config.token.get_secret_value())
        super().check()


class Warning(Faulty, good.Channel):
    name = "warning"
    sees = ("test_no_secret_comes_out",)
    tells = "a warning holds token in clear"

    def check(self) -> None:
        warnings.warn(f"{self.config.token.get_secret_value()} is old", stacklevel=1)
        super().check()


class Blabbing(Faulty, good.Channel):
    name = "blabbing"
    sees = ("test_no_secret_comes_out",)
    tells = "the text of its error holds token in clear when credentials are refused"

    def check(self) -> None:
        try:
            super().check()
        except Unauthorized:
            raise Unauthorized("the token was refused") from ValueError(
                self.config.token.get_secret_value()
            )


class Addressed(Faulty, good.Channel):
    name = "addressed"
    sees = ("test_no_secret_comes_out",)
    tells = "its log holds token in clear"

    def check(self) -> None:
        self.http.get("/account", params={"t": self.config.token.get_secret_value()})


class Receipted(Faulty, good.Channel):
    name = "receipted"
    sees = ("test_no_secret_comes_out",)
    tells = "what it returns holds token in clear"

    def send(self, message: Message) -> Receipt:
        super().send(message)
        return Receipt(detail=f"sent with {self.config.token.get_secret_value()}")


class Threading(Faulty, good.Channel):
    name = "threading"
    sees = ("test_a_call_leaves_nothing_open",)
    tells = "leaves behind the running thread .*; close it in the same call"

    def check(self) -> None:
        super().check()
        threading.Thread(target=time.sleep, args=(0.05,), daemon=True).start()


class Holding(Faulty, good.Channel):
    name = "holding"
    sees = ("test_a_call_leaves_nothing_open",)
    tells = "leaves behind an open connection"

    def check(self) -> None:
        self.kept = session()
        with calling(self.config.url, reads=True):
            url = f"{self.config.url}/account"
            reply = self.kept.get(url, timeout=5, allow_redirects=False)
        understood(reply)


class Parsing(Faulty, good.Geocoder):
    name = "parsing"
    sees = ("test_an_answer_without_data_is_an_error",)
    tells = "lets through what its parser raises when .* comes instead of data: it raised JSON"

    def fetched(self, path: str, **asked: str) -> dict[str, Any]:
        found = self.http.get(path, params=asked).json()
        if not isinstance(found, dict):
            raise Rejected("the service's answer is no object")
        return found


class Blind(Faulty, good.Geocoder):
    name = "blind"
    sees = ("test_an_answer_without_data_is_an_error",)
    tells = "takes .* for an answer, it returned 'None'; raise Rejected"

    def fetched(self, path: str, **asked: str) -> dict[str, Any]:
        reply = self.http.get(path, params=asked)
        try:
            found: dict[str, Any] = reply.json()
        except ValueError:
            return {"items": []}
        return found if isinstance(found, dict) else {}


class Trusting(Faulty, good.Geocoder):
    name = "trusting"
    sees = ("test_an_answer_of_another_shape_is_told",)
    tells = "breaks when .* comes instead of what it asked for: it raised"

    def listed(self, path: str, **asked: str) -> list[Any]:
        items: list[Any] = self.fetched(path, **asked)["items"]
        return items


@hookimpl
def notification_channels() -> list[type[Any]]:
    return brought(__name__, good.Channel)


@hookimpl
def geocoders() -> list[type[Any]]:
    return brought(__name__, good.Geocoder)


@hookimpl
def travel_times() -> list[type[Any]]:
    return brought(__name__, good.Times)
