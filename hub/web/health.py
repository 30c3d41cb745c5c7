"""Whether this process lives and whether it can do its work."""

from __future__ import annotations

from flask import Blueprint, Response
from sqlmodel import select

from hub.store import SettingRow, migrations
from hub.web.answers import answer
from hub.web.context import hub
from hub.web.policy import allow

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@allow("public")
def healthz() -> Response:
    """Answer as long as the process can."""
    return answer({"alive": True})


@blueprint.get("/readyz")
@allow("public")
def readyz() -> Response:
    """Say whether database and queue can be reached and the schema is the newest."""
    with hub().store.read() as session:
        session.exec(select(SettingRow.name).limit(1)).first()
    checks = {
        "database": True,
        "schema": migrations.current(hub().store) == migrations.newest(),
        "queue": reachable(),
    }
    # The queue is a doorbell: without it work waits, but nothing that is accepted is lost.
    ready = checks["database"] and checks["schema"]
    return answer({"ready": ready, **checks}, 200 if ready else 503)


def reachable() -> bool:
    """Say whether Redis answers."""
    from redis.exceptions import RedisError

    try:
        return bool(hub().redis.ping())
    except RedisError:
        return False
