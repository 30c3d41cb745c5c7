"""A hub with toy actions and a toy connector that answers as it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, cast

import pytest
from pydantic import BaseModel
from sqlmodel import col, select, update

from hub import workflow
from hub.actions import Action, ActionInput, ActionOutput, Call, Inside, Outward
from hub.connector import Connector
from hub.errors import HubError
from hub.events import CustomerFacts, MerchantFacts, OrderFacts, StopFacts, append
from hub.events.catalogue import Event, OrderReceived, StopApproaching
from hub.events.facts import DriverFacts
from hub.events.log import number
from hub.hub import Hub
from hub.nouns import Message, Receipt
from hub.plugins import Plugin
from hub.queue import enqueue, entry
from hub.queue.leader import lead
from hub.store import (
    ConnectionRow,
    EffectRow,
    EventRow,
    FlagRow,
    MessageRow,
    RunRow,
    Session,
    StepAttemptRow,
    StepRow,
    System,
    WorkRow,
)
from hub.testing.fixtures import MORNING, World, set_time
from hub.workflow.library import save

Answer = Callable[[Message], Receipt]


class ToyConfig(BaseModel):
    """No settings."""


class Toy(Connector[ToyConfig]):
    """Answers with the next of `answers`, then with a receipt; remembers all keys it was sent."""

    name = "toy"
    title = "Toy"
    Config = ToyConfig
    answers: ClassVar[list[Exception | Answer]] = []
    keys: ClassVar[list[str]] = []

    def send(self, message: Message) -> Receipt:
        type(self).keys.append(message.key)
        answer = type(self).answers.pop(0) if type(self).answers else None
        if isinstance(answer, BaseException):
            raise answer
        return answer(message) if answer else Receipt(ref="toy-1")


class Forgetful(Toy):
    """A connector whose other side cannot drop a repeated key."""

    name = "forgetful"
    keyed = False


class TextInput(ActionInput):
    text: str
    copies: int = 1


class TextOutput(ActionOutput):
    id: str
    length: int


class SendInput(ActionInput):
    to: str
    text: str


class SendOutput(ActionOutput):
    sent: int


@dataclass
class Toys:
    """The hub, its merchant, and short ways to make things happen."""

    hub: Hub
    merchant: str
    inside_errors: list[Exception] = field(default_factory=list)
    failures: list[HubError] = field(default_factory=list)
    connector: type[Toy] = Toy
    clock: datetime = MORNING

    def save(self, text: str) -> str:
        """Save a workflow; return its name."""
        with self.hub.store.write(System()) as session:
            return save(self.hub, session, text)

    def connect(self, connector: str = "toy") -> str:
        """Add a connection; return its id."""
        with self.hub.store.write(System()) as session:
            return self.hub.connections.save(session, connector, {}).id

    def happen(self, event: Event) -> str:
        """Append and number an event and make its evaluation due; return its id."""
        token = lead(self.hub.store, "dispatcher", "test")
        assert token is not None
        with self.hub.store.write(System()) as session:
            id = append(session, event)
        self.number()
        return id

    def number(self) -> None:
        """Number what is new and make its evaluation due."""
        token = lead(self.hub.store, "dispatcher", "test")
        assert token is not None
        with self.hub.store.write(System()) as session:
            number(session, token)
            enqueue(session, "evaluate", "events")

    def order_comes(self, **facts: Any) -> str:
        """Let an order be received."""
        order = OrderFacts(**{"id": "ord_1", "ref": "1001", "total_minor": 12000, **facts})
        return self.happen(
            OrderReceived(
                subject=order.id,
                merchant_id=self.merchant,
                order=order,
                merchant=MerchantFacts(id=self.merchant, name="Alpenkraut"),
                customer=CustomerFacts(name="Rosa Beck", phone="+4232345678"),
            )
        )

    def driver_comes_near(self) -> str:
        """Let a stop be approached."""
        return self.happen(
            StopApproaching(
                subject="stp_1",
                merchant_id=self.merchant,
                stop=StopFacts(id="stp_1", eta_minutes=8),
                order=OrderFacts(id="ord_1"),
                merchant=MerchantFacts(id=self.merchant, name="Alpenkraut"),
                driver=DriverFacts(id="drv_1"),
                driver_name="Lea Frick",
                customer=CustomerFacts(name="Rosa Beck", phone="+4232345678"),
            )
        )

    def work(self) -> None:
        """Do all work that is due, until nothing is."""
        while sum(entry.run(self.hub, queue, "test") for queue in ("fast", "outward")):
            pass

    def wait(self) -> None:
        """Let the time pass that deferred work waits for, then do it."""
        with self.hub.store.write(System()) as session:
            session.exec(update(WorkRow).values(not_before=session.wall))
            session.exec(update(ConnectionRow).values(rests_until=None))
            session.exec(
                update(WorkRow)
                .where(col(WorkRow.state) == "leased")
                .values(lease_until=session.wall)
            )
        self.work()

    def later(self, **span: float) -> None:
        """Let business time pass, and what it wakes happen."""
        self.clock += timedelta(**span)
        set_time(self.hub, self.clock)
        self.tick()

    def tick(self) -> None:
        """Do what the leading dispatcher does a few times a second, then all work."""
        for go_round in self.hub.rounds:
            go_round(self.hub)
        self.number()
        self.work()

    def receipt(self) -> Receipt:
        """Return what a connector gives back for a call that was made."""
        return Receipt(ref="toy-2")

    def run_named(self, name: str) -> list[str]:
        """Return the states of a workflow's runs, oldest first."""
        return [row.state for row in self.rows(RunRow, workflow=name)]

    def rows(self, table: type[Any], **where: Any) -> list[Any]:
        """Return the rows of a table in the order in which they were made."""
        with self.hub.store.read(System()) as session:
            query = select(table).order_by(table.id)
            return list(session.exec(query.filter_by(**where)))

    def rows_of(self, table: type[Any]) -> list[Any]:
        """Return the rows of a table that has no id."""
        with self.hub.store.read(System()) as session:
            return list(session.exec(select(table)))

    def run(self) -> RunRow:
        """Return the only run."""
        (run,) = self.rows(RunRow)
        return run

    def steps(self) -> dict[str, StepRow]:
        """Return the steps by their path."""
        return {row.path: row for row in self.rows(StepRow)}

    def outcomes(self) -> list[str]:
        """Return how the tries ended, in order."""
        return [row.outcome for row in self.rows(StepAttemptRow)]

    def texts(self) -> list[str]:
        """Return what the inside action wrote, in order."""
        return [row.text for row in self.rows(FlagRow)]

    def events(self, type: str) -> list[EventRow]:
        """Return the events of one type."""
        return self.rows(EventRow, type=type)

    def effects(self) -> list[EffectRow]:
        """Return the effects."""
        return self.rows(EffectRow)


@pytest.fixture
def actions() -> dict[str, Action]:
    """Return the toy actions for checking files, without a hub to run them on."""
    nobody = cast(Toys, None)
    written = Inside("toy.write", TextInput, TextOutput, writer(nobody))
    return {"toy.write": written, "toy.send": sender(nobody, "resend")}


@pytest.fixture
def toys(hub: Hub, world: World) -> Toys:
    """Return a hub with the engine, `toy.write` (inside) and `toy.send` (outward)."""
    workflow.register(hub)
    made = Toys(hub, world.merchant)
    for connector in (Toy, Forgetful):
        connector.answers, connector.keys = [], []
        plugin = Plugin(name=connector.name, distribution="", version="")
        plugin.connectors[connector.name] = connector
        plugin.kinds[connector.name] = {"notification_channels"}
        hub.plugins.plugins[connector.name] = plugin
    hub.actions["toy.write"] = Inside("toy.write", TextInput, TextOutput, writer(made))
    hub.actions["toy.send"] = sender(made, "resend")
    return made


def writer(toys: Toys) -> Callable[[Hub, Session, TextInput], TextOutput]:
    """Return an inside action that writes a flag, after failing as often as it is told."""

    def write(hub: Hub, session: Session, given: TextInput) -> TextOutput:
        for _ in range(given.copies):
            count = len(session.exec(select(FlagRow.id)).all())
            row = FlagRow(
                key=f"toy-{count}", kind="toy", text=given.text, raised_at=session.now,
                merchant=getattr(session.principal, "merchant", None),
            )  # fmt: skip
            session.add(row)
            session.flush()
        if toys.inside_errors:
            raise toys.inside_errors.pop(0)
        return TextOutput(id=row.id, length=len(given.text))

    return write


def sender(toys: Toys, on_unknown: Any) -> Outward:
    """Return an outward action that sends one message through every toy connection."""

    def items(hub: Hub, session: Session, given: SendInput) -> list[str]:
        found = session.exec(select(ConnectionRow).order_by(ConnectionRow.id))
        return [row.id for row in found if row.connector in ("toy", "forgetful")]

    def prepare(hub: Hub, given: SendInput, call: Call) -> Message:
        return Message(key=call.key, to=given.to, text=given.text)

    def call(connector: Connector[Any], message: Any) -> Receipt:
        receipt: Receipt = connector.send(message)  # type: ignore[attr-defined]
        return receipt

    def done(session: Session, given: SendInput, call: Call, receipt: Receipt) -> None:
        session.add(
            MessageRow(
                key=call.key, merchant=call.merchant, channel="toy", to=given.to,
                text=given.text, state="sent", created_at=session.now,
            )
        )  # fmt: skip

    def failed(session: Session, given: SendInput, call: Call, error: HubError) -> None:
        toys.failures.append(error)

    return Outward(
        "toy.send", SendInput, SendOutput, items, prepare, call, done, failed,
        lambda receipts: SendOutput(sent=len(receipts)), on_unknown,
    )  # fmt: skip
