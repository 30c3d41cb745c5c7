"""The audit log: who did what and when, to read, to narrow down, to take along as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request
from sqlmodel import col, select

from hub.access import audit, scoped
from hub.access.audit import Wanted
from hub.errors import Refused
from hub.store import AuditRow, MerchantRow, Session
from hub.web.admin.settings import render_settings
from hub.web.context import read
from hub.web.frame import zone_name
from hub.web.policy import allow

blueprint = Blueprint("audit", __name__, url_prefix="/admin/audit")
SHOWN = 50
MOST = 20_000
"""Rows of one file; narrow the days down for more."""
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
"""What a spreadsheet may take for the beginning of a formula (ASVS 1.2.10)."""
COLUMNS = (
    "at", "who", "name", "via", "action", "subject", "merchant", "text", "times", "address",
)  # fmt: skip
VIA = {"session": "", "key": "with an API key", "command": "at the command line"}
"""How somebody did it, in words, where it is not the usual way."""


@blueprint.get("")
@allow("owner")
def page() -> str:
    """Show the log, newest first, narrowed down to what was asked for."""
    before = request.args.get("before", "")
    with read() as session:
        wanted = asked()
        rows = audit.entries(session, wanted, before=before, limit=SHOWN + 1)
        more = rows[SHOWN - 1].id if len(rows) > SHOWN else ""
        merchants = {row.id: row.name for row in session.exec(scoped(session, MerchantRow))}
        people, actions = known_people(session), known_actions(session)
    return render_settings(
        "admin/settings/audit.html",
        rows=rows[:SHOWN],
        more=more,
        before=before,
        merchants=merchants,
        people=people,
        actions=actions,
        asked=request.args,
        narrowed={name: value for name, value in request.args.items() if name != "before"},
        via=VIA,
        narrow=any((wanted.who, wanted.action, wanted.subject, wanted.since)),
    )


@blueprint.get("/export.csv")
@allow("owner")
def export() -> Response:
    """Return what was asked for as CSV, safe to open in a spreadsheet."""
    with read() as session:
        rows = audit.entries(session, asked(), limit=MOST)
    name = f"audit-{datetime.now(ZoneInfo(zone_name())):%Y-%m-%d}.csv"
    return Response(
        "\ufeff" + "".join(lines(rows)),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def lines(rows: list[AuditRow]) -> Iterator[str]:
    """Yield the lines of the file."""
    yield line(COLUMNS)
    for row in rows:
        yield line([getattr(row, name) for name in COLUMNS])


def line(values: Any) -> str:
    """Return one line, every value of it harmless."""
    file = io.StringIO()
    csv.writer(file).writerow([harmless(value) for value in values])
    return file.getvalue()


def harmless(value: object) -> str:
    """Return a value that no spreadsheet takes for a formula."""
    text = value.isoformat() if isinstance(value, datetime) else str(value or "")
    return f"'{text}" if text.startswith(DANGEROUS) else text


def asked() -> Wanted:
    """Return what the address of the page asks for; raise `Refused` for a day that is none."""
    names = ("who", "action", "subject")
    who, action, subject = (request.args.get(name, "").replace("\0", "")[:100] for name in names)
    day = day_of(request.args.get("day", ""))
    zone = ZoneInfo(zone_name())
    since = datetime.combine(day, time(), zone) if day else None
    until = datetime.combine(day + timedelta(days=1), time(), zone) if day else None
    return Wanted(who, action, subject, since, until)


def day_of(text: str) -> date | None:
    """Return the day in a form, nothing for none."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused(f"{text[:20]!r} is no date; write it as 2026-11-23", "day") from None


def known_people(session: Session) -> list[tuple[str, str]]:
    """Return everybody who did something, as (id, latest name), by name."""
    query = select(AuditRow.who, AuditRow.name).where(AuditRow.who != "")
    found = dict(session.exec(query.distinct().order_by(AuditRow.name)).all())
    return sorted(found.items(), key=lambda one: one[1].lower())


def known_actions(session: Session) -> list[str]:
    """Return every kind of thing that was done."""
    return list(session.exec(select(AuditRow.action).distinct().order_by(col(AuditRow.action))))
