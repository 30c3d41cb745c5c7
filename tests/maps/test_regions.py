"""Fetching an extract by its region's name: resumed, checked, and refused in plain words."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hub.errors import Refused, Rejected, Retry
from hub.maps.regions import fetch
from hub.testing.peers import Peer, Reply, Request

BYTES = bytes(range(256)) * 4000


class Downloads(Peer):
    """Serves one file with its MD5, also in parts."""

    service = "downloads"

    def __init__(self, directory: Path) -> None:
        self.content = BYTES
        self.md5 = hashlib.md5(BYTES).hexdigest()
        self.tag = '"one"'
        self.kind = "application/octet-stream"
        self.ranges: list[str] = []
        super().__init__(directory)

    def answer(self, request: Request) -> Reply:
        """Answer `/europe/li.osm.pbf` and its `.md5`."""
        if request.path == "/europe/li.osm.pbf.md5" and self.md5:
            text = f"{self.md5}  li.osm.pbf\n".encode()
            return Reply(200, headers={"Content-Type": "text/plain"}, content=text)
        if request.path != "/europe/li.osm.pbf":
            return Reply(404)
        self.ranges.append(request.headers.get("Range", ""))
        match = re.match(r"bytes=(\d+)-", self.ranges[-1])
        fits = match is not None and request.headers.get("If-Range") == self.tag
        start = int(match[1]) if match and fits else 0
        content = self.content[start:]
        headers = {"Content-Type": self.kind, "ETag": self.tag}
        return Reply(206 if start else 200, headers=headers, content=content)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Downloads]:
    """A download server on loopback that the hub may call."""
    made = Downloads(tmp_path / "peer")
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    made.start()
    yield made
    made.stop()


def get(server: Downloads, folder: Path, region: str = "europe/li") -> tuple[bytes, list[float]]:
    """Fetch a region and return what came and how far it was said to be."""
    told: list[float] = []
    path = fetch(region, server.url + "/{region}.osm.pbf", folder, told.append)
    return path.read_bytes(), told


def test_a_region_is_fetched_with_progress_and_nothing_is_left_beside_it(
    server: Downloads, tmp_path: Path
) -> None:
    content, told = get(server, tmp_path / "into")
    assert content == BYTES
    assert told == sorted(told)
    assert told[-1] == 1
    assert [path.name for path in (tmp_path / "into").iterdir()] == ["li.osm.pbf"]


def test_a_part_that_is_held_is_gone_on_with(server: Downloads, tmp_path: Path) -> None:
    into = tmp_path / "into"
    into.mkdir()
    (into / "li.part").write_bytes(BYTES[:300_000])
    (into / "li.json").write_text('{"mark": "\\"one\\""}')
    assert get(server, into)[0] == BYTES
    assert server.ranges == ["bytes=300000-"]


def test_a_download_that_breaks_off_goes_on_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    class Flaky(BaseHTTPRequestHandler):
        """Hangs up in the middle of the first answer."""

        def do_GET(self) -> None:
            asked.append(self.headers.get("Range", ""))
            start = int(asked[-1].removeprefix("bytes=").strip("-") or 0)
            if self.path.endswith(".md5"):
                self.send_error(404)
                return
            self.send_response(206 if start else 200)
            self.send_header("Last-Modified", "Mon, 23 Nov 2026 07:00:00 GMT")
            self.send_header("Content-Length", str(len(BYTES) - start))
            self.end_headers()
            self.wfile.write(BYTES[start:] if start else BYTES[:300_000])

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Flaky)
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/{{region}}"
    path = fetch("li", url, tmp_path, lambda share: None)
    server.shutdown()
    server.server_close()
    assert path.read_bytes() == BYTES
    assert asked[0] == ""
    assert re.fullmatch(r"bytes=[1-9]\d+-", asked[1])


def test_a_part_of_another_file_is_thrown_away(server: Downloads, tmp_path: Path) -> None:
    into = tmp_path / "into"
    into.mkdir()
    (into / "li.part").write_bytes(b"old" * 1000)
    (into / "li.json").write_text('{"mark": "\\"older\\""}')
    assert get(server, into)[0] == BYTES


def test_a_file_that_does_not_fit_its_md5_is_refused_and_gone(
    server: Downloads, tmp_path: Path
) -> None:
    server.md5 = "0" * 32
    with pytest.raises(Rejected, match="does not fit its MD5"):
        get(server, tmp_path / "into")
    assert not (tmp_path / "into" / "li.part").exists()


def test_a_server_without_an_md5_is_taken_at_its_word(server: Downloads, tmp_path: Path) -> None:
    server.md5 = ""
    assert get(server, tmp_path / "into")[0] == BYTES


def test_a_busy_server_is_told_to_be_tried_later(server: Downloads, tmp_path: Path) -> None:
    server.failures = [(503, 1)]
    with pytest.raises(Retry, match="answered 503; try again later"):
        get(server, tmp_path / "into")


def test_a_web_page_is_no_extract(server: Downloads, tmp_path: Path) -> None:
    server.kind = "text/html; charset=utf-8"
    with pytest.raises(Rejected, match="is a web page and no extract"):
        get(server, tmp_path / "into")


def test_an_unknown_region_is_named(server: Downloads, tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="has no such region"):
        get(server, tmp_path / "into", "europe/atlantis")


@pytest.mark.parametrize("region", ["", "../etc", "a//b", "Europe", "a b", "/x", "x/"])
def test_what_is_no_region_is_refused(server: Downloads, tmp_path: Path, region: str) -> None:
    with pytest.raises(Refused, match="is no region"):
        get(server, tmp_path / "into", region)


def test_without_an_address_it_says_what_to_set_and_what_to_do_instead(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"set HUB_MAP_DOWNLOADS .* hub map load FILE"):
        fetch("europe/li", "", tmp_path, lambda share: None)
    with pytest.raises(Refused, match="it has to be an http address"):
        fetch("europe/li", "ftp://example.com/x", tmp_path, lambda share: None)


def test_a_private_server_has_to_be_allowed(
    server: Downloads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HUB_ALLOW_ADDRESSES")
    with pytest.raises(Rejected, match="HUB_ALLOW_ADDRESSES"):
        get(server, tmp_path / "into")
