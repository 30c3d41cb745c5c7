"""The story of a stop for the one who waits: first when it comes, then how it stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from hub.nouns import Noun
from hub.store import StopRow
from hub.tracking import words
from hub.tracking.forecast import interval

Mood = Literal["waiting", "moving", "done", "trouble"]


@dataclass(frozen=True)
class View:
    """A stop as its recipient may know it; `running` says that its route has set off."""

    stop: StopRow
    now: datetime
    zone: ZoneInfo
    running: bool
    ahead: int
    """How many stops come before this one."""
    driver: str
    driver_name: str
    """First name; empty where it is not to be shown."""


class Told(Noun):
    """The page's text, from the largest type to the smallest."""

    mood: Mood
    eyebrow: str
    headline: str
    status: str
    note: str = ""
    step: int
    """1 to 4."""
    steps: tuple[str, str, str, str]
    over: bool = False
    """Nothing more will change; the page can stop asking."""
    call: bool = False
    """Whether the shop's phone number should stand out."""


def tell(view: View, *, cancelled: bool) -> Told:
    """Return the story of a stop at this moment."""
    state = "cancelled" if cancelled else view.stop.state
    if state in ("completed", "partial"):
        return done(view, state)
    if state in ("failed", "returning", "returned"):
        return failed(view)
    if state == "cancelled":
        return aside(view, "Cancelled", "This order was called off; nobody will come.", over=True)
    if state in ("on_hold", "skipped"):
        return aside(view, "Not today", "We will find a new time for it.")
    if state == "arrived":
        return arrived(view)
    if state == "en_route" and view.running:
        return on_the_way(view)
    return expected(view)


def done(view: View, state: str) -> Told:
    """Tell that it was handed over, at least in part."""
    stop, at = view.stop, view.stop.ended_at or view.now
    names = words.DONE if state == "completed" else words.PARTLY
    status = {
        "delivery": "It was handed over.",
        "collection": "It was picked up.",
        "service": "The visit is done.",
    }[stop.kind]
    partly = "Not everything could be handed over."
    return Told(
        mood="done",
        eyebrow=f"{names[stop.kind]} {words.day(at, view.now, view.zone)} at",
        headline=words.clock(at, view.zone),
        status=status if state == "completed" else partly,
        note=words.reason(stop.reason) + "." if state == "partial" and stop.reason else "",
        step=4,
        steps=words.STEPS[stop.kind],
        over=True,
        call=state == "partial",
    )


def failed(view: View) -> Told:
    """Tell that it did not work, why, and what to do."""
    stop, at = view.stop, view.stop.ended_at or view.now
    tried = f"{words.day(at, view.now, view.zone)} at {words.clock(at, view.zone)}"
    return Told(
        mood="trouble",
        eyebrow=words.NOT_DONE[stop.kind],
        headline=words.reason(stop.reason),
        status=f"We tried {tried}.",
        note="Call the shop to agree on a new time.",
        step=3,
        steps=words.STEPS[stop.kind],
        call=True,
    )


def aside(view: View, headline: str, status: str, *, over: bool = False) -> Told:
    """Tell that nobody is coming for now."""
    return Told(
        mood="trouble",
        eyebrow="Your order",
        headline=headline,
        status=status,
        step=1,
        steps=words.STEPS[view.stop.kind],
        over=over,
        call=True,
    )


def arrived(view: View) -> Told:
    """Tell that the driver is there."""
    return Told(
        mood="moving",
        eyebrow="At your door",
        headline="Now",
        status=f"{view.driver_name or 'The driver'} is at your door.",
        step=3,
        steps=words.STEPS[view.stop.kind],
    )


def on_the_way(view: View) -> Told:
    """Tell when the driver, who comes here next, will be there."""
    return Told(
        mood="moving",
        eyebrow=arrives(view),
        headline=window(view) or "Soon",
        status=f"{view.driver_name or 'The driver'} is on the way to you. {words.ahead(0)}",
        note=lateness(view),
        step=3,
        steps=words.STEPS[view.stop.kind],
    )


def expected(view: View) -> Told:
    """Tell when it should come, while others come first or nobody has set off."""
    if view.running and view.stop.state == "dispatched":
        status = f"{view.driver_name or 'The driver'} is on the road. {words.ahead(view.ahead)}"
        if view.ahead == 0:
            status = f"{view.driver_name or 'The driver'} is on the road."
    elif view.stop.state == "dispatched":
        status = "It is on its route. The driver has not set off yet."
    else:
        status = "We are getting it ready."
    return Told(
        mood="waiting",
        eyebrow=arrives(view),
        headline=window(view) or "Being planned",
        status=status,
        note=lateness(view),
        step=2 if view.running else 1,
        steps=words.STEPS[view.stop.kind],
    )


def arrives(view: View) -> str:
    """Return the line above the window: on which day it comes."""
    at = known(view)
    if at is None:
        date = datetime.combine(view.stop.service_date, datetime.min.time(), view.zone)
        return f"Planned for {words.day(date, view.now, view.zone)}"
    return f"Arrives {words.day(at[0], view.now, view.zone)} between"


def window(view: View) -> str:
    """Return between when and when it comes, in whole five minutes; empty if nobody knows."""
    at = known(view)
    return "" if at is None else words.span(*at, view.zone)


def known(view: View) -> tuple[datetime, datetime] | None:
    """Return the best window there is: live once the route has set off, else as promised.

    An ETA that has passed without the driver coming means now, not then.
    """
    stop = view.stop
    if view.running and stop.eta_at is not None:
        return interval(max(stop.eta_at, view.now), view.now)
    if stop.promised_start is not None and stop.promised_end is not None:
        return stop.promised_start, stop.promised_end
    if stop.window_start is not None and stop.window_end is not None:
        return stop.window_start, stop.window_end
    return None


def lateness(view: View) -> str:
    """Return an honest word when it comes later than promised."""
    stop, at = view.stop, known(view)
    if at is None or stop.promised_start is None or stop.promised_end is None:
        return ""
    if at[0] <= stop.promised_end:
        return ""
    promised = words.span(stop.promised_start, stop.promised_end, view.zone)
    return f"Later than planned: it was due {promised}. We are sorry."
