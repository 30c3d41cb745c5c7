"""Take a driver's report together with the proof that an ending makes: one transaction."""

from __future__ import annotations

import hashlib
from typing import Any

from hub.dispatch.held import Held
from hub.driving import reports
from hub.driving.words import Report, moment
from hub.events.facts import ProofFacts
from hub.hub import Hub
from hub.proofs import record, uploads
from hub.store import AttemptRow, Session
from hub.tracking import eta


def report(
    hub: Hub,
    session: Session,
    driver: str,
    said: Report,
    *,
    device: str = "",
    raw: bytes | None = None,
) -> dict[str, Any]:
    """Apply one report of `driver` (an id), prove an ending, and let every ETA follow.

    `device` stays the same for one phone, `raw` is the report's JSON as it was sent. Returns and
    raises what `hub.driving.reports.report` does; a file that this driver has not uploaded is
    `Refused`.
    """
    body = raw if raw is not None else said.model_dump_json().encode()

    def prove(attempt: AttemptRow) -> ProofFacts:
        capture = record.Capture(
            report=str(said.id),
            sha256=hashlib.sha256(body).hexdigest(),
            when=moment(said.at, attempt.recorded_at),
            device=device,
            files=tuple(uploads.find(session, driver, said.files)),
        )
        made = record.make(hub, session, attempt, capture)
        return ProofFacts(id=made.id, sha256=made.sha256)

    def follow(held: Held) -> None:
        eta.after_report(session, held)

    return reports.report(hub, session, driver, said, prove=prove, after=follow, raw=body)
