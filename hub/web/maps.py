"""The street layer of the loaded maps, tile by tile; it is public data, and says nothing of us."""

from __future__ import annotations

import gzip
import sqlite3
from contextlib import closing
from pathlib import Path

from flask import Blueprint, Response, request

from hub.errors import Missing
from hub.maps.catalogue import LoadedMap, read
from hub.maps.load import NAME
from hub.web.assets import FOREVER
from hub.web.context import hub
from hub.web.policy import allow

blueprint = Blueprint("maps", __name__)


@blueprint.get("/map/<name>/<version>/<int:z>/<int:x>/<int:y>")
@allow("public")
def tile(name: str, version: str, z: int, x: int, y: int) -> Response:
    """Serve one tile (see hub.maps.tiles); `version` changes whenever the map is loaded anew."""
    one = current(name)
    if one.version != version:
        raise Missing(f"the map {name} was loaded anew; reload the page")
    response = Response(mimetype="application/json")
    response.set_etag(f"{name}-{version}-{z}-{x}-{y}")
    # Private, because an answer may also renew the reader's session cookie.
    response.headers["Cache-Control"] = f"private, max-age={FOREVER}, immutable"
    response.headers["Vary"] = "Accept-Encoding"
    if request.if_none_match.contains_weak(response.get_etag()[0] or ""):
        response.status_code = 304
        return response
    packed = packed_tile(one.streets, z, x, y)
    if packed is None:
        response.set_data(b"{}")
    elif request.accept_encodings.quality("gzip") > 0:
        response.set_data(packed)
        response.headers["Content-Encoding"] = "gzip"
    else:
        response.set_data(gzip.decompress(packed))
    return response


def current(name: str) -> LoadedMap:
    """Return a loaded map; raise `Missing` where there is none of that name."""
    one = read(hub().settings.maps / name) if NAME.match(name) else None
    if one is None:
        raise Missing(f"there is no map {name[:60]!r}")
    return one


def packed_tile(streets: Path, z: int, x: int, y: int) -> bytes | None:
    """Return a tile as it lies in the database, or None where nothing is drawn."""
    if max(z, x, y) >= 2**31:
        return None
    with closing(
        sqlite3.connect(f"{streets.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    ) as database:
        row = database.execute(
            "SELECT data FROM tiles WHERE z = ? AND x = ? AND y = ?", (z, x, y)
        ).fetchone()
    return row[0] if row else None
