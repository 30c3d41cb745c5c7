"""One driver's phone: drives to each door, posts positions, reports what happened."""

from __future__ import annotations

import math
import random
import zlib
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import structlog

from hub.errors import Rejected
from hub.simulate.caller import Caller
from hub.simulate.course import Course, along, straight
from hub.simulate.pictures import photo, signature
from hub.simulate.script import FAILS, PARTIAL, Day
from hub.store.states import ENDED, LEFT_OUT

log = structlog.get_logger("phone")

EVERY = timedelta(seconds=10)
"""How often a position is measured."""
LOOK = timedelta(minutes=5)
"""How often the phone asks for news of its route when it has nothing to report."""
OVER = ENDED | LEFT_OUT


class Phone:
    """A simulated driver; `advance` is called with the business time, step by step."""

    def __init__(self, caller: Caller, day: Day) -> None:
        self.caller = caller
        self.day = day
        self.place: tuple[float, float] | None = None
        self.at: datetime | None = None
        self.seen: datetime | None = None
        self.view: dict[str, Any] = {}
        self.way: dict[str, Any] = {}
        """The route's way along the streets; empty where it is not known."""
        self.course: Course | None = None
        """To the stop `towards`, begun so many seconds ago as `driven` says."""
        self.towards = ""
        self.driven = 0.0
        self.reached: tuple[str, datetime] | None = None
        self.skill = 0.9 + (zlib.crc32(caller.token.encode()) % 20) / 100

    @property
    def done(self) -> bool:
        """Whether every stop of today's route has ended."""
        route = self.view.get("route")
        return route is not None and bool(route["state"] == "closed")

    def advance(self, now: datetime) -> None:
        """Do everything that a driver does until `now`."""
        if self.seen is None or now - self.seen >= LOOK:
            self.look(now)
        route = self.view.get("route")
        if not route or route["state"] in ("draft", "closed", "cancelled"):
            return
        stops = [stop for stop in self.view["stops"] if stop["state"] not in OVER]
        if not stops:
            self.look(now)
            return
        if route["state"] in ("ready", "loaded"):
            self.start(now, stops[0])
            return
        self.drive(now, stops[0])

    def look(self, now: datetime) -> None:
        """Ask for the route as it is now."""
        self.view = self.caller.get("/api/v1/driver/route", date=self.day.date.isoformat())
        self.seen = now
        if self.view.get("route") and self.needs_way():
            self.way = self.caller.get("/api/v1/driver/way")
            self.course = None

    def needs_way(self) -> bool:
        """Say whether the known way does not lead along the stops as they are now."""
        if self.way.get("route") != self.view["route"]["id"]:
            return True
        stops = [stop["id"] for stop in self.view["stops"] if stop["state"] not in LEFT_OUT]
        return [leg["stop"] for leg in self.way["legs"]] != [*stops, None]

    def start(self, now: datetime, first: dict[str, Any]) -> None:
        """Leave in time for the first stop."""
        self.place, self.at, self.course = self.home(), now, None
        planned = datetime.fromisoformat(first["planned_at"]) if first["planned_at"] else now
        takes = self.course_to(first).seconds
        if now + timedelta(seconds=takes) >= planned or now >= planned:
            self.report("start", now, None)

    def home(self) -> tuple[float, float]:
        """Return where the route begins."""
        start = self.view["route"]["start"]
        return start["lat"], start["lon"]

    def drive(self, now: datetime, stop: dict[str, Any]) -> None:
        """Move towards `stop`, and once there hand over when the time at the door is up."""
        if self.place is None or self.at is None:
            self.place, self.at = self.last_place(), now
        fixes = []
        while self.at < now:
            self.at = min(self.at + EVERY, now)
            if self.reached is None or self.reached[0] != stop["id"]:
                self.move(stop)
            fixes.append(self.fix())
        self.caller.post("/api/v1/driver/positions", {"fixes": fixes[-600:]})
        here = self.reached is not None and self.reached[0] == stop["id"]
        if self.reached is not None and here and now >= self.free_at(stop, self.reached[1]):
            self.hand_over(now, stop)

    def free_at(self, stop: dict[str, Any], arrived: datetime) -> datetime:
        """Return when everything at a door is done; nobody is served before the window opens."""
        opens = datetime.fromisoformat(stop["window_start"]) if stop["window_start"] else arrived
        stays = 60 + zlib.crc32(stop["id"].encode()) % 120
        return max(arrived, opens) + timedelta(seconds=stays)

    def move(self, stop: dict[str, Any]) -> None:
        """Go ten seconds' worth of the way."""
        course = self.course_to(stop)
        self.driven += EVERY.total_seconds() / self.skill
        self.place = course.at(self.driven)
        if self.driven >= course.seconds:
            self.reached = (stop["id"], self.at or self.day.begins)

    def course_to(self, stop: dict[str, Any]) -> Course:
        """Return the course to `stop`, laid anew where it is another stop or another way."""
        if self.course is None or self.towards != stop["id"]:
            self.towards, self.driven = stop["id"], 0.0
            self.course = self.lay(stop)
        return self.course

    def lay(self, stop: dict[str, Any]) -> Course:
        """Return the course from here to `stop`: along the streets where its leg is known."""
        here = self.place or self.last_place()
        there = (stop["lat"], stop["lon"])
        for leg in self.way.get("legs", ()):
            if leg["stop"] == stop["id"]:
                line = [(lat, lon) for lat, lon in leg["line"]]
                return along(here, there, line, float(leg["seconds"]))
        return straight(here, there)

    def last_place(self) -> tuple[float, float]:
        """Return where the phone was when it was switched off: the last door, or the start."""
        ended = [stop for stop in self.view["stops"] if stop["ended_at"]]
        if not ended:
            return self.home()
        last = max(ended, key=lambda stop: str(stop["ended_at"]))
        return last["lat"], last["lon"]

    def fix(self) -> dict[str, Any]:
        """Return the position with the noise of a real receiver."""
        lat, lon = self.place or (0.0, 0.0)
        metre = 1 / 111_320
        dice = random.Random(f"{self.at}")
        return {
            "lat": lat + dice.gauss(0, 4) * metre,
            "lon": lon + dice.gauss(0, 4) * metre / math.cos(math.radians(lat)),
            "at": self.at.isoformat() if self.at else None,
            "accuracy": dice.choice([5, 8, 12]),
        }

    def hand_over(self, now: datetime, stop: dict[str, Any]) -> None:
        """Report what the script says about this stop."""
        number = self.day.number_of(stop["ref"])
        if number in FAILS:
            files = [self.upload(stop, "photo")]
            self.report("fail", now, stop, reason=FAILS[number], files=files)
            return
        files = [self.upload(stop, "photo"), self.upload(stop, "signature")]
        more: dict[str, Any] = {"files": files, "received_by": stop["name"]}
        if stop["cash_due"]:
            more["cash_taken"] = str(Decimal(str(stop["cash_due"])))
        if number == PARTIAL:
            lines = {line["id"]: line["quantity"] for line in stop["lines"]}
            first = next(iter(lines))
            lines[first] -= 1
            self.report("partial", now, stop, reason="damaged", quantities=lines, **more)
            return
        self.report("complete", now, stop, **more)

    def upload(self, stop: dict[str, Any], kind: str) -> dict[str, str]:
        """Send a picture and return how a report names it."""
        seed = zlib.crc32(f"{stop['id']}{kind}".encode())
        made = photo(stop["ref"], seed) if kind == "photo" else signature(seed)
        name = "photo.jpg" if kind == "photo" else "signature.png"
        kept = self.caller.post(
            "/api/v1/driver/files", data={"kind": kind}, files={"file": (name, made)}
        )
        return {"kind": kind, "sha256": kept["sha256"]}

    def report(self, kind: str, now: datetime, stop: dict[str, Any] | None, **more: Any) -> None:
        """Send a report whose id stays the same if it has to be sent again."""
        about = stop["id"] if stop else self.view["route"]["id"]
        lat, lon = self.place or (0.0, 0.0)
        body = {
            "id": str(uuid5(NAMESPACE_URL, f"{kind}:{about}")),
            "kind": kind,
            "stop": stop["id"] if stop else None,
            "at": now.isoformat(),
            "lat": lat,
            "lon": lon,
            "accuracy": 8,
            **more,
        }
        try:
            self.caller.post("/api/v1/driver/reports", body)
        except Rejected as error:
            # After a restart the answer to the first try may have been lost with the phone; a
            # second one with another time is refused, and the route itself says where we are.
            log.warning("report_refused", why=str(error))
        self.reached = None
        self.look(now)
