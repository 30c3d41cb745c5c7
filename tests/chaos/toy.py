"""A hub with two toy kinds of work, run as real processes that a test may kill.

`inside` writes a row; `outward` appends a line to a file, as a call to another system would, and
then records that it has. Run as `python toy.py worker QUEUE | dispatcher`.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from pydantic import BaseModel
from sqlmodel import select

from hub import workflow
from hub.actions import ActionInput, ActionOutput, Inside, Outward
from hub.connector import Connector
from hub.hub import Hub
from hub.nouns import Message, Receipt
from hub.plugins import Plugin
from hub.queue import Claim, enqueue, finish
from hub.queue.faults import reach
from hub.settings import Settings
from hub.store import ConnectionRow, FlagRow, Session, SettingRow, Store, new_id
from hub.testing.patience import until

CALLS = "TOY_CALLS"
FLOWS = "TOY_FLOWS"
"""Set where a process also runs workflows."""


class NoConfig(BaseModel):
    """No settings."""


class Caller(Connector[NoConfig]):
    """Appends what it is asked to send to the file of calls."""

    name = "caller"
    title = "Caller"
    Config = NoConfig

    def send(self, message: Message) -> Receipt:
        record(f"{message.key} {message.text}\n")
        return Receipt(ref="toy")


class Forgetful(Caller):
    """One whose other side cannot drop a repeated key."""

    name = "forgetful"
    keyed = False


class TextInput(ActionInput):
    text: str


class SendOutput(ActionOutput):
    sent: int


def write(hub: Hub, session: Session, given: TextInput) -> ActionOutput:
    """Write one row that a second time would double."""
    session.add(FlagRow(key=new_id("flg"), kind="toy", text=given.text, raised_at=session.now))
    return ActionOutput()


def connections(hub: Hub, session: Session, given: TextInput) -> list[str]:
    """Return what a message goes through: every connection."""
    return list(session.exec(select(ConnectionRow.id).order_by(ConnectionRow.id)))


def add_engine(hub: Hub) -> None:
    """Add workflows, with one action inside and one outward."""
    workflow.register(hub)
    for connector in (Caller, Forgetful):
        plugin = Plugin(name=connector.name, distribution="", version="")
        plugin.connectors[connector.name] = connector
        plugin.kinds[connector.name] = {"notification_channels"}
        hub.plugins.plugins[connector.name] = plugin
    hub.actions["toy.write"] = Inside("toy.write", TextInput, ActionOutput, write)
    hub.actions["toy.send"] = Outward(
        "toy.send", TextInput, SendOutput, connections,
        lambda hub, given, call: Message(key=call.key, to="1", text=given.text),
        lambda connector, message: connector.send(message),
        lambda session, given, call, receipt: None,
        lambda session, given, call, error: None,
        lambda receipts: SendOutput(sent=len(receipts)), "resend",
    )  # fmt: skip


def assemble(hub: Hub) -> None:
    """Add the toy handlers."""
    hub.handlers.update(
        inside=work_inside, outward=call_outward, hang=hang, leak=leak, load=load, nap=nap
    )
    if os.environ.get(FLOWS):
        add_engine(hub)


def work_inside(hub: Hub, claim: Claim) -> None:
    """Write one row that a second time would double, and the follow-up work, in one go."""
    with hub.store.write() as session:
        session.add(
            FlagRow(key=f"{claim.subject}:{claim.token}", kind="toy", text=claim.subject,
                    raised_at=session.now)
        )  # fmt: skip
        enqueue(session, "outward", claim.subject, queue="outward")
        finish(session, claim)
        session.flush()
        reach("before_commit")


def call_outward(hub: Hub, claim: Claim) -> None:
    """Call under a key that stays the same, then record the answer."""
    reach("before_call")
    record(f"{claim.subject}:outward {claim.tries}\n")
    reach("after_call")
    with hub.store.write() as session:
        session.add(SettingRow(name=f"called {claim.subject}", value={}))
        finish(session, claim)
        session.flush()
        reach("before_commit")


def record(line: str) -> None:
    """Append a line to the file of calls."""
    file = os.open(os.environ[CALLS], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, line.encode())
    os.close(file)


def hang(hub: Hub, claim: Claim) -> None:
    """Hold the interpreter for ever, as a bad native library would."""
    import re

    re.match(r"(a+)+$", "a" * 64 + "b")


def nap(hub: Hub, claim: Claim) -> None:
    """Take until this worker is asked to end."""
    until(lambda: signal.getsignal(signal.SIGTERM).__self__.stopping)
    with hub.store.write() as session:
        finish(session, claim)


def load(hub: Hub, claim: Claim) -> None:
    """Import something, and note whether it had to be."""
    known = "wave" in sys.modules
    import wave

    with hub.store.write() as session:
        found = {"known": known, "horse": os.getpid()}
        session.add(SettingRow(name=f"load {claim.subject}", value=found))
        finish(session, claim)
    assert wave


def leak(hub: Hub, claim: Claim) -> None:
    """Ask for more memory than anybody has."""
    bytearray(64 * 2**30)


def accept(store: Store, subjects: list[str]) -> None:
    """Accept work, as a request would."""
    for subject in subjects:
        with store.write() as session:
            enqueue(session, "inside", subject)


def written(store: Store) -> list[str]:
    """Return the subjects of the rows that work inside has written."""
    with store.read() as session:
        return sorted(session.exec(select(FlagRow.text)).all())


def main() -> None:
    """Be one of the hub's processes."""
    if sys.argv[1] == "worker":
        from hub.queue.worker import main as work

        work(Settings.read(), sys.argv[2], assemble)
    else:
        from hub.queue.dispatcher import main as dispatch

        dispatch(Settings.read(), assemble)


if __name__ == "__main__":
    Path(os.environ[CALLS]).touch()
    main()
