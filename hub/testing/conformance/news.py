"""Checks of news in both directions: what is told of deliveries, webhooks set up, reports read."""

from __future__ import annotations

from random import Random
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from hub.connections.grants import bare
from hub.nouns import Cursor, DeliveryReport, InboundText, Progress, Receipt, Subscribed
from hub.testing.conformance import reading
from hub.testing.conformance.checks import demand, only
from hub.testing.conformance.ground import Ground, calls_a_service, tells
from hub.testing.conformance.scripted import ScriptedPeer
from hub.testing.conformance.sending import marks, receipted
from hub.testing.peers import Request

SEEDS = range(5)
"""Orders in which the same news is told."""


def counts(kit: type[Ground]) -> bool:
    """Say whether a test class counts what the other side holds."""
    return kit.count is not Ground.count


def remembers(kit: type[Ground]) -> bool:
    """Say whether a test class can tell whether something was made twice."""
    return counts(kit) or kit.serve is not Ground.serve


class StatusSinkTests(Ground):
    """What holds for `tell`."""

    @pytest.fixture
    def news(self, peer: ScriptedPeer) -> str:
        """Return the address of the service that is told, nothing where there is none."""
        return peer.url if calls_a_service(type(self)) else ""

    def test_telling_returns_a_receipt(self, news: str) -> None:
        """News that was passed on is a `Receipt`."""
        demand(
            tells(type(self), "tell") or not calls_a_service(type(self)),
            f'give {type(self).__name__} answers = {{"tell": [...]}}: what the service answers '
            f"to {self.at('tell')}, or write serve(request); status is what it is told",
        )
        receipted(self, "tell", news)

    def test_every_piece_of_news_is_taken(self, news: str) -> None:
        """Each status ends with a `Receipt`; one that the service has no word for says so in it."""
        for status in get_args(Progress):
            self.asked.clear()
            told = self.status.model_copy(update={"status": status, "key": f"run_1:{status}"})
            found = self.outcome("tell", told, url=news)
            demand(
                isinstance(found.value, Receipt),
                f"{self.at('tell')} has to return a Receipt for the status {status}, but {found}; "
                "where the service has no word for it, leave it alone and say so in detail",
                found.error,
            )

    @only(lambda kit: calls_a_service(kit) or counts(kit))
    def test_the_same_news_twice_is_told_once(self, peer: ScriptedPeer, news: str) -> None:
        """The same key again changes nothing, or sends what the service knows again."""
        made = self.built(news)
        if counts(type(self)):
            receipted(self, "tell", news, made=made)
            first = self.count()
            receipted(self, "tell", news, made=made)
            new: list[Any] = list(range(first, self.count()))
        else:
            told = []
            for _ in range(2):
                peer.requests.clear()
                receipted(self, "tell", news, made=made)
                told.append(marks(self, peer.requests, self.status.key))
            new = [one for one in told[1] if not one or one not in told[0]]
        demand(
            not new,
            f"{self.at('tell')} changes something again when the same news is told again "
            f"({str(new[:2])[:200]}); look first what is there, or send a key made of status.key "
            "by which the service knows it",
        )

    def test_news_in_any_order_is_told(self, news: str) -> None:
        """News that comes late, twice or in another order raises the hub's errors at most."""
        for seed in SEEDS:
            made = self.built(news)
            order = [*get_args(Progress), "dispatched", "delivered"]
            Random(seed).shuffle(order)
            for status in order:
                told = self.status.model_copy(update={"status": status, "key": f"run_1:{status}"})
                found = self.outcome("tell", told, made=made)
                demand(
                    found.is_told,
                    f"{self.at('tell')} breaks on {status} after {order[: order.index(status)]}: "
                    f"{found}; look what is there first, and leave alone what is further",
                    found.error,
                )


class SubscriberTests(Ground):
    """What holds for `subscribe` and `unsubscribe`."""

    @pytest.fixture
    def hooks(self, peer: ScriptedPeer) -> str:
        """Return the address of the service whose webhooks are set up."""
        return peer.url if calls_a_service(type(self)) else ""

    def subscribed(self, hooks: str, made: Any = None) -> Subscribed:
        """Set the webhooks up, and see that this worked."""
        found = self.outcome("subscribe", made=made, url=hooks)
        demand(
            isinstance(found.value, Subscribed),
            f"{self.at('subscribe')} has to return Subscribed, but {found}; write what the "
            f'service answers into answers = {{"subscribe": [...]}} of {type(self).__name__}',
            found.error,
        )
        said: Subscribed = found.value
        return said

    def test_subscribing_says_what_it_did(self, hooks: str) -> None:
        """`Subscribed` tells people what was made, and its settings fit `Config`."""
        said = self.subscribed(hooks)
        demand(
            said.detail.strip(),
            f"{self.at('subscribe')} says nothing in Subscribed.detail; say in words which "
            "webhooks were made, mended or there",
        )
        known = self.connector.Config.model_fields
        wrong = sorted(said.settings.keys() - known.keys())
        demand(
            not wrong,
            f"{self.at('subscribe')} returns the settings {wrong}, which Config does not have",
        )
        try:
            self.connector.Config.model_validate({**self.settings(hooks), **bare(said.settings)})
        except ValidationError as error:
            demand(False, f"{self.at('subscribe')} returns settings that Config refuses: {error}")

    @only(remembers)
    def test_subscribing_again_makes_nothing_twice(self, peer: ScriptedPeer, hooks: str) -> None:
        """Set up once more, every webhook is there once."""
        made = self.built(hooks)
        self.subscribed(hooks, made)
        if counts(type(self)):
            first = self.count()
            self.subscribed(hooks, made)
            again: list[Any] = list(range(first, self.count()))
        else:
            first_time = [spelt(one) for one in peer.requests if not self.reads(one)]
            peer.requests.clear()
            self.subscribed(hooks, made)
            later = [spelt(one) for one in peer.requests if not self.reads(one)]
            again = [one for one in later if one in first_time and one.startswith("POST")]
        demand(
            not again,
            f"{self.at('subscribe')} makes webhooks again that are there ({str(again[:2])[:200]}); "
            "ask which there are, and make only those that are missing",
        )

    def test_taking_back_what_is_gone_is_no_error(self, hooks: str) -> None:
        """`unsubscribe` before anything was set up, and a second time, raises nothing."""
        made = self.built(hooks)
        for when in ("before anything was set up", "a second time"):
            found = self.outcome("unsubscribe", made=made)
            demand(
                found.error is None,
                f"{self.at('unsubscribe')} fails {when}: {found}; what is gone already is no error",
                found.error,
            )


def spelt(request: Request) -> str:
    """Return what a request does."""
    return f"{request.method} {request.path} {request.body!r}"


class ReportSourceTests(Ground):
    """What holds for `reports`."""

    @pytest.fixture
    def told(self, peer: ScriptedPeer) -> str:
        """Return the address of the service that has reports."""
        return peer.url if calls_a_service(type(self)) else ""

    @only(lambda kit: calls_a_service(kit) or tells(kit, "reports"))
    def test_reports_come_with_a_cursor(self, told: str) -> None:
        """It yields `DeliveryReport`, `InboundText` and `Cursor`, and a cursor last."""
        reading.demand_pages(self, "reports")
        found = reading.first(self, "reports", told)
        reading.demand_kinds(self, "reports", found, (DeliveryReport, InboundText, Cursor))
        demand(
            any(not isinstance(one, Cursor) for one in found),
            f"{self.at('reports')} yields no report of the sample; give {type(self).__name__} "
            "records in answers that can be read",
        )
        demand(
            isinstance(found[-1], Cursor),
            f"{self.at('reports')} ends without a Cursor, so the hub would read the same again; "
            "yield one after the records of each page",
        )

    def test_no_report_comes_twice(self, told: str) -> None:
        """Read to its end and once more from its last cursor, every report comes once."""
        reading.demand_no_repetition(self, "reports", told, DeliveryReport)

    def test_reports_resume_after_a_crash(self, told: str) -> None:
        """Stopped anywhere and resumed from its last cursor, it loses no report."""
        reading.demand_resumes(self, "reports", told, DeliveryReport)
