"""What OSRM says of a route, as legs of a way: its line, and what to do at each corner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast, get_args

from hub.errors import Rejected
from hub.nouns import Maneuver, WayLeg
from hub.nouns.ways import Heading, Turn

KINDS: dict[str, Turn] = {
    "depart": "depart",
    "arrive": "arrive",
    "turn": "turn",
    "new name": "continue",
    "continue": "continue",
    "merge": "merge",
    "on ramp": "on_ramp",
    "off ramp": "off_ramp",
    "fork": "fork",
    "end of road": "end_of_road",
    "use lane": "continue",
    "notification": "continue",
    "roundabout": "roundabout",
    "rotary": "roundabout",
    "roundabout turn": "turn",
    "exit roundabout": "exit_roundabout",
    "exit rotary": "exit_roundabout",
}
"""OSRM's types of maneuvers; one that it adds some day is a turn, as its documentation wants."""
HEADINGS = frozenset(get_args(Heading))


def read_route(found: Any) -> list[WayLeg]:
    """Return the legs of an answer to `/route`; raise `Rejected` where it is none."""
    try:
        return [read_leg(leg) for leg in found["routes"][0]["legs"]]
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise Rejected("OSRM answered without a usable route") from error


def read_leg(leg: Any) -> WayLeg:
    """Return one leg."""
    steps = list(leg["steps"])
    line: list[tuple[float, float]] = []
    for step in steps:
        for place in step["geometry"]["coordinates"]:
            point = (float(place[1]), float(place[0]))
            if not line or line[-1] != point:
                line.append(point)
    return WayLeg(
        seconds=round(float(leg["duration"])),
        metres=round(float(leg["distance"])),
        line=tuple(line),
        maneuvers=tuple(joined(read_step(step) for step in steps)),
    )


def read_step(step: Any) -> Maneuver:
    """Return one step as a maneuver."""
    turned = step["maneuver"]
    kind = KINDS.get(str(turned["type"]), "turn")
    if told(step, "mode") == "ferry" and kind != "arrive":
        kind = "ferry"
    place = turned["location"]
    number = told(turned, "exit")
    counts = kind in ("roundabout", "exit_roundabout") and number
    return Maneuver(
        kind=kind,
        heading="" if kind == "depart" else heading(str(told(turned, "modifier") or "")),
        street=str(told(step, "name") or told(step, "ref") or ""),
        exit=int(number) if counts else None,
        toward=str(told(step, "destinations") or ""),
        lat=float(place[1]),
        lon=float(place[0]),
        metres=round(float(step["distance"])),
        seconds=round(float(step["duration"])),
    )


def heading(modifier: str) -> Heading:
    """Return OSRM's modifier in our words."""
    word = "back" if modifier == "uturn" else modifier.replace(" ", "_")
    return cast(Heading, word) if word in HEADINGS else ""


def told(thing: Any, name: str) -> Any:
    """Return what a JSON object says, or None; the engine's own objects have no `get`."""
    try:
        return thing[name]
    except (LookupError, RuntimeError, ValueError, IndexError):
        return None


def joined(maneuvers: Iterator[Maneuver]) -> Iterator[Maneuver]:
    """Yield maneuvers, entering and leaving a roundabout as one that names the road behind it."""
    last: Maneuver | None = None
    for one in maneuvers:
        if last is not None and last.kind == "roundabout" and one.kind == "exit_roundabout":
            last = last.model_copy(
                update={
                    "street": one.street or last.street,
                    "toward": one.toward or last.toward,
                    "exit": last.exit or one.exit,
                    "metres": last.metres + one.metres,
                    "seconds": last.seconds + one.seconds,
                }
            )
            continue
        if last is not None:
            yield last
        last = one
    if last is not None:
        yield last
