"""What a mail tells of a stop beside its text: which order, when, where, and the live page."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hub.access.tokens import tracking_token
from hub.errors import Missing
from hub.notify.letter import Button
from hub.nouns import Address
from hub.store import DepotRow, OrderRow, Session, StopRow
from hub.tracking import page, words
from hub.tracking.links import tracking_url

if TYPE_CHECKING:
    from hub.hub import Hub

Rows = tuple[tuple[str, str], ...]
OVER = {"completed": words.DONE, "partial": words.PARTLY}


def rows(session: Session, stop: StopRow) -> Rows:
    """Return the order, the time and the place of a stop, each with its name."""
    order = session.get_one(OrderRow, stop.order)
    zone = ZoneInfo(session.get_one(DepotRow, stop.depot).timezone)
    found = [("Order", order.number or order.ref), when(stop, zone)]
    where = Address.model_validate(order.address).text()
    return tuple((name, value) for name, value in [*found, ("Where", where)] if value)


def when(stop: StopRow, zone: ZoneInfo) -> tuple[str, str]:
    """Return when it was, or the window that was promised, or the day."""
    if stop.state in OVER and stop.ended_at is not None:
        at = stop.ended_at
        return OVER[stop.state][stop.kind], f"{date(at, zone)}, {words.clock(at, zone)}"
    start, end = stop.promised_start or stop.window_start, stop.promised_end or stop.window_end
    if start is not None and end is not None:
        return "When", f"{date(start, zone)}, {words.clock(start, zone)}–{words.clock(end, zone)}"
    return "When", date(datetime.combine(stop.service_date, datetime.min.time(), zone), zone)


def date(at: datetime, zone: ZoneInfo) -> str:
    """Return a day by its name and date: a mail may be read on another one."""
    there = at.astimezone(zone).date()
    return f"{words.WEEKDAYS[there.weekday()]} {there.day} {words.MONTHS[there.month - 1]}"


def button(hub: Hub, session: Session, stop: StopRow) -> Button | None:
    """Return the link to the live page of a stop, once that opens."""
    token = tracking_token(hub.keys, stop.id)
    try:
        page.opened(session, token)
    except Missing:
        return None
    over = stop.ended_at is not None
    return Button(
        label="See the delivery" if over else "Follow your delivery", url=tracking_url(hub, stop.id)
    )
