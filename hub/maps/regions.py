"""Fetch the extract of a region by its name, from the download address that the operator set."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from hub.errors import Refused, Rejected, Retry
from hub.http import CHUNK, TIMEOUT, calling, host_of, session

REGION = re.compile(r"^[a-z0-9]+(?:[a-z0-9_/-]*[a-z0-9])?$")
TRIES = 5
"""Times that a download which broke off goes on by itself, as long as something came each time."""
UNSET = (
    "no download address is set: set HUB_MAP_DOWNLOADS to an address with {region} in it, such as "
    "https://maps.example.com/{region}-latest.osm.pbf, or give a file: hub map load FILE.osm.pbf"
)
AGENT = {"User-Agent": "lastmile-hub", "Accept-Encoding": "identity"}


def address_of(region: str, template: str) -> str:
    """Return where a region's extract lies; raise `Refused` where that cannot be said."""
    if not template:
        raise Refused(UNSET)
    if "{region}" not in template or not template.startswith(("https://", "http://")):
        raise Refused(
            f"HUB_MAP_DOWNLOADS is {template!r}; it has to be an http address with {{region}} in it"
        )
    if not REGION.match(region) or "//" in region:
        raise Refused(f"{region!r} is no region; write it as the server does: europe/liechtenstein")
    return template.replace("{region}", region)


def fetch(region: str, template: str, folder: Path, tell: Callable[[float], None]) -> Path:
    """Return the fetched extract of a region, in `folder`; one that broke off is gone on with.

    Its size, and its MD5 where the server keeps one beside it, have to be right. Raise `Refused`
    without a usable address, `Rejected` for an answer that is no extract, `Retry` for one that may
    come later.
    """
    url = address_of(region, template)
    folder.mkdir(parents=True, exist_ok=True)
    name = region.rsplit("/", 1)[-1]
    part, notes = folder / f"{name}.part", folder / f"{name}.json"
    with session() as made:
        for attempt in range(1, TRIES + 1):
            before = part.stat().st_size if part.exists() else 0
            try:
                receive(made, url, part, notes, tell)
                break
            except Retry:
                if attempt == TRIES or not part.exists() or part.stat().st_size <= before:
                    raise
        verify(made, url, part)
    whole = folder / f"{name}.osm.pbf"
    part.rename(whole)
    notes.unlink(missing_ok=True)
    tell(1.0)
    return whole


def receive(
    made: requests.Session, url: str, part: Path, notes: Path, tell: Callable[[float], None]
) -> None:
    """Fetch what is missing of a file; raise `Retry` where it breaks off."""
    held = part.stat().st_size if part.exists() else 0
    mark = known_mark(notes) if held else ""
    headers = {**AGENT, "Range": f"bytes={held}-", "If-Range": mark} if mark else dict(AGENT)
    with (
        calling(url, reads=True),
        made.get(url, headers=headers, stream=True, timeout=TIMEOUT) as reply,
    ):
        if reply.status_code == 416:
            part.unlink()
            raise Retry(f"{host_of(url)} has another file now; run it again")
        check(reply, url)
        if reply.status_code != 206:
            held = 0
        total = held + int(reply.headers.get("Content-Length") or 0)
        notes.write_text(json.dumps({"mark": mark_of(reply)}))
        with part.open("ab" if held else "wb") as file:
            for chunk in reply.iter_content(CHUNK):
                file.write(chunk)
                held += len(chunk)
                tell(min(0.99, held / total) if total else 0.0)
    if total and held < total:
        raise Retry(
            f"{host_of(url)} broke off after {held:,} of {total:,} bytes; run it again to go on"
        )


def check(reply: requests.Response, url: str) -> None:
    """Raise in our words for an answer that is not the file."""
    if reply.status_code in (200, 206):
        if "text/html" in reply.headers.get("Content-Type", ""):
            raise Rejected(f"{url} is a web page and no extract; check HUB_MAP_DOWNLOADS")
        return
    if reply.status_code == 404:
        raise Rejected(f"{host_of(url)} has no such region ({url}); check its name")
    if reply.status_code in (408, 425, 429) or reply.status_code >= 500:
        raise Retry(f"{host_of(url)} answered {reply.status_code}; try again later")
    raise Rejected(f"{host_of(url)} answered {reply.status_code} to {url}")


def mark_of(reply: requests.Response) -> str:
    """Return what tells this file from a later one: a strong ETag, else its date."""
    tag = reply.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else reply.headers.get("Last-Modified", "")


def known_mark(notes: Path) -> str:
    """Return the mark of the part that is held, or nothing."""
    try:
        told: Any = json.loads(notes.read_text())
    except (OSError, ValueError):
        return ""
    return str(told.get("mark", "")) if isinstance(told, dict) else ""


def verify(made: requests.Session, url: str, part: Path) -> None:
    """Compare a file with the MD5 beside it, where there is one; a wrong file is thrown away."""
    with calling(url, reads=True):
        reply = made.get(f"{url}.md5", headers=AGENT, timeout=TIMEOUT)
    match = re.match(r"[0-9a-fA-F]{32}\b", reply.text) if reply.status_code == 200 else None
    if match is None:
        return
    with part.open("rb") as file:
        found = hashlib.file_digest(file, "md5").hexdigest()
    if found != match[0].lower():
        part.unlink()
        raise Rejected(f"what {host_of(url)} sent does not fit its MD5; run it again")
