"""What went through a connection is counted by the hour, what waits by its state."""

from __future__ import annotations

from datetime import timedelta

from hub.connections.tally import last_calls, tallies
from hub.hub import Hub
from hub.store import (
    EffectRow,
    EventRow,
    RevisionRow,
    RunRow,
    Session,
    StepAttemptRow,
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
        given = {"url": "https://sms.example.com", "token": "token"}
        id = hub.connections.save(session, "sms", given).id
        idle = hub.connections.save(session, "sms", given).id
        about = step(session)
        for n, (state, outcome, hours) in enumerate(
            [("done", "ok", 0.5), ("done", "ok", 0.6), ("failed", "rejected", 3.5),
             ("done", "ok", 30), ("parked", "", 0), ("pending", "", 0)]
        ):  # fmt: skip
            effect = EffectRow(
                key=str(n), run=about.run, step=about.id, item=id, connection=id, state=state
            )
            session.add(effect)
            session.flush()
            at = session.wall - timedelta(hours=hours)
            if outcome:
                session.add(
                    StepAttemptRow(
                        effect=effect.id, number=1, outcome=outcome, started_at=at, ended_at=at
                    )
                )
    with hub.store.read() as session:
        found = tallies(session, [id, idle])
        calls = last_calls(session, id, 3)
    one = found[id]
    assert (one.good[23], one.bad[20], sum(one.good), sum(one.bad)) == (2, 1, 2, 1)
    assert (one.parked, one.due, one.waiting) == (1, 1, 2)
    assert one.words == "2 sent, 1 failed in 24 hours"
    assert [call.outcome for call in calls] == ["ok", "ok", "rejected"]
    assert one.sent_at == calls[0].at
    assert found[idle].words == "no calls in 24 hours"
