"""What helps to find a fault of a connection, without anything that opens something."""

from __future__ import annotations

import platform
import re
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import urlsplit

from sqlmodel import col, select

from hub.connections.fields import secret_fields
from hub.connections.states import standing
from hub.connections.tally import last_calls, tallies
from hub.store import ConnectionRow, EffectRow, PreviewRow, Session, WorkRow
from hub.web.admin.kinds import hooks_of
from hub.web.context import hub
from hub.workflow import checks, previews, pulls
from hub.workflow.usage import uses

HIDDEN = "(hidden)"
TELLING = re.compile(r"token|secret|passw|key|credential|auth", re.IGNORECASE)
"""Names of settings that are hidden even where the connector does not call them secret."""
INSTANTS = ("created_at", "checked_at", "check_at", "pull_at", "pulled_at", "rests_until",
            "paused_at", "previous_at", "troubled_at")  # fmt: skip


def diagnostics(session: Session, row: ConnectionRow) -> dict[str, Any]:
    """Return all that is known about a connection, secrets covered wherever they stand."""
    plugin = hub().plugins.owner(row.connector)
    now = standing(hub().connections, session, row)
    tally = tallies(session, [row.id])[row.id]
    found = {
        "hub": {"version": installed(), "python": platform.python_version()},
        "plugin": {
            "name": plugin.name, "distribution": plugin.distribution, "version": plugin.version,
            "error": plugin.error,
        } if plugin else None,
        "connector": {"name": row.connector, "kinds": hooks_of(row.connector)},
        "connection": {
            "id": row.id, "title": row.title, "merchant": row.merchant, "enabled": row.enabled,
            "state": row.state, "shown": now.state, "why": now.why, "failures": row.failures,
            "mapping": row.mapping, "cursor": row.cursor,
            **{name: getattr(row, name) for name in INSTANTS},
        },
        "settings": plain_settings(row),
        "last_24_hours": {
            "sent": sum(tally.good), "failed": sum(tally.bad), "parked": tally.parked,
            "due": tally.due,
        },
        "last_calls": [
            {"at": one.at, "outcome": one.outcome, "message": one.message}
            for one in last_calls(session, row.id, 20)
        ],
        "work": work_of(session, row.id),
        "used_by": [one.workflow for one in uses(hub(), session, row)],
    }  # fmt: skip
    covered: dict[str, Any] = hub().connections.cover(row, found)
    return covered


def installed() -> str:
    """Return the version of the hub."""
    try:
        return version("lastmile-hub")
    except PackageNotFoundError:
        return "not installed as a package"


def plain_settings(row: ConnectionRow) -> dict[str, Any]:
    """Return the settings that are no secret and do not look like one."""
    plugin = hub().plugins.owner(row.connector)
    secret = secret_fields(plugin.connectors[row.connector].Config) if plugin else set()
    shown = {name: bare(name, value) for name, value in row.config.items()}
    return {**shown, **dict.fromkeys(sorted(secret), HIDDEN)}


def bare(name: str, value: Any) -> Any:
    """Return a setting without what opens something: hidden by its name, or inside an address."""
    if TELLING.search(name):
        return HIDDEN
    if isinstance(value, dict):
        return {key: bare(str(key), one) for key, one in value.items()}
    if isinstance(value, list):
        return [bare(name, one) for one in value]
    if isinstance(value, str) and "://" in value:
        try:
            parts = urlsplit(value)
            host = parts.netloc.rpartition("@")[2]
        except ValueError:
            return HIDDEN
        asked = f"?{HIDDEN}" if parts.query or parts.fragment else ""
        return f"{parts.scheme}://{host}{parts.path}{asked}"
    return value


def work_of(session: Session, connection: str) -> list[dict[str, Any]]:
    """Return the work that is about a connection and has not ended well."""
    effects = select(EffectRow.id).where(EffectRow.connection == connection)
    tried = select(PreviewRow.id).where(PreviewRow.connection == connection)
    query = select(WorkRow).where(
        (col(WorkRow.kind).in_([checks.KIND, pulls.KIND]) & (WorkRow.subject == connection))
        | ((col(WorkRow.kind) == "effect") & col(WorkRow.subject).in_(effects))
        | ((col(WorkRow.kind) == previews.KIND) & col(WorkRow.subject).in_(tried)),
        WorkRow.state != "done",
    )
    rows = session.exec(query.order_by(col(WorkRow.created_at).desc()).limit(50))
    return [
        {
            "kind": row.kind, "state": row.state, "not_before": row.not_before, "tries": row.tries,
            "losses": row.losses, "error": row.error, "created_at": row.created_at,
        }
        for row in rows
    ]  # fmt: skip
