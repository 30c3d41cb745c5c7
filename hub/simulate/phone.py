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
from hub.nouns import Location
from hub.planning.times import seconds_between
from hub.simulate.caller import Caller
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

    def start(self, now: datetime, first: dict[str, Any]) -> None:
        """Leave the depot in time for the first stop."""
        depot = self.view["route"]["depot"]
        self.place, self.at = (depot["lat"], depot["lon"]), now
        planned = datetime.fromisoformat(first["planned_at"]) if first["planned_at"] else now
        if now + timedelta(seconds=self.seconds_to(first)) >= planned or now >= planned:
            self.report("start", now, None)

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
        if self.reached is not None and self.reached[0] == stop["id"]:
            stays = 60 + zlib.crc32(stop["id"].encode()) % 120
            if now >= self.reached[1] + timedelta(seconds=stays):
                self.hand_over(now, stop)

    def move(self, stop: dict[str, Any]) -> None:
        """Go ten seconds' worth of the way."""
        left = self.seconds_to(stop) * self.skill
        if self.place is None or self.at is None or left <= EVERY.total_seconds():
            self.place = (stop["lat"], stop["lon"])
            self.reached = (stop["id"], self.at or self.day.begins)
            return
        share = EVERY.total_seconds() / left
        lat, lon = self.place
        self.place = (lat + (stop["lat"] - lat) * share, lon + (stop["lon"] - lon) * share)

    def seconds_to(self, stop: dict[str, Any]) -> float:
        """Return how long it is to `stop` from here."""
        if self.place is None:
            return 0.0
        here = Location(lat=self.place[0], lon=self.place[1])
        return float(seconds_between(here, Location(lat=stop["lat"], lon=stop["lon"])))

    def last_place(self) -> tuple[float, float]:
        """Return where the phone was when it was switched off: the last door, or the depot."""
        ended = [stop for stop in self.view["stops"] if stop["ended_at"]]
        if not ended:
            depot = self.view["route"]["depot"]
            return depot["lat"], depot["lon"]
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
