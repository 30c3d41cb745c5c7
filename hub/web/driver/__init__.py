"""The driver's pages: signing a phone in, and the app itself."""

from __future__ import annotations

from flask import Blueprint, g, make_response, redirect, render_template
from werkzeug.wrappers import Response

from hub.access import tokens
from hub.driving import links
from hub.errors import Forbidden
from hub.store import Driver, DriverRow
from hub.web.auth import DEVICE_COOKIE
from hub.web.context import hub
from hub.web.policy import allow

blueprint = Blueprint("driver", __name__, url_prefix="/driver")


@blueprint.get("/start/<token>")
@allow("public")
def start(token: str) -> str:
    """Show a button: link previews open addresses by themselves and would spend the token."""
    with hub().store.read() as session:
        try:
            driver = links.welcome(session, token)
        except Forbidden:
            driver = None
    return render_template("driver/start.html", driver=driver, token=token)


@blueprint.post("/start/<token>")
@allow("public")
def enrol(token: str) -> Response:
    """Use up the link and let this phone act for the driver."""
    with hub().store.write() as session:
        device, _ = links.enrol(session, token)
    response = redirect("/driver", 303)
    life = tokens.LIVES["driver_device"]
    response.set_cookie(
        DEVICE_COOKIE,
        device,
        max_age=None if life is None else int(life.total_seconds()),
        httponly=True,
        secure=hub().settings.public_url.startswith("https://"),
        samesite="Strict",
    )
    return response


@blueprint.get("")
@allow("public")
def page() -> Response | tuple[str, int]:
    """Show the app on a phone that is signed in, else how to get in."""
    found = g.principal
    if not isinstance(found, Driver):
        return render_template("driver/out.html", why=g.refused), 403
    with hub().store.read() as session:
        driver = session.get_one(DriverRow, found.id)
    public = hub().settings.public_url
    return make_response(render_template("driver/app.html", driver=driver, public_url=public))
