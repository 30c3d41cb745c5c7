"""What stands around every page: navigation by role, and instants in the reader's zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, current_app, g, url_for
from flask.blueprints import BlueprintSetupState
from sqlmodel import col, select

from hub.store import DepotRow, Merchant, Operator, Principal, SettingRow
from hub.web.context import hub, principal
from hub.web.policy import allowed, permitted

blueprint = Blueprint("frame", __name__)

ENTRIES = (
    ("board.page", "Board"),
    ("merchant.orders", "Orders"),
    ("fleet.page", "Fleet"),
    ("imports.page", "Imports"),
    ("connections.page", "Connections"),
    ("endpoints.page", "Webhooks"),
    ("plugins.page", "Plugins"),
    ("workflows.page", "Workflows"),
    ("runs.page", "Runs"),
    ("letters.page", "Dead letters"),
    ("messages.page", "Messages"),
    ("settings.page", "Settings"),
)
"""Pages of the main navigation, in order; each reader sees those that its role may open."""

WORDS = {
    "en_route": "On the way",
    "arrived": "At the door",
    "completed": "Delivered",
    "partial": "Partly",
    "done": "Done",
    "succeeded": "Done",
}
"""States whose word is not simply their name; frontend/src/shared/words.ts says the same."""


@dataclass(frozen=True)
class Entry:
    """One link of the navigation."""

    href: str
    label: str


@blueprint.record_once
def install(state: BlueprintSetupState) -> None:
    """Give templates the navigation and the filters for instants."""
    if not isinstance(state.app, Flask):
        raise TypeError("the frame belongs to a Flask application")
    environment = state.app.jinja_env
    environment.globals["navigation"] = navigation
    environment.globals["operator_name"] = operator_name
    environment.globals["home"] = lambda: home(principal())
    environment.filters["short"] = short
    environment.filters["exact"] = exact
    environment.filters["word"] = word
    environment.filters["sentence"] = sentence


def navigation() -> list[Entry]:
    """Return the pages that the reader may open."""
    return [
        Entry(url_for(endpoint), label)
        for endpoint, label in ENTRIES
        if endpoint in current_app.view_functions and permitted(allowed(current_app, endpoint))
    ]


def home(reader: Principal) -> str:
    """Return the address of the reader's first page."""
    if isinstance(reader, Merchant):
        return "/m"
    if isinstance(reader, Operator) and reader.role == "accountant":
        return "/admin/messages"
    return "/"


def operator_name() -> str:
    """Return the operator's name, as set in the setting `operator`."""
    with hub().store.read() as session:
        row = session.get(SettingRow, "operator")
    return str(row.value.get("name") or "Lastmile Hub") if row else "Lastmile Hub"


def zone_name() -> str:
    """Return the zone in which pages show instants: the first depot's."""
    if "zone" not in g:
        with hub().store.read() as session:
            found = session.exec(select(DepotRow.timezone).order_by(col(DepotRow.id))).first()
        g.zone = found or "UTC"
    return str(g.zone)


def short(at: datetime, zone: str = "") -> str:
    """Return `14:05` for today, else `23 Nov 14:05`, in `zone`."""
    local = ZoneInfo(zone or zone_name())
    here, now = at.astimezone(local), hub().store.clock.now().astimezone(local)
    if here.date() == now.date():
        return here.strftime("%H:%M")
    return f"{here.day} {here.strftime('%b %H:%M')}"


def exact(at: datetime, zone: str = "") -> str:
    """Return `Mon 23 Nov 2026, 14:05:09` in `zone`."""
    here = at.astimezone(ZoneInfo(zone or zone_name()))
    return f"{here.strftime('%a')} {here.day} {here.strftime('%b %Y, %H:%M:%S')}"


def word(state: str) -> str:
    """Return the word for a state of a stop, a run, an import or a message."""
    return WORDS.get(state, state.replace("_", " ").capitalize())


def sentence(text: object) -> str:
    """Return a text with a capital letter in front and a full stop behind."""
    said = str(text).strip()
    end = "" if said.endswith((".", "!", "?")) else "."
    return f"{said[:1].upper()}{said[1:]}{end}" if said else ""
