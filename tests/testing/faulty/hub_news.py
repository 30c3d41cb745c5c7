"""Connectors that tell and are told: one without a fault of each kind, then one fault each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hub_goods as good
from faulty import Faulty, brought

from hub import (
    Cursor,
    DeliveryReport,
    DeliveryStatus,
    Hook,
    InboundText,
    Receipt,
    Rejected,
    Subscribed,
    Unknown,
    hookimpl,
)

TOPICS = ("orders", "stock")


class Teller(good.Channel):
    """Passes news on, each under its key."""

    name = "good_teller"

    def tell(self, status: DeliveryStatus) -> Receipt:
        told = {"order": status.order, "status": self.word(status)}
        self.http.post("/news", json=told, headers={"Idempotency-Key": self.key(status)})
        return Receipt(ref=status.order)

    def word(self, status: DeliveryStatus) -> str:
        return status.status

    def key(self, status: DeliveryStatus) -> str:
        return status.key


class Setter(good.Hook):
    """Sets its webhooks up: one for each topic."""

    name = "good_setter"

    def subscribe(self, hook: Hook) -> Subscribed:
        known = {str(one.get("topic")) for one in self.known()}
        missing = [topic for topic in TOPICS if topic not in known]
        for topic in missing:
            self.http.post("/hooks", json={"topic": topic, "url": hook.url, "key": hook.secret})
        return self.said(hook, len(missing))

    def said(self, hook: Hook, made: int) -> Subscribed:
        return Subscribed(detail=f"{made} made, {len(TOPICS) - made} there", mended=bool(made))

    def known(self) -> list[dict[str, Any]]:
        return [one for one in self.listed("/hooks") if isinstance(one, dict)]

    def unsubscribe(self, hook: Hook) -> None:
        for one in self.known():
            self.http.delete(f"/hooks/{one.get('topic')}")


class Reporter(good.Channel):
    """Reads what became of messages, by their number."""

    name = "good_reporter"

    def reports(self, cursor: Cursor) -> Iterator[DeliveryReport | InboundText | Cursor]:
        items = self.listed("/reports", after=self.after(cursor))
        for one in items:
            if isinstance(one, dict) and one.get("id"):
                yield DeliveryReport(ref=str(one["id"]), state="delivered")
        known = [one["id"] for one in items if isinstance(one, dict) and one.get("id")]
        yield Cursor(value=str(max(known))) if known else cursor

    def after(self, cursor: Cursor) -> str:
        return cursor.value


class Keyless(Faulty, Teller):
    name = "repeating_news"
    sees = ("test_the_same_news_twice_is_told_once",)
    tells = "changes something again when the same news is told again .*look first what is there"

    def tell(self, status: DeliveryStatus) -> Receipt:
        self.http.post("/news", json={"order": status.order, "status": status.status})
        return Receipt(ref=status.order)


class Choosy(Faulty, Teller):
    name = "choosy"
    sees = ("test_every_piece_of_news_is_taken",)
    tells = "has to return a Receipt for the status delayed, .*leave it alone and say so in detail"

    def word(self, status: DeliveryStatus) -> str:
        if status.status == "delayed":
            raise Rejected("the service knows no delays")
        return status.status


class Orderly(Faulty, Teller):
    name = "orderly"
    sees = ("test_news_in_any_order_is_told", "test_every_piece_of_news_is_taken")
    tells = "breaks on .*leave alone what is further|has to return a Receipt for the status"

    def word(self, status: DeliveryStatus) -> str:
        return {"dispatched": "sent", "delivered": "done"}[status.status]


class Silent(Faulty, Teller):
    name = "receiptless"
    sees = ("test_telling_returns_a_receipt", "test_every_piece_of_news_is_taken",
            "test_the_same_news_twice_is_told_once")  # fmt: skip
    tells = "has to return a Receipt for"

    def tell(self, status: DeliveryStatus) -> Any:
        super().tell(status)


class Forgetful(Faulty, Teller):
    name = "unsure"
    sees = ("test_a_write_whose_answer_was_lost_is_unknown",)
    tells = "Forgetful.tell.*fails when it is done again after a lost answer"
    doubt = False

    def tell(self, status: DeliveryStatus) -> Receipt:
        if self.doubt:
            raise Rejected("this was told already")
        try:
            return super().tell(status)
        except Unknown:
            self.doubt = True
            raise


class Doubling(Faulty, Setter):
    name = "twofold"
    sees = ("test_subscribing_again_makes_nothing_twice",)
    tells = "makes webhooks again that are there .*make only those that are missing"

    def subscribe(self, hook: Hook) -> Subscribed:
        self.known()
        for topic in TOPICS:
            self.http.post("/hooks", json={"topic": topic, "url": hook.url, "key": hook.secret})
        return self.said(hook, len(TOPICS))


class Mute(Faulty, Setter):
    name = "mute"
    sees = ("test_subscribing_says_what_it_did",)
    tells = "says nothing in Subscribed.detail; say in words which webhooks were made"

    def said(self, hook: Hook, made: int) -> Subscribed:
        return Subscribed()


class Inventing(Faulty, Setter):
    name = "inventing"
    sees = ("test_subscribing_says_what_it_did",)
    tells = r"returns the settings \['number'\], which Config does not have"

    def said(self, hook: Hook, made: int) -> Subscribed:
        return Subscribed(detail="all there", settings={"number": 7})


class Chattering(Faulty, Setter):
    name = "chattering"
    sees = ("test_no_secret_comes_out",)
    tells = "what it returns holds the hook's address, the hook's secret in clear|in clear when"

    def said(self, hook: Hook, made: int) -> Subscribed:
        return Subscribed(detail=f"they go to {hook.url} and are signed with {hook.secret}")


class Clinging(Faulty, Setter):
    name = "clinging"
    sees = ("test_taking_back_what_is_gone_is_no_error",)
    tells = "fails before anything was set up: .*what is gone already is no error"

    def unsubscribe(self, hook: Hook) -> None:
        if not self.known():
            raise Rejected("there are no webhooks")
        super().unsubscribe(hook)


class Rereading(Faulty, Reporter):
    name = "rereading"
    sees = ("test_no_report_comes_twice",)
    tells = "stops before it has read all of answers|ask for what comes after cursor.value"

    def after(self, cursor: Cursor) -> str:
        return ""


@hookimpl
def notification_channels() -> list[type[Any]]:
    return [Teller, Setter, Reporter, *brought(__name__, good.Channel)]
