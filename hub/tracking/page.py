"""What a recipient may see of a stop, and nothing more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from hub.access import tokens
from hub.errors import Forbidden, Missing
from hub.nouns import Noun
from hub.store import (
    AttemptRow,
    DepotRow,
    DriverRow,
    MerchantRow,
    OrderRow,
    ProofFileRow,
    RouteRow,
    Session,
    SettingRow,
    StopRow,
)
from hub.store.states import OPEN
from hub.tracking import story, words
from hub.tracking.geometry import coarse
from hub.tracking.positions import position
from hub.tracking.story import Told, View

if TYPE_CHECKING:
    from hub.hub import Hub

LIFE = timedelta(days=30)
CLOSE = timedelta(minutes=20)
QUIET = timedelta(minutes=2)
FORGOTTEN = timedelta(minutes=30)
DEAD = "This link is not valid, or not any more. Please ask the shop that sent it to you."
"""Said of every link that does not open, so that nobody learns which ones exist."""


class Brand(Noun):
    """Whose delivery it is."""

    name: str
    slug: str
    phone: str


class Dot(Noun):
    """A point on the map."""

    lat: float
    lon: float


class PageState(Noun):
    """All that the tracking page shows, in the words that it shows."""

    brand: Brand
    told: Told
    driver: Dot | None = None
    """On a grid of about 55 m, and only while the driver is on the way to this very stop."""
    home: Dot | None = None
    seen: str = ""
    """How old the driver's position is, where it is not fresh."""
    photos: tuple[str, ...] = ()
    """SHA-256 of each photo that was taken at the handover."""
    signature: str = ""


def opened(session: Session, token: str) -> str:
    """Return the stop that a tracking link opens; raise `Missing` in the same words for all others.

    A link dies 30 days after its stop has ended (or should have been visited).
    """
    try:
        stop = session.get(StopRow, tokens.check(session, "tracking", token))
    except Forbidden as error:
        raise Missing(DEAD) from error
    if stop is None or session.now > ended(session, stop) + LIFE:
        raise Missing(DEAD)
    return stop.id


def ended(session: Session, stop: StopRow) -> datetime:
    """Return when a stop was over, or the end of the day on which it should be."""
    if stop.ended_at is not None:
        return stop.ended_at
    zone = ZoneInfo(session.get_one(DepotRow, stop.depot).timezone)
    midnight = datetime.combine(stop.service_date, datetime.min.time(), zone)
    return midnight + timedelta(days=1)


def state(hub: Hub, session: Session, stop_id: str) -> PageState:
    """Return what the recipient of a stop may see now."""
    stop = session.get(StopRow, stop_id)
    if stop is None:
        raise Missing(DEAD)
    view = look(session, stop)
    merchant = session.get_one(MerchantRow, stop.merchant)
    order = session.get_one(OrderRow, stop.order)
    brand = Brand(name=merchant.name, slug=merchant.slug, phone=merchant.phone)
    made = PageState(brand=brand, told=story.tell(view, cancelled=order.state == "cancelled"))
    if stop.state in ("completed", "partial"):
        return made.model_copy(update=handed_over(session, stop))
    return made.model_copy(update=on_the_map(hub, view))


def look(session: Session, stop: StopRow) -> View:
    """Return the stop with the little of its route that its recipient may know."""
    route = session.get(RouteRow, stop.route) if stop.route else None
    zone = ZoneInfo(session.get_one(DepotRow, stop.depot).timezone)
    running = route is not None and route.state == "in_progress"
    driver = session.get_one(DriverRow, route.driver) if route and running else None
    return View(
        stop=stop,
        now=session.now,
        zone=zone,
        running=running,
        ahead=before(session, stop) if running else 0,
        driver=driver.id if driver else "",
        driver_name=driver.name.split(" ")[0] if driver and named(session) else "",
    )


def before(session: Session, stop: StopRow) -> int:
    """Return how many open stops the driver visits before this one; only their number."""
    if stop.state != "dispatched":
        return 0
    return session.exec(
        select(func.count()).where(
            StopRow.route == stop.route,
            col(StopRow.state).in_(OPEN),
            StopRow.id != stop.id,
            (col(StopRow.position) < (stop.position or 0))
            | col(StopRow.state).in_(("en_route", "arrived")),
        )
    ).one()


def named(session: Session) -> bool:
    """Say whether recipients may read the driver's first name (setting `tracking`; default yes)."""
    row = session.get(SettingRow, "tracking")
    return row is None or bool(row.value.get("driver_name", True))


def on_the_map(hub: Hub, view: View) -> dict[str, object]:
    """Return the two points of the map while the driver is on the way to this stop, or nothing."""
    stop = view.stop
    if not view.running or stop.state not in ("en_route", "arrived"):
        return {}
    home = Dot(lat=stop.lat, lon=stop.lon)
    if stop.state == "arrived" or not near(view):
        return {"home": home}
    last = position(hub, view.driver)
    if last is None or view.now - last.at > FORGOTTEN:
        return {"home": home, "seen": "The driver's position is not known right now."}
    lat, lon = coarse(last.lat, last.lon)
    quiet = view.now - last.at > QUIET
    return {
        "home": home,
        "driver": Dot(lat=lat, lon=lon),
        "seen": f"Position last seen {words.ago(last.at, view.now)}." if quiet else "",
    }


def near(view: View) -> bool:
    """Say whether this stop is the next one, or at most twenty minutes away."""
    eta = view.stop.eta_at
    return view.ahead == 0 or (eta is not None and eta - view.now <= CLOSE)


def handed_over(session: Session, stop: StopRow) -> dict[str, object]:
    """Return the pictures of the last attempt."""
    files = session.exec(pictures(stop.id)).all()
    signatures = [file.sha256 for file in files if file.kind == "signature"]
    return {
        "photos": tuple(file.sha256 for file in files if file.kind == "photo"),
        "signature": signatures[-1] if signatures else "",
    }


def picture(session: Session, stop_id: str, sha256: str) -> ProofFileRow:
    """Return one picture of a stop's handover; raise `Missing` for any other file."""
    stop = session.get_one(StopRow, stop_id)
    if stop.state in ("completed", "partial"):
        for file in session.exec(pictures(stop_id)):
            if file.sha256 == sha256:
                return file
    raise Missing(DEAD)


def pictures(stop_id: str) -> SelectOfScalar[ProofFileRow]:
    """Return a select of the files of a stop's last attempt."""
    last = select(func.max(AttemptRow.number)).where(AttemptRow.stop == stop_id).scalar_subquery()
    return (
        select(ProofFileRow)
        .join(AttemptRow, col(AttemptRow.id) == col(ProofFileRow.attempt))
        .where(AttemptRow.stop == stop_id, col(AttemptRow.number) == last)
        .order_by(col(ProofFileRow.id))
    )
