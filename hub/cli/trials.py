"""Work of the workers done in this process at once: the test of a connection, a look, a check."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import click
from sqlmodel import select

from hub.cli.terminal import BY
from hub.errors import Retry
from hub.queue.work import Claim, LeaseLost, hold, renew
from hub.store import PreviewRow, Session, WorkRow
from hub.workflow import checks, previews

if TYPE_CHECKING:
    from hub.hub import Hub

LONGEST = 75.0
"""Seconds after which a connector that gives no answer is left alone."""
TICK = 1.0
WORKER = "cli"


def preview(hub: Hub, connection: str, stage: previews.Stage, label: str) -> PreviewRow:
    """Make a test or a dry run as a worker does, and return how it ended.

    The work is held by this process from the moment that it is there, so that no worker makes it
    as well. If this process dies, a worker makes it when the lease is over.
    """
    with hub.store.write(BY) as session:
        previews.request(session, connection, stage)
        row = previews.find(session, connection, stage)
        held = take(session, previews.KIND, row.id) if row is not None else None
    follow(hub, held, previews.work, label)
    return ended(hub, connection, stage)


def ended(hub: Hub, connection: str, stage: previews.Stage) -> PreviewRow:
    """Return a preview that has ended; raise `Retry` where a worker has it and does not end."""
    until = time.monotonic() + LONGEST
    while True:
        with hub.store.read(BY) as session:
            row = previews.find(session, connection, stage)
        if row is not None and row.state != "waiting":
            return row
        if time.monotonic() > until:
            raise Retry("a worker was busy with the same connection and has not ended; try again")
        time.sleep(0.2)


def check(hub: Hub, connection: str, label: str) -> None:
    """Check a connection as a worker does; its outcome is in the connection's row."""
    with hub.store.write(BY) as session:
        checks.request(session, connection)
        held = take(session, checks.KIND, connection)
    follow(hub, held, checks.run, label)


def take(session: Session, kind: str, subject: str) -> Claim | None:
    """Hold a piece of work that is due; nothing where a worker has it just now."""
    query = select(WorkRow).where(WorkRow.kind == kind, WorkRow.subject == subject)
    row = session.exec(query.with_for_update().execution_options(populate_existing=True)).one()
    return hold(session, row, WORKER) if row.state == "ready" else None


def follow(hub: Hub, held: Claim | None, work: Callable[[Hub, Claim], None], label: str) -> None:
    """Do a piece of work beside this thread, and show that it goes on; raise what it raises."""
    if held is None:
        return
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work(hub, held)
        except BaseException as error:  # handed to who waits
            raised.append(error)

    thread = threading.Thread(target=run, name="trial", daemon=True)
    with progress(label) as tick:
        began = time.monotonic()
        thread.start()
        while thread.is_alive() and time.monotonic() - began < LONGEST:
            thread.join(TICK)
            if thread.is_alive():
                tick()
                hold_on(hub, held)
    if thread.is_alive():
        raise Retry(
            f"there was no answer within {LONGEST:g} seconds; see whether the address is right"
        )
    if raised and not isinstance(raised[0], LeaseLost):
        raise raised[0]


def hold_on(hub: Hub, held: Claim) -> None:
    """Keep the work from the workers for another while; one that has it by now may end it."""
    with suppress(LeaseLost), hub.store.write(BY) as session:
        renew(session, held)


@contextmanager
def progress(label: str) -> Iterator[Callable[[], Any]]:
    """Show what is being done, and a dot for each second of it where somebody watches."""
    watched = sys.stderr.isatty()
    click.echo(f"{label} ...", err=True, nl=not watched)
    try:
        yield lambda: click.echo(".", err=True, nl=False) if watched else None
    finally:
        if watched:
            click.echo("", err=True)
