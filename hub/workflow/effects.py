"""One outward call: its key never changes, and it is never sent twice without a reason.

The row says `calling` from before the call until its end is committed. Who finds it so has to
assume that the call may have happened: it is sent again only where the other side drops a
repeated key, else it waits as unknown for a person.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func
from sqlmodel import select

from hub.actions import ActionInput, Call, Outward
from hub.connections import activity
from hub.connections.book import Parked
from hub.connections.containment import bounded
from hub.connections.grants import doubt, waits
from hub.connections.pulse import fails, hangs, probed, rests, works
from hub.connector import Connector
from hub.deadlines import deadline
from hub.errors import HubError, Missing, PluginError, Unknown
from hub.nouns import Receipt
from hub.queue.faults import reach
from hub.queue.work import Claim, LeaseLost, bury, defer, finish, park, postpone
from hub.store import ConnectionRow, EffectRow, RunRow, Session, StepAttemptRow, StepRow
from hub.store.database import Busy
from hub.workflow.failures import described, kind_of, message_of
from hub.workflow.library import Library
from hub.workflow.parking import expire
from hub.workflow.problem import Invalid
from hub.workflow.runs import end_step, give_up
from hub.workflow.scene import Scene, scene

if TYPE_CHECKING:
    from hub.hub import Hub

ENDED = ("done", "failed", "unknown")
LOST_BEFORE_CALL = 5
"""How often in a row a worker may die while it makes ready what is sent."""


class Lost(HubError):
    """Say that a worker died while it held this work."""


@dataclass(frozen=True)
class Sending:
    """One try at one effect."""

    claim: Claim
    here: Scene
    action: Outward
    given: ActionInput | None
    """None where the input cannot be made any more, for example because a person was erased."""
    effect: str
    call: Call
    began: datetime


def run(library: Library, hub: Hub, claim: Claim) -> None:
    """Do the work `effect` of one claimed row; its subject is the effect's id."""
    with hub.store.read() as session:
        effect = session.get_one(EffectRow, claim.subject)
    if effect.state in ENDED or is_cancelled(hub, effect):
        with hub.store.write() as session:
            finish(session, claim)
        return
    try:
        here = scene(hub, library, effect.step)
    except Invalid as error:
        abandon(hub, claim, error)
        return
    action = here.action
    if not isinstance(action, Outward):
        raise PluginError(f"{action.name} is no longer an outward action")
    call = Call(effect.key, effect.connection or "", here.run.merchant)
    began = hub.store.clock.wall()
    try:
        given = here.given()
    except HubError as error:
        settle(hub, Sending(claim, here, action, None, effect.id, call, began), error)
        return
    send(hub, Sending(claim, here, action, given, effect.id, call, began))


def is_cancelled(hub: Hub, effect: EffectRow) -> bool:
    """Say whether its run, or its step, was ended before its time: nothing more is sent for it."""
    with hub.store.read() as session:
        states = {
            session.get_one(RunRow, effect.run).state, session.get_one(StepRow, effect.step).state,
        }  # fmt: skip
    return "cancelled" in states


def abandon(hub: Hub, claim: Claim, error: Invalid) -> None:
    """End an effect whose run's revision no longer compiles."""
    with hub.store.write() as session:
        effect = session.get_one(EffectRow, claim.subject)
        effect.state = "failed"
        effect.error = give_up(session, effect.step, error)
        bury(session, claim, str(error))


def send(hub: Hub, sending: Sending) -> None:
    """Make ready, call and record the end; each in its own transaction or in none."""
    try:
        connector = ready(hub, sending)
        if connector is None:
            return
        noun = sending.action.prepare(hub, sending.given, sending.call)
        connector = calling(hub, sending)
        if connector is None:
            return
    except (LeaseLost, Busy):
        raise
    except Exception as error:  # nothing was sent yet, whatever went wrong
        settle(hub, sending, error)
        return
    reach("before_call")
    try:
        move = sending.here.move
        limit, sign = deadline(move.timeout or 0), deadline(move.heartbeat or 0, beats=True)
        with limit, sign, hub.connections.contained(connector):
            receipt = bounded(connector, sending.action.call(connector, noun))
    except Exception as error:  # a connector may raise anything; it ends as a recorded attempt
        settle(hub, sending, doubted(error, connector))
        return
    reach("after_call")
    succeed(hub, sending, receipt)


def doubted(error: Exception, connector: Connector[Any]) -> Exception:
    """Return `Unknown` for an unforeseen error of a connector that cannot drop a repetition.

    It may have come after the request was sent, so calling again could do the thing twice.
    """
    if kind_of(error) == "error" and not connector.keyed:
        return Unknown(f"{message_of(error)}; nobody can tell whether it was sent")
    return error


def ready(hub: Hub, sending: Sending) -> Connector[Any] | None:
    """Return the connector, or None where the work now waits or has ended.

    A try that a dead worker left behind is accounted for first.
    """
    with hub.store.read(sending.here.principal) as session:
        effect = session.get_one(EffectRow, sending.effect)
        row = connection_of(session, effect)
        connector = hub.connections.build(session, row)
    if effect.state == "calling" and not resume(hub, sending, connector):
        return None
    claim = sending.claim
    if effect.state == "pending" and claim.lost and claim.losses >= LOST_BEFORE_CALL:
        raise PluginError(f"the worker died {claim.losses} times while making this ready")
    with hub.store.read(sending.here.principal) as session:
        try:
            return hub.connections.usable(session, row.id)
        except Parked:
            pass
    return calling(hub, sending, only_park=True)


def resume(hub: Hub, sending: Sending, connector: Connector[Any]) -> bool:
    """Account for a call whose worker died before it could say how it ended.

    Return whether it may be made again: only with the same key to a side that drops repetitions.
    """
    why = sending.claim.why or "the worker died during the call"
    error = Lost(f"{why}; its outcome is not known")
    again = connector.keyed and sending.action.on_unknown == "resend"
    with hub.store.write(sending.here.principal) as session:
        here = sending.here
        here.stage(session)
        step, effect = locked(session, sending)
        note(session, sending, effect, "lost", str(error))
        blame = hangs if sending.claim.hung else fails
        blame(connection_of(session, effect), session.wall, f"A call did not come back: {why}")
        if again and here.move.retry.allows("lost", effect.tries):
            effect.state = "pending"
            return True
        lay_down(session, sending, effect, error, "unknown")
        settle_step(session, here, sending.action)
        reach("before_commit")
        bury(session, sending.claim, f"{step.path}: {error}")
    return False


def calling(hub: Hub, sending: Sending, *, only_park: bool = False) -> Connector[Any] | None:
    """Commit that the call is about to be made and return its connector, or park the work."""
    with hub.store.write(sending.here.principal) as session:
        effect = session.get_one(EffectRow, sending.effect, with_for_update=True)
        try:
            connector = hub.connections.usable(session, sending.call.connection)
        except Parked:
            # Locking the connection waits for whoever is switching it on at this moment, whose
            # release could not see this effect yet.
            session.get_one(
                ConnectionRow, sending.call.connection, with_for_update=True, populate_existing=True
            )
            try:
                connector = hub.connections.usable(session, sending.call.connection)
            except Parked as error:
                effect.state = "parked"
                park(session, sending.claim, str(error))
                return None
        if only_park:
            defer(session, sending.claim, session.wall)
            return None
        row = connection_of(session, effect)
        until = rests(row, session.wall) or probed(session, row, effect.id)
        if until is not None:
            postpone(session, sending.claim, until, "its connection is left alone for a while")
            return None
        effect.state, effect.tries = "calling", effect.tries + 1
        reach("before_commit")
    return connector


def succeed(hub: Hub, sending: Sending, receipt: Receipt) -> None:
    """Record that the call was made, with all that follows, in one transaction."""
    with hub.store.write(sending.here.principal) as session:
        sending.here.stage(session)
        _, effect = locked(session, sending)
        note(session, sending, effect, "ok", receipt.detail)
        effect.state, effect.error = "done", {}
        effect.output = sending.here.covered(receipt.model_dump(mode="json"))
        works(connection_of(session, effect), session.wall)
        sending.action.done(session, sending.given, sending.call, receipt)
        settle_step(session, sending.here, sending.action)
        reach("before_commit")
        finish(session, sending.claim)


def settle(hub: Hub, sending: Sending, error: Exception) -> None:
    """Record a failed try: later again, parked until a person reconnects, or for good."""
    kind, here, claim = kind_of(error), sending.here, sending.claim
    text = here.covered(message_of(error))
    with hub.store.write(here.principal) as session:
        here.stage(session)
        _, effect = locked(session, sending)
        note(session, sending, effect, kind, text)
        if kind == "unauthorized" and effect.connection:
            refused(hub, session, sending, effect, text)
            return
        if kind == "retry" and effect.state == "calling":
            after = getattr(error, "after", None)
            fails(connection_of(session, effect), session.wall, text, after)
        tried = effect.tries + (effect.state != "calling")
        if may_repeat(hub, session, sending, effect, kind, tried):
            effect.state, effect.tries = "pending", tried
            defer(session, claim, session.wall + pause(here, error, tried), text)
            return
        lay_down(session, sending, effect, error, "unknown" if kind == "unknown" else "failed")
        settle_step(session, here, sending.action)
        reach("before_commit")
        bury(session, claim, text)


def refused(hub: Hub, session: Session, sending: Sending, effect: EffectRow, text: str) -> None:
    """Let an effect wait whose credentials were refused: for a renewal, or for a person."""
    row = connection_of(session, effect, held=True)
    effect.tries = max(effect.tries - 1, 0)
    if doubt(row, sending.began, session.wall) and not waits(row, session.wall):
        effect.state = "pending"
        postpone(session, sending.claim, session.wall, text)
        return
    if not waits(row, session.wall):
        expire(hub, session, row.id, text)
    effect.state = "parked"
    park(session, sending.claim, text)


def may_repeat(
    hub: Hub, session: Session, sending: Sending, effect: EffectRow, kind: str, tried: int
) -> bool:
    """Say whether a failure of `kind` may be followed by another try."""
    if kind not in ("retry", "unknown", "error"):
        return False
    if kind == "unknown":
        keyed = hub.connections.build(session, connection_of(session, effect)).keyed
        if not (keyed and sending.action.on_unknown == "resend"):
            return False
    return sending.here.move.retry.allows(kind, tried)


def pause(here: Scene, error: Exception, tried: int) -> timedelta:
    """Return how long to wait before the next try: what was asked for, and our own patience."""
    asked = getattr(error, "after", None) or 0.0
    return timedelta(seconds=max(asked, here.move.retry.wait(tried, random.random())))


def lay_down(
    session: Session, sending: Sending, effect: EffectRow, error: Exception, state: str
) -> None:
    """End an effect as failed or unknown, and tell its action."""
    effect.state = state
    effect.error = sending.here.covered(described(sending.here.step.path, error))
    if state == "unknown":
        effect.error = {**effect.error, "kind": "unknown"}
    known = error if isinstance(error, HubError) else PluginError(message_of(error))
    if sending.given is not None:
        sending.action.failed(session, sending.given, sending.call, known)


def settle_step(session: Session, here: Scene, action: Outward) -> None:
    """End the step once every one of its effects has ended."""
    session.flush()
    effects = session.exec(
        select(EffectRow).where(EffectRow.step == here.step.id).order_by(EffectRow.id)
    ).all()
    if any(effect.state not in ENDED for effect in effects):
        return
    bad = [effect for effect in effects if effect.state != "done"]
    if bad:
        end_step(session, here.step.id, here.course, "failed", error=bad[0].error)
        return
    output = action.output([effect.output for effect in effects])
    end_step(session, here.step.id, here.course, "done", output=output.model_dump(mode="json"))


def locked(session: Session, sending: Sending) -> tuple[StepRow, EffectRow]:
    """Return the step and the effect, held until the end of the transaction.

    The step first: two effects that end at once would each take the other for unfinished.
    """
    step = session.get_one(StepRow, sending.here.step.id, with_for_update=True)
    return step, session.get_one(EffectRow, sending.effect, with_for_update=True)


def connection_of(session: Session, effect: EffectRow, held: bool = False) -> ConnectionRow:
    """Return the connection that an effect goes through; raise `Missing` where it is gone."""
    more: dict[str, Any] = {"with_for_update": True, "populate_existing": True} if held else {}
    row = session.get(ConnectionRow, effect.connection, **more) if effect.connection else None
    if row is None:
        raise Missing(f"there is no connection {effect.item}")
    return row


def note(session: Session, sending: Sending, effect: EffectRow, outcome: str, text: str) -> None:
    """Store how one try ended, for its run and in the log of its connection."""
    row = session.get(ConnectionRow, effect.connection) if effect.connection else None
    if row is not None and effect.state != "pending":
        text = sending.here.covered(text)
        said = f"{sending.action.name}: {text}" if text else sending.action.name
        activity.note(
            session, row, "out", "send", outcome, began=sending.began, about=effect.run, text=said
        )
    last = session.exec(
        select(func.max(StepAttemptRow.number)).where(StepAttemptRow.effect == effect.id)
    ).one()
    session.add(
        StepAttemptRow(
            effect=effect.id,
            number=(last or 0) + 1,
            outcome=outcome,
            message=sending.here.covered(text)[:1000],
            started_at=sending.began,
            ended_at=session.wall,
        )
    )
