"""The scenes of the demo's day; each can be played again after a crash without harm."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files

from sqlmodel import col, select

from hub.errors import Missing
from hub.hub import Hub
from hub.simulate.caller import Caller
from hub.simulate.folder import Folder
from hub.simulate.ground import ground_of
from hub.simulate.script import AD_HOC, Day
from hub.store import ConnectionRow, DepotRow, DriverRow, MerchantRow, OrderRow, StopRow

FRESH_TOKEN = "xero-token-2"  # noqa: S105 - of the demo's recording service


class Stage:
    """What scenes play with: the hub, its API and the demo's notes."""

    def __init__(self, hub: Hub, folder: Folder, api: Caller) -> None:
        self.hub = hub
        self.folder = folder
        self.api = api

    def is_marked(self, day: Day, name: str) -> bool:
        """Say whether a scene of a day was played."""
        return self.folder.marked(f"{day.number}:{name}")

    def mark(self, day: Day, name: str) -> None:
        """Remember that a scene of a day was played."""
        self.folder.mark(f"{day.number}:{name}")

    def merchant(self, slug: str) -> str:
        """Return a merchant's id."""
        with self.hub.store.read() as session:
            row = session.exec(select(MerchantRow).where(MerchantRow.slug == slug)).one()
            return row.id

    def phones(self) -> list[Caller]:
        """Return a signed-in caller for every driver."""
        with self.hub.store.read() as session:
            drivers = [row.id for row in session.exec(select(DriverRow).order_by(DriverRow.id))]
        return [self.phone(driver) for driver in drivers]

    def phone(self, driver: str) -> Caller:
        """Sign a driver's phone in by a one-time link, once."""
        token = self.folder.mark_of(f"phone:{driver}")
        if token is None:
            link = self.api.post(f"/api/v1/drivers/{driver}/link")["url"]
            signed = self.api.post("/api/v1/driver/session", {"link": link.rsplit("/", 1)[1]})
            token = signed["token"]
            self.folder.mark(f"phone:{driver}", token)
        return Caller(self.api.root, token)


@dataclass(frozen=True)
class Scene:
    """Something that somebody does at an hour of the day."""

    name: str
    hour: tuple[int, int]
    play: Callable[[Stage, Day], None]
    settles: bool = False
    """Whether the day waits until all of its consequences are done."""


def import_file(stage: Stage, day: Day, slug: str) -> None:
    """Send a merchant's file to the API, its order numbers marked with the day."""
    text = files("hub.simulate").joinpath(f"data/{slug}-orders.csv").read_text("utf-8")
    text = ground_of(stage.folder.directory).rewritten(text)
    if day.number > 1:
        text = text.replace("\n#", f"\n#D{day.number}-")
    stage.api.post(
        "/api/v1/imports",
        data={"merchant": stage.merchant(slug), "service_date": day.date.isoformat()},
        files={"file": (f"{slug}-{day.date}.csv", text.encode(), "text/csv")},
    )


def import_all(stage: Stage, day: Day) -> None:
    """Two shops send their orders."""
    for slug in ("alpenkraut", "rheinwein"):
        import_file(stage, day, slug)


def import_again(stage: Stage, day: Day) -> None:
    """One shop sends its file a second time."""
    import_file(stage, day, "rheinwein")


def expire(stage: Stage, day: Day) -> None:
    """The second shop's sign-in at its accounting service ends."""
    control(stage, {"expire": xero_token(stage)})


def plan(stage: Stage, day: Day) -> None:
    """The dispatcher plans both depots."""
    with stage.hub.store.read() as session:
        depots = [row.id for row in session.exec(select(DepotRow).order_by(DepotRow.name))]
    for depot in depots:
        stage.api.post("/api/v1/plans", {"depot": depot, "service_date": day.date.isoformat()})


def publish(stage: Stage, day: Day) -> None:
    """The dispatcher looks the drafts over and publishes them."""
    listed = stage.api.get("/api/v1/routes", service_date=day.date.isoformat())
    for route in listed["routes"]:
        if route["state"] == "draft":
            stage.api.post(f"/api/v1/routes/{route['id']}/publish")


def order_ad_hoc(stage: Stage, day: Day) -> None:
    """A customer orders while the drivers are on the road."""
    ref = AD_HOC["ref"] if day.number == 1 else f"D{day.number}-{AD_HOC['ref']}"
    body = {
        **ground_of(stage.folder.directory).order(AD_HOC),
        "ref": ref,
        "merchant": stage.merchant("alpenkraut"),
        "service_date": day.date.isoformat(),
    }
    stage.api.post("/api/v1/orders", body, key=f"ad-hoc-{day.number}")


def insert_ad_hoc(stage: Stage, day: Day) -> None:
    """The dispatcher puts the new stop into a route that is under way."""
    ref = AD_HOC["ref"] if day.number == 1 else f"D{day.number}-{AD_HOC['ref']}"
    with stage.hub.store.read() as session:
        stop = session.exec(
            select(StopRow).join(OrderRow, col(OrderRow.id) == StopRow.order)
            .where(OrderRow.ref == ref)
        ).one_or_none()  # fmt: skip
    if stop is None:
        raise Missing(f"order {ref} has not become a stop")
    if stop.route is None:
        stage.api.post(f"/api/v1/stops/{stop.id}/insert", {})


def reconnect(stage: Stage, day: Day) -> None:
    """The merchant signs in to the accounting service again; what waited goes out."""
    from hub.workflow.parking import release

    hub, token = stage.hub, f"{FRESH_TOKEN}-{day.number}"
    control(stage, {"accept": token})
    owner = stage.merchant("rheinwein")
    with hub.store.write() as session:
        row = session.exec(
            select(ConnectionRow).where(
                ConnectionRow.connector == "xero", ConnectionRow.merchant == owner
            )
        ).one()
        settings = {**row.config, "token": token}
        hub.connections.save(session, "xero", settings, merchant=row.merchant, id=row.id)
        release(session, row.id)


def control(stage: Stage, wanted: dict[str, str]) -> None:
    """Tell the accounting service which tokens it takes."""
    peers = json.loads((stage.folder.directory / "peers" / "peers.json").read_text())
    Caller(peers["xero"]["control"]).post("", wanted)


def xero_token(stage: Stage) -> str:
    """Return the token that the second shop's connection holds now."""
    hub = stage.hub
    with hub.store.read() as session:
        row = session.exec(
            select(ConnectionRow).where(
                ConnectionRow.connector == "xero",
                ConnectionRow.merchant == stage.merchant("rheinwein"),
            )
        ).one()
        return str(hub.connections.settings(row)["token"])


SCENES = (
    Scene("imported", (6, 30), import_all, settles=True),
    Scene("imported again", (6, 35), import_again, settles=True),
    Scene("planned", (6, 45), plan, settles=True),
    Scene("published", (7, 0), publish, settles=True),
    Scene("expired", (7, 30), expire),
    Scene("ordered ad hoc", (9, 0), order_ad_hoc, settles=True),
    Scene("inserted ad hoc", (9, 5), insert_ad_hoc),
    Scene("reconnected", (10, 30), reconnect),
)
