"""What happens when: workflows as YAML, decided once per event, run step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.hub import Hub


def register(hub: Hub) -> None:
    """Add the engine's kinds of work, what time wakes, and what keeps connections."""
    from functools import partial

    from hub.workflow import effects, engine, runs, steps, timers
    from hub.workflow.library import library_of

    library = library_of(hub)
    hub.handlers["evaluate"] = partial(engine.evaluate, library)
    hub.handlers[runs.RUN_KIND] = partial(engine.start_or_end, library)
    hub.rounds.append(partial(timers.go_round, library))
    hub.handlers["step"] = partial(steps.run, library)
    hub.handlers["effect"] = partial(effects.run, library)
    keep_connections(hub)


def keep_connections(hub: Hub) -> None:
    """Add the work that checks connections, renews their access, and takes in what they bring."""
    from hub.workflow import (
        checks,
        consents,
        deliveries,
        incoming,
        invitations,
        previews,
        pulls,
        rejects,
        renewals,
        reports,
        subscriptions,
        trackers,
    )

    hub.handlers[checks.KIND] = checks.run
    hub.rounds.append(checks.go_round)
    hub.handlers[pulls.KIND] = pulls.work
    hub.rounds.append(pulls.go_round)
    hub.handlers[previews.KIND] = previews.work
    hub.rounds.append(previews.go_round)
    hub.handlers[consents.KIND] = consents.run
    hub.handlers[consents.LAPSE] = consents.lapse
    hub.handlers[renewals.KIND] = renewals.run
    hub.rounds.append(renewals.go_round)
    hub.handlers[trackers.KIND] = trackers.work
    hub.rounds.append(trackers.go_round)
    hub.handlers[subscriptions.KIND] = subscriptions.run
    hub.handlers[subscriptions.LEAVE] = subscriptions.run_leave
    hub.rounds.append(subscriptions.go_round)
    hub.handlers[invitations.KIND] = invitations.work
    hub.handlers[reports.KIND] = reports.work
    hub.rounds.append(reports.go_round)
    hub.handlers[rejects.REREAD] = pulls.reread
    hub.handlers[incoming.KIND] = deliveries.work
