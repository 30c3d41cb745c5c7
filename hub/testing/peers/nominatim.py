"""A search for places like Nominatim's, from a gazetteer file."""

from __future__ import annotations

import csv
import re
import unicodedata
from pathlib import Path

from hub.testing.peers.server import Peer, Reply, Request


class NominatimPeer(Peer):
    """Answers `GET /search` from a CSV with the columns line1, postcode, city, country, lat, lon.

    A place is found when the query names its street, its number and its town or postcode. Like
    the public service it refuses programs that do not say who they are.
    """

    service = "nominatim"

    def __init__(self, directory: Path, port: int = 0, gazetteer: Path | None = None) -> None:
        self.places = read_places(gazetteer) if gazetteer else []
        super().__init__(directory, port)

    def answer(self, request: Request) -> Reply:
        """Answer a free-form (`q`) or structured (`street`, `city`, `postalcode`) query."""
        if request.path == "/status":
            return Reply(200, {"status": 0, "message": "OK"})
        if request.path != "/search":
            return Reply(404, {"error": "no such address"})
        agent = request.headers.get("User-Agent", "")
        if not agent or agent.startswith(("python-requests/", "Python-urllib/")):
            return Reply(403, {"error": "say who you are in User-Agent"})
        parts = ("q", "street", "postalcode", "city", "state", "country")
        asked = words(" ".join(request.query.get(part, "") for part in parts))
        found = [place for place in self.places if names(asked, place)]
        limit = int(request.query.get("limit", "10"))
        return as_list([described(place) for place in found[:limit]])


def read_places(path: Path) -> list[dict[str, str]]:
    """Return the rows of a gazetteer; raise `ValueError` where a column is missing."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = {"line1", "city", "lat", "lon"} - set(reader.fieldnames or [])
        if missing:
            raise ValueError(f"{path} lacks the columns {', '.join(sorted(missing))}")
        return list(reader)


def words(text: str) -> set[str]:
    """Return the words of a text without case and accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return set(re.findall(r"[a-z0-9]+", plain.encode("ascii", "ignore").decode()))


def names(asked: set[str], place: dict[str, str]) -> bool:
    """Say whether a query names a place."""
    street = words(place["line1"])
    town = words(place["city"]) | words(place.get("postcode") or "")
    return bool(street) and street <= asked and bool(town & asked)


def described(place: dict[str, str]) -> dict[str, object]:
    """Return a place as Nominatim tells it."""
    town = " ".join(part for part in (place.get("postcode"), place["city"]) if part)
    return {
        "place_id": 1,
        "lat": place["lat"],
        "lon": place["lon"],
        "category": "building",
        "type": "yes",
        "place_rank": 30,
        "importance": 0.5,
        "display_name": ", ".join(p for p in (place["line1"], town, place.get("country")) if p),
    }


def as_list(places: list[dict[str, object]]) -> Reply:
    """Return a reply whose JSON is a list."""
    import json

    return Reply(200, content=json.dumps(places, ensure_ascii=False).encode())
