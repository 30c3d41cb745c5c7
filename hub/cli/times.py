"""`hub times`: which travel times are used, and fitting the approximate ones to real legs."""

from __future__ import annotations

import csv
import json
import math
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import click

from hub.nouns import Location

if TYPE_CHECKING:
    from hub.hub import Hub
    from hub.nouns import Matrix
    from hub.planning.travel import Point

COLUMNS = ("from_lat", "from_lon", "to_lat", "to_lon", "seconds")
SAMPLE = 40
"""Places of a day that are measured."""


@click.group("times")
def times_command() -> None:
    """Look at travel times, and fit the approximate ones."""


@times_command.command("fit")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def fit_times(file: Path, as_json: bool) -> None:
    """Fit the law of straight lines to the legs in FILE, a CSV of legs that were driven.

    Its columns are from_lat, from_lon, to_lat, to_lon and seconds.
    """
    from hub.errors import Refused
    from hub.planning.times import SAFETY, fit, haversine

    try:
        legs = [(haversine(here, there), seconds) for here, there, seconds in read_legs(file)]
    except (UnicodeError, csv.Error) as error:
        raise Refused(f"{file.name} is no CSV in UTF-8; save it as one") from error
    scale, exponent = fit(legs)
    off = median(abs(scale * far**exponent - took) / took for far, took in legs if took > 0)
    found = {"scale": round(scale, 4), "exponent": round(exponent, 4), "off": round(off, 3)}
    if as_json:
        click.echo(json.dumps({"legs": len(legs), **found}))
        return
    click.echo(f"{len(legs)} legs; half of them are less than {off:.0%} off")
    click.echo(f"hub connect straight --set scale={scale:.4f} --set exponent={exponent:.4f}")
    click.echo(f"(every duration then gets the margin `safety`, {SAFETY} as it comes)")


def read_legs(file: Path) -> Iterator[tuple[Location, Location, float]]:
    """Yield (from, to, seconds); raise `Refused` that names the line that cannot be read."""
    from hub.errors import Refused

    with file.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
        if missing:
            raise Refused(f"{file.name} lacks the columns {', '.join(missing)}")
        for row in reader:
            try:
                numbers = [float(row[name] or "") for name in COLUMNS]
                here = Location(lat=numbers[0], lon=numbers[1])
                there = Location(lat=numbers[2], lon=numbers[3])
                if not math.isfinite(numbers[4]):
                    raise ValueError("seconds")
            except (ValueError, TypeError) as error:
                line = reader.line_num
                raise Refused(f"{file.name}, line {line}: that is no leg; correct it") from error
            yield here, there, numbers[4]


@times_command.command("check")
@click.option("--depot", default=None, help="Name or id of a depot; without it, the first one.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def check_times(depot: str | None, as_json: bool) -> None:
    """Say which travel times are used, and measure places of the next day with stops."""
    from hub.cli.plans import ready
    from hub.planning import travel

    hub = ready()
    day, points = sample(hub, depot)
    used = travel.in_use(hub, travel.located(points))
    began = time.perf_counter()
    found = travel.matrix(hub, points)
    took = time.perf_counter() - began
    facts: dict[str, object] = {
        "connector": used.provider.connector.name,
        "title": used.provider.connector.title,
        "why": used.why,
        "approximate": found.approximate,
        "margin": found.margin,
        "day": None if day is None else day.isoformat(),
        "places": len(points),
        "seconds": round(took, 3),
        **measured(hub, points, found),
    }
    click.echo(json.dumps(facts) if as_json else told(facts))


def sample(hub: Hub, depot: str | None) -> tuple[date | None, list[Point]]:
    """Return the next day with stops of a depot, and its places with the depot first."""
    from sqlmodel import col, select

    from hub.cli.plans import BY
    from hub.errors import Missing
    from hub.fleet.roster import find_depot
    from hub.store import DepotRow, StopRow

    with hub.store.read(BY) as session:
        first = session.exec(select(DepotRow).order_by(col(DepotRow.id))).first()
        place = find_depot(session, depot) if depot else first
        if place is None:
            raise Missing("there is no depot yet; add one with: hub depot add")
        query = select(StopRow).where(
            StopRow.depot == place.id, StopRow.service_date >= session.now.date()
        )
        stops = session.exec(query.order_by(col(StopRow.service_date), StopRow.id)).all()
        day = stops[0].service_date if stops else None
        there = {(stop.lat, stop.lon): None for stop in stops if stop.service_date == day}
        return day, [(place.lat, place.lon), *list(there)[:SAMPLE]]


def measured(hub: Hub, points: list[Point], found: Matrix) -> dict[str, float | int | None]:
    """Return how many legs there are, those without a way, and what straight lines say of them."""
    from hub.planning import travel
    from hub.planning.times import haversine, seconds_for

    where = travel.located(points)
    ratios, lost, total = [], 0, 0
    for row, here in enumerate(where):
        for column, there in enumerate(where):
            if row == column:
                continue
            total += 1
            seconds = found.seconds[row][column]
            guess = seconds_for(haversine(here, there), safety=1.0)
            lost += seconds < 0
            if seconds >= 0 and guess > 0:
                ratios.append(seconds / guess)
    ratio = round(median(ratios), 3) if ratios else None
    return {"legs": total, "without_a_way": lost, "to_straight_lines": ratio}


def told(facts: dict[str, object]) -> str:
    """Return the facts in lines for people."""
    margin = f", {facts['margin']:.0%} of margin in them" if facts["margin"] else ""
    rough = f" (approximate{margin})" if facts["approximate"] else ""
    lines = [f"travel times: {facts['title']}{rough}", f"  because: {facts['why']}"]
    if not facts["legs"]:
        return "\n".join([*lines, "  no day ahead has stops to measure"])
    lines.append(
        f"  {facts['places']} places of {facts['day']}: {facts['legs']} legs in "
        f"{facts['seconds']} s, {facts['without_a_way']} without a way"
    )
    if facts["to_straight_lines"] is not None:
        lines.append(
            f"  the median leg takes {facts['to_straight_lines']} times what straight lines say"
        )
    return "\n".join(lines)
