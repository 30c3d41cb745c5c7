"""What went through a connection is counted by the hour, what waits by its state."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import col, select

from hub.connections import activity
from hub.connections.tally import last_calls, tallies
from hub.hub import Hub
from hub.store import (
    ActivityRow,
    EffectRow,
    EventRow,
    RevisionRow,
    RunRow,
    Session,
    StepRow,
    WorkflowRow,
)
from hub.testing.fixtures import MORNING


def step(session: Session) -> StepRow:
    event = EventRow(type="stop.completed", subject="s", occurred_at=MORNING, recorded_at=MORNING)
    session.add_all([event, WorkflowRow(name="w")])
    session.flush()
    revision = RevisionRow(workflow="w", number=1, text="", sha256="1", saved_at=MORNING)
    session.add(revision)
    session.flush()
    run = RunRow(workflow="w", revision=revision.id, event=event.id, started_at=MORNING)
    session.add(run)
    session.flush()
    made = StepRow(run=run.id, path="p", number=0)
    session.add(made)
    session.flush()
    return made


def test_calls_count_by_the_hour_and_records_by_what_they_wait_for(hub: Hub) -> None:
    with hub.store.write() as session:
        kept = hub.connections.save(session, "folder", {"path": "/srv/a"})
        idle = hub.connections.save(session, "folder", {"path": "/srv/b"}).id
        about = step(session)
        for what, outcome, hours in (
            ("send", "ok", 0.5), ("delivery", "done", 0.6), ("pull", "rejected", 3.5),
            ("send", "ok", 30), ("check", "ok", 0.1), ("delivery", "waiting", 0.1),
        ):  # fmt: skip
            activity.note(session, kept, "out", what, outcome, text=what)
            session.flush()
            row = session.exec(select(ActivityRow).order_by(col(ActivityRow.id).desc())).first()
            assert row is not None
            row.at = session.now - timedelta(hours=hours)
        for number, state in enumerate(("parked", "pending", "done")):
            given = {"run": about.run, "step": about.id, "item": kept.id, "connection": kept.id}
            session.add(EffectRow(key=str(number), state=state, **given))
    with hub.store.read() as session:
        found = tallies(session, [kept.id, idle])
        calls = last_calls(session, kept.id, 3)
    one = found[kept.id]
    assert (one.good[23], one.bad[20], sum(one.good), sum(one.bad)) == (2, 1, 2, 1)
    assert (one.parked, one.due, one.waiting) == (1, 1, 2)
    assert one.words == "2 done, 1 failed in 24 hours"
    assert [call.message for call in calls] == ["send", "delivery", "pull"]
    assert one.last_at == calls[0].at
    assert found[idle].words == "no calls in 24 hours"
