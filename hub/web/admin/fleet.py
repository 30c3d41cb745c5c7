"""Fleet: who drives, in what, from where; what load is counted by; switch on and off."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request
from sqlmodel import col, select
from werkzeug.wrappers import Response

from hub.access import get, scoped
from hub.driving import links
from hub.errors import Refused
from hub.fleet import changes, roster
from hub.fleet.abilities import HOME, DepotChange, VehicleChange, given, minute_of
from hub.fleet.breaks import write_breaks
from hub.fleet.measures import Measures, measures, set_measures
from hub.fleet.shifts import write_hours
from hub.store import DepotRow, DriverRow, Session, ShiftRow, VehicleRow
from hub.web.admin.fleet_labels import MEASURES, labelled
from hub.web.context import read, write
from hub.web.policy import allow

blueprint = Blueprint("fleet", __name__, url_prefix="/admin/fleet")
HOME_PAGE = "/admin/fleet"
STAFF = ("owner", "dispatcher")


@dataclass(frozen=True)
class Line:
    """A driver, a vehicle or a depot in the list."""

    kind: str
    id: str
    name: str
    on: bool
    facts: tuple[str, ...]
    skills: tuple[str, ...] = ()
    colour: str = ""


@blueprint.get("")
@allow(*STAFF)
def page() -> str:
    """Show the whole fleet."""
    return shown()


@blueprint.post("/<kind>/<id>/switch")
@allow(*STAFF)
def switch(kind: str, id: str) -> Response | tuple[str, int]:
    """Switch a driver, a vehicle or a depot off or on; nothing is ever deleted."""
    on = request.form.get("on") == "yes"
    try:
        with write() as session:
            turn(session, kind, id, on)
    except Refused as error:
        return shown(error), 422
    return redirect(HOME_PAGE if on else f"{HOME_PAGE}?off={kind}:{id}")


def turn(session: Session, kind: str, id: str, on: bool) -> None:
    """Switch one of the three kinds on or off."""
    if kind == "drivers":
        driver = get(session, DriverRow, id)
        (links.switch_on if on else links.switch_off)(session, driver.id)
    elif kind == "vehicles":
        changes.change_vehicle(session, get(session, VehicleRow, id), VehicleChange(active=on))
    else:
        changes.change_depot(session, get(session, DepotRow, id), DepotChange(active=on))


@blueprint.post("/measures")
@allow("owner")
def save_measures() -> Response | tuple[str, int]:
    """Keep what load is counted by, the currency and how evenly work is shared."""
    names, units = request.form.getlist("name"), request.form.getlist("unit")
    loads = [
        {"name": name.strip().lower(), "unit": unit.strip()}
        for name, unit in zip(names, units, strict=False)
        if name.strip()
    ]
    values = {
        "loads": loads,
        "currency": request.form.get("currency", "").strip().upper(),
        "balance": request.form.get("balance", "0").strip().replace(",", ".") or "0",
    }
    try:
        with write() as session:
            set_measures(session, given(Measures, values))
    except Refused as error:
        return shown(error), 422
    return redirect(f"{HOME_PAGE}?saved=measures#measures")


def shown(error: Refused | None = None) -> str:
    """Return the page."""
    with read() as session:
        depots = {row.id: row for row in roster.listed(session, DepotRow)}
        vehicles = {row.id: row for row in roster.listed(session, VehicleRow)}
        drivers = roster.listed(session, DriverRow)
        counted = measures(session)
        groups = (
            ("drivers", "Drivers", [driver_line(session, r, depots, vehicles) for r in drivers]),
            ("vehicles", "Vehicles", [vehicle_line(row, counted) for row in vehicles.values()]),
            ("depots", "Depots", [depot_line(row) for row in depots.values()]),
        )
    if not all(lines for _, _, lines in groups):
        groups = groups[::-1]  # what has to be there first comes first
    return render_template(
        "admin/fleet/list.html",
        groups=[
            (kind, title, sorted(rows, key=lambda one: (not one.on, by_number(one.name))))
            for kind, title, rows in groups
        ],
        counted=counted,
        error=error and labelled(error, MEASURES),
        labels=MEASURES,
        undo=undo_of([line for _, _, lines in groups for line in lines]),
        saved=request.args.get("saved") == "measures",
    )


def by_number(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts Van 2 before Van 10."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def readable(hours: str) -> str:
    """Return hours and breaks as people write them: `mon-fri 08:00-17:00` -> Mon-Fri 08:00-17:00.

    Dashes become those of ranges.
    """
    capital = re.sub(r"\b(mon|tue|wed|thu|fri|sat|sun)\b", lambda day: day[0].title(), hours)
    return capital.replace("-", "\u2013")


def over_night(hours: str) -> str:
    """Return hours of a week, those that end on the next day marked: nobody means it by mistake."""

    def mark(found: re.Match[str]) -> str:
        starts, ends = found.groups()
        return f"{found[0]} the next day" if minute_of(ends) <= minute_of(starts) else found[0]

    return re.sub(r"(\d\d:\d\d)-(\d\d:\d\d)", mark, hours)


def undo_of(lines: list[Line]) -> Line | None:
    """Return what was just switched off, as the address of the page says it."""
    kind, _, id = request.args.get("off", "").partition(":")
    return next((one for one in lines if (one.kind, one.id) == (kind, id) and not one.on), None)


def driver_line(
    session: Session,
    row: DriverRow,
    depots: dict[str, DepotRow],
    vehicles: dict[str, VehicleRow],
) -> Line:
    """Return a driver in the list."""
    shifts = session.exec(
        scoped(session, ShiftRow).where(ShiftRow.driver == row.id).order_by(col(ShiftRow.weekday))
    ).all()
    week = write_hours((one.weekday, one.starts, one.ends) for one in shifts)
    hours = readable(over_night(week))
    rests = readable(write_breaks(shifts))
    ends = [
        f"{word} {'at home' if place == HOME else 'at ' + depots[place].name}"
        for word, place in (("begins", row.start_place), ("ends", row.end_place))
        if place == HOME or place in depots
    ]
    late = f"up to {row.overtime_minutes} min overtime" if row.overtime_minutes else ""
    facts = (
        vehicles[row.vehicle].name, depots[row.depot].name, hours or "no hours yet",
        f"break {rests}" if rests else "", *ends, late,
    )  # fmt: skip
    return Line(
        "drivers", row.id, row.name, row.active, tuple(filter(None, facts)), tuple(row.skills),
        row.colour,
    )  # fmt: skip


def vehicle_line(row: VehicleRow, counted: Measures) -> Line:
    """Return a vehicle in the list."""
    carries = [f"{row.capacity:,} {counted.first.word}"] + [
        f"{row.capacities[one.name]:,} {one.word}"
        for one in counted.loads[1:]
        if one.name in row.capacities
    ]
    prices = [
        f"{price:f} {counted.currency} {per}"
        for price, per in (
            (row.cost_fixed, "a day"),
            (row.cost_hour, "an hour"),
            (row.cost_km, "a km"),
        )
        if price is not None
    ]
    limits = [
        f"at most {row.most_metres / 1000:g} km" if row.most_metres else "",
        f"at most {row.most_stops} stops" if row.most_stops else "",
        reloads_of(row),
        "last in, first out" if row.stacked else "",
    ]
    facts = (
        row.profile.capitalize(),
        "carries " + ", ".join(carries),
        *prices,
        *filter(None, limits),
    )
    return Line("vehicles", row.id, row.name, row.active, facts, tuple(row.skills))


def reloads_of(row: VehicleRow) -> str:
    """Return how often a vehicle may fill up again, in words."""
    if not row.reload_depots:
        return ""
    often = "once" if row.most_reloads == 1 else f"up to {row.most_reloads} times"
    return f"may reload {often}"


def depot_line(row: DepotRow) -> Line:
    """Return a depot in the list."""
    facts = (row.address or f"{row.lat:.4f}, {row.lon:.4f}", row.timezone)
    return Line("depots", row.id, row.name, row.active, facts)


def known_skills(session: Session) -> list[str]:
    """Return the tags that vehicles and drivers have so far."""
    found = [*session.exec(select(VehicleRow.skills)), *session.exec(select(DriverRow.skills))]
    return sorted({skill for skills in found for skill in skills})
