"""The built scripts and styles: found by plain name, served under a name that never changes."""

from __future__ import annotations

import json
import mimetypes
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, current_app, request, send_from_directory
from flask.blueprints import BlueprintSetupState

from hub.errors import HubError
from hub.maps import LoadedMap, loaded
from hub.web.context import hub
from hub.web.policy import allow

FOLDER = Path(__file__).parent / "static" / "dist"
FOREVER = 365 * 86_400

blueprint = Blueprint("assets", __name__)


class NoBundle(HubError):
    """Say that the pages were never built."""


@dataclass
class Bundle:
    """The files that frontend/build.mjs made; read again when they are built anew."""

    folder: Path = FOLDER
    _names: dict[str, str] = field(default_factory=dict)
    _read: int = 0

    def file(self, name: str) -> str:
        """Return the hashed file name of `board.js`; raise `NoBundle` saying how to get it."""
        self._refresh()
        if name not in self._names:
            raise NoBundle(
                f"the pages' file {name} has not been built; "
                "run: make setup (in a checkout), or install the wheel"
            )
        return self._names[name]

    def _refresh(self) -> None:
        manifest = self.folder / "manifest.json"
        try:
            changed = manifest.stat().st_mtime_ns
        except FileNotFoundError:
            self._names, self._read = {}, 0
            return
        if changed != self._read:
            made = json.loads(manifest.read_text())
            self._names = {name: entry["file"] for name, entry in made.items()}
            self._read = changed


@blueprint.record_once
def install(state: BlueprintSetupState) -> None:
    """Give templates `asset('board.js')`, the address of a built file, and `hub_clock()`."""
    if not isinstance(state.app, Flask):
        raise TypeError("assets belong to a Flask application")
    state.app.extensions["bundle"] = Bundle()
    state.app.jinja_env.globals["asset"] = asset
    state.app.jinja_env.globals["hub_clock"] = hub_clock
    state.app.jinja_env.globals["map_settings"] = map_settings


def asset(name: str) -> str:
    """Return the address under which a built file is served."""
    bundle: Bundle = current_app.extensions["bundle"]
    return f"/assets/{bundle.file(name)}"


def hub_clock() -> dict[str, datetime | float]:
    """Return hub time and its speed, for scripts that count on between two answers."""
    clock = hub().store.clock
    rate = clock.rate()
    return {"now": clock.now(), "speed": 1.0 if rate is None else rate.speed}


def map_settings() -> dict[str, str]:
    """Return the operator's tiles with their attribution, and the loaded maps as JSON."""
    settings = hub().settings
    return {
        "tiles": settings.map_tiles,
        "attribution": settings.map_attribution,
        "streets": json.dumps([described(one) for one in loaded(settings.maps)]),
    }


def described(one: LoadedMap) -> dict[str, object]:
    """Return what frontend/src/shared/streets.ts needs to know of a loaded map."""
    return {
        "url": f"/map/{one.name}/{one.version}/{{z}}/{{x}}/{{y}}",
        "bounds": one.bounds,
        "credit": one.credit,
    }


@blueprint.before_app_request
def require_bundle() -> Response | None:
    """Answer every page with one sentence while there is no bundle; the API works without."""
    if request.path.startswith("/api/") or not request.accept_mimetypes.accept_html:
        return None
    bundle: Bundle = current_app.extensions["bundle"]
    try:
        bundle.file("app.css")
    except NoBundle as error:
        return unbuilt(error)
    return None


@blueprint.app_errorhandler(NoBundle)
def unbuilt(error: NoBundle) -> Response:
    """Say in plain text what is missing and how to get it."""
    return Response(f"{str(error)[:1].upper()}{str(error)[1:]}.\n", 503, mimetype="text/plain")


@blueprint.get("/assets/<name>")
@allow("public")
def serve(name: str) -> Response:
    """Serve a built file, packed where the browser takes it; its name changes with its content."""
    bundle: Bundle = current_app.extensions["bundle"]
    if name.startswith(".") or name == "manifest.json" or not (bundle.folder / name).is_file():
        abort(404)
    packed = (
        request.accept_encodings.quality("gzip") > 0 and (bundle.folder / f"{name}.gz").is_file()
    )
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    response = send_from_directory(bundle.folder, f"{name}.gz" if packed else name, mimetype=kind)
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    # Private, because an answer may also renew the reader's session cookie.
    response.headers["Cache-Control"] = f"private, max-age={FOREVER}, immutable"
    return response


@blueprint.get("/favicon.ico")
@allow("public")
def favicon() -> Response:
    """Serve the hub's sign to browsers that ask for it by its old name."""
    bundle: Bundle = current_app.extensions["bundle"]
    return send_from_directory(bundle.folder, bundle.file("icon.svg"), mimetype="image/svg+xml")
