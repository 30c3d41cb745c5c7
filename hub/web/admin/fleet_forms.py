"""The forms of the fleet: one vehicle, one driver with the week, one depot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from sqlmodel import select
from werkzeug.wrappers import Response

from hub.access import get
from hub.errors import Refused
from hub.fleet import breaks, changes, roster
from hub.fleet.abilities import HOME, DepotChange, given
from hub.fleet.measures import measures
from hub.fleet.words import CAPACITY, DRIVER, VEHICLE, driver_words, point, vehicle_words, whole
from hub.nouns import Location
from hub.orders import lookups
from hub.store import DepotRow, DriverRow, Session, ShiftRow, VehicleRow
from hub.web.admin.fleet import HOME_PAGE, STAFF, known_skills
from hub.web.admin.fleet_labels import DEPOT, driver_labels, labelled, vehicle_labels
from hub.web.context import hub, read, write
from hub.web.policy import allow

blueprint = Blueprint("fleet_forms", __name__, url_prefix="/admin/fleet")
NEW = "new"
"""Stands in the address of a form in place of an id."""
WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
USUAL = ("08:00", "17:00")
PROFILES = (
    ("bike", "Bike: cycle ways, slow"), ("car", "Car"), ("van", "Van"),
    ("truck", "Truck: kept off narrow and low roads"),
)  # fmt: skip


@blueprint.get("/vehicles/<id>")
@allow(*STAFF)
def vehicle(id: str) -> str:
    """Show the form of a vehicle, or of a new one."""
    with read() as session:
        texts = {} if id == NEW else vehicle_texts(get(session, VehicleRow, id))
    return vehicle_form(id, texts)


@blueprint.post("/vehicles/<id>")
@allow(*STAFF)
def save_vehicle(id: str) -> Response | tuple[str, int]:
    """Add or change a vehicle."""
    said = sent(VEHICLE, ("stacked",), ("reload_depots",))
    said |= {name: text for name, text in request.form.items() if name.startswith(CAPACITY)}
    try:
        with write() as session:
            if id == NEW:
                capacity = whole("capacity", said.get("capacity", ""))
                row = roster.add_vehicle(session, said.get("name", ""), capacity)
            else:
                row = get(session, VehicleRow, id)
            changes.change_vehicle(session, row, vehicle_words(said, row))
    except Refused as error:
        return vehicle_form(id, said, error), 422
    return saved("vehicles", row.id, row.name, id == NEW)


def vehicle_form(id: str, texts: Mapping[str, str], error: Refused | None = None) -> str:
    """Return the form of a vehicle."""
    with read() as session:
        counted = measures(session)
        depots = [(row.id, row.name) for row in roster.listed(session, DepotRow) if row.active]
        known = known_skills(session)
    labels = vehicle_labels(counted)
    return render_template(
        "admin/fleet/vehicle.html", id=id, new=id == NEW, texts=texts,
        error=error and labelled(error, labels), labels=labels,
        counted=counted, depots=depots, profiles=PROFILES, known=known,
    )  # fmt: skip


def vehicle_texts(row: VehicleRow) -> dict[str, str]:
    """Return the fields of a vehicle as the form has them."""
    return {
        "name": row.name,
        "capacity": str(row.capacity),
        **{f"{CAPACITY}{name}": str(amount) for name, amount in row.capacities.items()},
        "profile": row.profile,
        "skills": ", ".join(row.skills),
        **{name: amount(getattr(row, name)) for name in ("cost_fixed", "cost_hour", "cost_km")},
        "most_km": f"{row.most_metres / 1000}".removesuffix(".0") if row.most_metres else "",
        "most_stops": str(row.most_stops or ""),
        "reload_depots": ",".join(row.reload_depots),
        "reload_minutes": f"{row.reload_seconds / 60:.4f}".rstrip("0").rstrip("."),
        "most_reloads": str(row.most_reloads),
        "stacked": "yes" if row.stacked else "",
    }


@blueprint.get("/drivers/<id>")
@allow(*STAFF)
def driver(id: str) -> str:
    """Show the form of a driver, or of a new one who works from Monday to Friday."""
    with read() as session:
        texts = week() if id == NEW else driver_texts(session, get(session, DriverRow, id))
    return driver_form(id, texts)


@blueprint.post("/drivers/<id>")
@allow(*STAFF)
def save_driver(id: str) -> Response | tuple[str, int]:
    """Add or change a driver with the hours and breaks of the week."""
    said = sent(DRIVER, (), ()) | {"home": request.form.get("home", "")}
    try:
        with write() as session:
            if id == NEW:
                row = roster.add_driver(
                    session, said.get("name", ""), said.get("depot", ""), said.get("vehicle", "")
                )
            else:
                row = get(session, DriverRow, id)
            changes.change_driver(session, row, driver_words(said, row))
            set_week(session, row.id)
    except Refused as error:
        return driver_form(id, dict(request.form.items()), error), 422
    return saved("drivers", row.id, row.name, id == NEW)


def set_week(session: Session, driver: str) -> None:
    """Set the hours and the breaks that the form has for each day."""
    for day, name in enumerate(WEEK):
        starts, ends, rests = (
            request.form.get(f"{field}-{day}", "").strip() for field in ("starts", "ends", "breaks")
        )
        try:
            shift = roster.set_shift(session, driver, day, starts, ends)
            session.flush()
            if shift is not None:
                breaks.set_breaks(session, driver, day, breaks.read_rests(rests))
            elif rests:
                raise Refused("a break needs hours around it; give both, or neither", "breaks")
        except Refused as error:
            field = f"breaks-{day}" if error.field == "breaks" else f"starts-{day}"
            text = str(error).replace(breaks.EXAMPLE, "write it like 12:00-13:30 30")
            raise Refused(f"{name}: {text}", field) from None


def driver_form(id: str, texts: Mapping[str, str], error: Refused | None = None) -> str:
    """Return the form of a driver; without a vehicle or a depot it says what comes first."""
    with read() as session:
        depots = offered(roster.listed(session, DepotRow), texts.get("depot", ""))
        vans = offered(roster.listed(session, VehicleRow), texts.get("vehicle", ""))
        known, counted = known_skills(session), measures(session)
    labels = driver_labels(counted)
    return render_template(
        "admin/fleet/driver.html", id=id, new=id == NEW, texts=texts,
        error=error and labelled(error, labels), labels=labels, depots=depots,
        vehicles=vans, week=WEEK, known=known, places=places(depots),
    )  # fmt: skip


def offered(rows: Sequence[DepotRow | VehicleRow], own: str) -> list[tuple[str, str]]:
    """Return what can be chosen: those that are switched on, and the one that is chosen now."""
    return [(row.id, row.name) for row in rows if row.active or row.id == own]


def places(depots: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return where a day may begin or end, as (value, words)."""
    return [("depot", "The driver's depot"), (HOME, "Home"), *depots]


def driver_texts(session: Session, row: DriverRow) -> dict[str, str]:
    """Return the fields of a driver and the week as the form has them."""
    shifts = session.exec(select(ShiftRow).where(ShiftRow.driver == row.id)).all()
    return {
        **{name: getattr(row, name) for name in ("name", "phone", "colour", "depot", "vehicle")},
        "skills": ", ".join(row.skills),
        "start": row.start_place or "depot",
        "end": row.end_place or "depot",
        "home_address": row.home_address,
        "home": "" if row.home_lat is None else f"{row.home_lat}, {row.home_lon}",
        "overtime_minutes": str(row.overtime_minutes or ""),
        "overtime_hour": amount(row.overtime_hour),
        **{f"starts-{one.weekday}": one.starts for one in shifts},
        **{f"ends-{one.weekday}": one.ends for one in shifts},
        **{f"breaks-{one.weekday}": breaks.write_rests(one.breaks) for one in shifts},
    }


def week() -> dict[str, str]:
    """Return the hours that a new driver's form begins with."""
    starts, ends = USUAL
    return {f"starts-{day}": starts for day in range(5)} | {f"ends-{day}": ends for day in range(5)}


@blueprint.get("/depots/<id>")
@allow(*STAFF)
def depot(id: str) -> str:
    """Show the form of a depot, or of a new one."""
    with read() as session:
        texts = {} if id == NEW else depot_texts(get(session, DepotRow, id))
    return depot_form(id, texts)


@blueprint.post("/depots/<id>")
@allow(*STAFF)
def save_depot(id: str) -> Response | tuple[str, int]:
    """Add or change a depot."""
    said = {name: request.form.get(name, "").strip() for name in ("name", "address", "timezone")}
    place = request.form.get("place", "").strip()
    looked = "looked" in request.form
    try:
        lat, lon = point(place, "place")
        if lat is None or lon is None:
            found = place_of(said, looked)
            if found is None:
                return depot_form(id, said, looking=True), 202
            lat, lon = found.lat, found.lon
        change = given(DepotChange, {**said, "lat": lat, "lon": lon})
        with write() as session:
            if id == NEW:
                row = roster.add_depot(
                    session, change.name, Location(lat=lat, lon=lon),
                    timezone=change.timezone, address=change.address,
                )  # fmt: skip
            else:
                row = changes.change_depot(session, get(session, DepotRow, id), change)
    except Refused as error:
        return depot_form(id, {**said, "place": place}, error), 422
    if not place:
        flash(f"{row.address} lies at {lat:.5f}, {lon:.5f}.", "good")
    return saved("depots", row.id, row.name, id == NEW)


def place_of(said: Mapping[str, str], looked: bool) -> Location | None:
    """Return where a depot's address is, None while that is looked up.

    Raises `Refused` for what is wrong with the depot before anybody is asked for its place.
    """
    roster.named(said["name"])
    if not said["address"]:
        example = f"by an address like {lookups.EXAMPLE}, or in degrees like 47.1410, 9.5209"
        raise Refused(f"say where it is, {example}", "place")
    return lookups.find(hub(), said["address"], asked=looked)


@blueprint.get("/place")
@allow(*STAFF)
def place() -> str:
    """Show the place of the address that is being looked up, as the form of a depot has it."""
    texts = {name: request.args.get(name, "").strip() for name in ("address", "place")}
    found, error = None, None
    try:
        found = lookups.find(hub(), texts["address"], asked=True, ask=False)
    except Refused as refusal:
        error = refusal
    if texts["place"]:  # somebody has written it meanwhile
        found, error = None, None
    elif found:
        texts["place"] = f"{found.lat}, {found.lon}"
    return render_template(
        "admin/fleet/_place.html", texts=texts, labels=DEPOT, found=found,
        looking=not (texts["place"] or error),
        error=error and Refused(str(labelled(error, DEPOT)), "place"),
    )  # fmt: skip


def depot_form(
    id: str, texts: Mapping[str, str], error: Refused | None = None, looking: bool = False
) -> str:
    """Return the form of a depot; `looking` while a worker looks its address up."""
    with read() as session:
        first = roster.listed(session, DepotRow)
    zone = first[0].timezone if first else "Europe/Zurich"
    return render_template(
        "admin/fleet/depot.html", id=id, new=id == NEW, texts={"timezone": zone, **texts},
        error=error and labelled(error, DEPOT), labels=DEPOT, looking=looking,
    )  # fmt: skip


def depot_texts(row: DepotRow) -> dict[str, str]:
    """Return the fields of a depot as the form has them."""
    place = f"{row.lat}, {row.lon}"
    return {"name": row.name, "address": row.address, "timezone": row.timezone, "place": place}


def sent(
    known: Mapping[str, Any], checks: tuple[str, ...], lists: tuple[str, ...]
) -> dict[str, str]:
    """Return the fields that a form sent; what is not checked is sent by no browser."""
    said = {name: request.form[name] for name in known if name in request.form}
    said |= {name: request.form.get(name, "") for name in checks}
    return said | {name: ",".join(request.form.getlist(name)) for name in lists}


def amount(price: Decimal | None) -> str:
    """Return a price as the form has it."""
    return "" if price is None else f"{price:f}"


def saved(kind: str, id: str, name: str, new: bool) -> Response:
    """Go back to the list and say what was done."""
    flash(f"{name} is {'there' if new else 'changed'}. The next plan reckons with it.", "good")
    return redirect(f"{HOME_PAGE}#{id}")
