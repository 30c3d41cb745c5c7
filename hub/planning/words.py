"""What would make a stop fit, in words for a dispatcher."""

from __future__ import annotations

from collections.abc import Callable

from hub.nouns import Relaxation, Unserved
from hub.nouns.plans import Wall

DAY = 86_400
Names = Callable[[str], str]
"""Returns what people call a stop or a driver by the id; empty where that is not known."""


def words(unserved: Unserved, name_of: Names) -> str:
    """Return "it fits if its window opens 20 min earlier"; empty where nothing helps."""
    asked = [phrase(one, unserved, name_of) for one in unserved.relaxations]
    if not asked:
        return ""
    last = asked.pop()
    return f"it fits if {', '.join(asked)} and {last}" if asked else f"it fits if {last}"


def phrase(one: Relaxation, unserved: Unserved, name_of: Names) -> str:
    """Return one relaxation as half a sentence."""
    driver = (name_of(unserved.vehicle) if unserved.vehicle else "") or "a driver"
    own = one.stop == unserved.stop
    other = name_of(one.stop) if one.stop else ""
    who = "it" if own else other or "another stop"
    whose = "its" if own else possessive(other or "another stop")
    count = one.amount
    edges = {
        "opens": f"opens {minutes(count)} earlier",
        "closes": f"closes {minutes(count)} later",
        "starts": f"starts {minutes(count)} earlier",
        "ends": f"ends {minutes(count)} later",
        "": "gives way",
    }
    said = {
        "window": f"{whose} window {edges[one.edge]}",
        "shift": f"{possessive(driver)} shift {edges[one.edge]}",
        "break": f"{possessive(driver)} break begins up to {minutes(count)} later",
        "capacity": f"{possessive(driver)} vehicle takes {count} more{of_load(one.dimension)}",
        "skill": f"{possessive(driver)} vehicle has {one.skill}",
        "pinned": f"{driver} may serve {who}",
        "most_metres": f"{driver} drives {max(0.1, count / 1000):.1f} km more",
        "most_stops": f"{driver} makes {count} stop{'s' * (count != 1)} more",
        "first_last": f"{who} need not come first or last",
        "on_board": f"{whose} goods ride {minutes(count)} longer",
        "stacked": f"{possessive(driver)} vehicle can be unloaded from anywhere",
        "locked": f"{who} is not fixed to its place",
    }
    return said[one.rule]


def of_load(dimension: int) -> str:
    """Return which load is meant, nothing for the first."""
    return f" (of load {dimension + 1})" if dimension else ""


def possessive(name: str) -> str:
    """Return whose something is."""
    return f"{name}'s"


def minutes(seconds: int) -> str:
    """Return a time as whole minutes, rounded up."""
    whole = -(-seconds // 60)
    return f"{whole // 60} h {whole % 60:02d} min" if whole >= 120 else f"{whole} min"


def clock(seconds: int, wall: Wall = ()) -> str:
    """Return a second of the day as HH:MM, with the days before or after it where it is not."""
    ahead = next((more for first, more in reversed(wall) if first <= seconds), 0)
    days, rest = divmod(seconds + ahead, DAY)
    away = f" ({days:+d} d)" if days else ""
    return f"{rest // 3600:02d}:{rest % 3600 // 60:02d}{away}"
