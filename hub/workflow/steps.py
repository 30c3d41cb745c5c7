"""Run one step: decide whether, then act, wait, or open the steps within it."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlmodel import select

from hub.actions import Action, ActionInput, Inside, Outward
from hub.errors import PluginError
from hub.queue.faults import reach
from hub.queue.work import Claim, LeaseLost, bury, defer, enqueue, finish, postpone
from hub.store import ConnectionRow, EffectRow, Session, StepRow
from hub.store.database import Busy
from hub.workflow import pauses
from hub.workflow.branches import open_block
from hub.workflow.effects import settle_step
from hub.workflow.failures import described, kind_of
from hub.workflow.library import Library
from hub.workflow.pace import admitted_at
from hub.workflow.problem import Invalid
from hub.workflow.runs import end_step, give_up
from hub.workflow.samples import sample
from hub.workflow.scene import INSTEAD, Scene, scene
from hub.workflow.templates import Template, written

if TYPE_CHECKING:
    from hub.hub import Hub

LOOK_AGAIN = timedelta(minutes=1)
"""How soon a step asks again whether its plugin was switched on."""


def run(library: Library, hub: Hub, claim: Claim) -> None:
    """Do the work `step` of one claimed row; its subject is the step's id."""
    try:
        here = scene(hub, library, claim.subject)
    except Invalid as error:
        with hub.store.write() as session:
            if session.get_one(StepRow, claim.subject).state == "pending":
                give_up(session, claim.subject, error)
                bury(session, claim, str(error))
            else:
                finish(session, claim)
        return
    if here.step.state != "pending":
        with hub.store.write() as session:
            finish(session, claim)
        return
    try:
        advance(hub, claim, here)
    except (LeaseLost, Busy):
        raise
    except Exception as error:  # whatever an action raises is this step's own failure
        settle_failure(hub, claim, here, error)


def advance(hub: Hub, claim: Claim, here: Scene) -> None:
    """Skip the step, or do what its kind asks for."""
    if here.step.started_at is not None and here.move.kind in pauses.KINDS:
        pauses.go_on(hub, claim, here)
        return
    chosen = here
    if not pauses.fresh(hub, here) or not here.wanted():
        other = here.instead() if pauses.fresh(hub, here) else None
        if other is None:
            skip(hub, claim, here)
            return
        chosen = other
    if chosen.move.kind in pauses.KINDS:
        pauses.begin(hub, claim, chosen)
    elif chosen.move.kind == "use":
        act(hub, claim, chosen)
    else:
        open_block(hub, claim, chosen)


def skip(hub: Hub, claim: Claim, here: Scene) -> None:
    """End a step that is not wanted."""
    with hub.store.write(here.principal) as session:
        end_step(session, here.step.id, here.course, "skipped")
        reach("before_commit")
        finish(session, claim)


def act(hub: Hub, claim: Claim, here: Scene) -> None:
    """Do an action in one transaction, or store what it wants done outside."""
    given, action = here.given(), here.action
    if here.run.mode == "shadow":
        pretend(hub, claim, here, action)
        return
    if is_off(hub, action):
        with hub.store.write(here.principal) as session:
            why = f"the plugin that brings {action.name} is switched off"
            postpone(session, claim, session.wall + LOOK_AGAIN, why)
        return
    wait = admitted_at(hub, here)
    if wait > 0:
        with hub.store.write(here.principal) as session:
            postpone(session, claim, session.wall + timedelta(seconds=wait), "its rate limit")
        return
    if isinstance(action, Inside):
        inside(hub, claim, here, action, given)
    elif isinstance(action, Outward):
        fan_out(hub, claim, here, action, given)
    else:
        raise PluginError(f"{action.name} is neither an inside nor an outward action")


def is_off(hub: Hub, action: Action) -> bool:
    """Say whether an action belongs to a plugin that is switched off: its steps wait, then."""
    plugin = hub.plugins.offering(action.name)
    if plugin is None:
        return False
    with hub.store.read() as session:
        return not hub.connections.is_plugin_on(session, plugin.name)


def pretend(hub: Hub, claim: Claim, here: Scene, action: Action) -> None:
    """Record what a step of a shadow run would do; nothing is done."""
    with hub.store.write(here.principal) as session:
        begin(session, here)
        end_step(session, here.step.id, here.course, "done", output=sample(action.Output))
        reach("before_commit")
        finish(session, claim)


def inside(hub: Hub, claim: Claim, here: Scene, action: Inside, given: ActionInput) -> None:
    """Do an inside action: its rows, the step's end and the next step commit together."""
    with hub.store.write(here.principal) as session:
        here.stage(session)
        begin(session, here)
        output = checked(action, action.run(hub, session, given))
        end_step(session, here.step.id, here.course, "done", output=output)
        reach("before_commit")
        finish(session, claim)


def fan_out(hub: Hub, claim: Claim, here: Scene, action: Outward, given: ActionInput) -> None:
    """Store one effect per item and make each due; those that are done stay done."""
    with hub.store.write(here.principal) as session:
        here.stage(session)
        begin(session, here)
        for item in dict.fromkeys(action.items(hub, session, given)):
            effect = effect_for(session, here, item)
            if effect.state != "done":
                effect.state, effect.tries, effect.error = "pending", 0, {}
                enqueue(session, "effect", effect.id, queue="outward")
        session.flush()
        settle_step(session, here, action)
        reach("before_commit")
        finish(session, claim)


def effect_for(session: Session, here: Scene, item: str) -> EffectRow:
    """Return the effect of one item, under the key that it keeps for ever."""
    key = f"{own_key(here)}:{item}"
    known = session.exec(select(EffectRow).where(EffectRow.key == key)).one_or_none()
    if known is not None:
        return known
    connection = session.get(ConnectionRow, item)
    made = EffectRow(
        key=key,
        run=here.run.id,
        step=here.step.id,
        item=item,
        connection=connection.id if connection else None,
    )
    session.add(made)
    return made


def own_key(here: Scene) -> str:
    """Return the key of a step's calls: the workflow's own, which all its runs share, or run:step.

    Whichever run comes first makes the call; for the others it is done.
    """
    key = here.move.effect_key
    if key is None:
        return f"{here.run.id}:{here.step.path}"
    text = written(key.value(here.data)) if isinstance(key, Template) else key
    return f"{here.run.workflow}:{here.step.path}:{text}"


def begin(session: Session, here: Scene) -> None:
    """Mark the step as running, with its input as it may be kept."""
    step = session.get_one(StepRow, here.step.id)
    step.state, step.started_at = "running", step.started_at or session.now
    step.input = here.covered(here.values())
    if here.course.move(step.path).otherwise is here.move:
        step.input = {**step.input, INSTEAD: True}


def checked(action: Action, output: Any) -> dict[str, Any]:
    """Return an action's output as JSON; raise `PluginError` where it is not what it declares."""
    if not isinstance(output, action.Output):
        raise PluginError(f"{action.name} returned {output!r}, not its {action.Output.__name__}")
    return output.model_dump(mode="json")


def settle_failure(hub: Hub, claim: Claim, here: Scene, error: Exception) -> None:
    """Make a failed step due again where its policy allows, else end it as failed."""
    kind, text = kind_of(error), here.covered(str(error))
    policy = here.move.retry
    with hub.store.write(here.principal) as session:
        if kind in ("retry", "unknown", "error") and policy.allows(kind, claim.tries):
            asked = getattr(error, "after", None) or 0.0
            seconds = max(asked, policy.wait(claim.tries, random.random()))
            defer(session, claim, session.wall + timedelta(seconds=seconds), text)
            return
        described_error = here.covered(described(here.step.path, error))
        end_step(session, here.step.id, here.course, "failed", error=described_error)
        reach("before_commit")
        bury(session, claim, text)
