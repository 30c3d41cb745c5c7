"""The peers as one process: ports and memory that outlive a kill -9, and misbehaving on request."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from hub.testing.patience import PATIENCE, until
from hub.testing.peers import duplicates
from hub.testing.peers.log import entries

GAZETTEER = """line1,postcode,city,country,lat,lon
Städtle 49,9490,Vaduz,LI,47.1389,9.5225
Landstrasse 4,9494,Schaan,LI,47.1651,9.5086
"""
MESSAGE = {"to": "+4237920001", "text": "Soon", "reference": "stp_1", "kind": "near"}


@contextmanager
def running(directory: Path) -> Iterator[tuple[dict[str, Any], subprocess.Popen[bytes]]]:
    """Run all peers in a process of their own."""
    file = directory / "gazetteer.csv"
    file.write_text(GAZETTEER, encoding="utf-8")
    told = directory / "peers.json"
    before = told.stat().st_mtime_ns if told.exists() else 0
    command = [sys.executable, "-m", "hub.testing.peers", "--directory", str(directory)]
    process = subprocess.Popen([*command, "--gazetteer", str(file)])
    try:
        until(lambda: told.exists() and told.stat().st_mtime_ns != before)
        yield json.loads(told.read_text()), process
    finally:
        process.terminate()
        process.wait(PATIENCE)


def send(peer: dict[str, Any], key: str, token: str = "") -> requests.Response:
    headers = {"Authorization": f"Bearer {token or peer['token']}", "Idempotency-Key": key}
    return requests.post(f"{peer['url']}/messages", json=MESSAGE, headers=headers, timeout=PATIENCE)


def test_ports_keys_and_expired_tokens_outlive_a_kill(tmp_path: Path) -> None:
    with running(tmp_path) as (peers, process):
        first = send(peers["sms"], "k1").json()
        requests.post(peers["sms"]["control"], json={"accept": "new"}, timeout=PATIENCE)
        requests.post(
            peers["sms"]["control"], json={"expire": peers["sms"]["token"]}, timeout=PATIENCE
        )
        os.kill(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)
    with running(tmp_path) as (again, _):
        assert again == peers
        assert send(again["sms"], "k1").status_code == 401
        assert send(again["sms"], "k1", "new").json() == first
    log = list(entries(tmp_path / "sms.jsonl"))
    assert [(e.status, e.repeat) for e in log if e.method == "POST"] == [
        (201, False), (401, False), (201, True),
    ]  # fmt: skip
    assert duplicates(tmp_path) == 0


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with running(tmp_path_factory.mktemp("peers")) as (told, _):
        yield told


def test_a_second_text_of_the_same_kind_for_a_stop_is_counted(peers: dict[str, Any]) -> None:
    send(peers["sms"], "run_a")
    send(peers["sms"], "run_b")
    page = requests.get(peers["sms"]["page"], timeout=PATIENCE)
    assert page.text.count("+4237920001") == 2
    assert "text/html" in page.headers["Content-Type"]
    assert duplicates(Path(peers["sms"]["log"])) == 1


def test_failures_come_on_request_with_a_waiting_time(peers: dict[str, Any]) -> None:
    wanted = {"fail": 429, "times": 2, "after": 9}
    requests.post(peers["xero"]["control"], json=wanted, timeout=PATIENCE)
    got = [requests.get(peers["xero"]["url"] + "/Invoices", timeout=PATIENCE) for _ in range(3)]
    assert [(reply.status_code, reply.headers.get("Retry-After")) for reply in got] == [
        (429, "9"), (429, "9"), (401, None),
    ]  # fmt: skip


def test_places_are_found_by_words_in_any_order_without_accents(peers: dict[str, Any]) -> None:
    found = search(peers, q="stadtle 49, 9490 VADUZ, Liechtenstein")
    assert [(place["lat"], place["lon"]) for place in found] == [("47.1389", "9.5225")]
    assert len(search(peers, street="Landstrasse 4", city="Schaan", country="LI")) == 1
    assert search(peers, q="Landstrasse 5, Schaan") == []
    assert search(peers, q="Vaduz") == []


def test_the_search_tells_its_status(peers: dict[str, Any]) -> None:
    headers = {"User-Agent": "hub-tests"}
    reply = requests.get(peers["nominatim"]["url"] + "/status", headers=headers, timeout=PATIENCE)
    assert reply.json()["message"] == "OK"


def test_a_program_that_hides_who_it_is_is_refused(peers: dict[str, Any]) -> None:
    reply = requests.get(peers["nominatim"]["url"] + "/search?q=Vaduz", timeout=PATIENCE)
    assert reply.status_code == 403


def search(peers: dict[str, Any], **asked: str) -> list[dict[str, Any]]:
    reply = requests.get(
        peers["nominatim"]["url"] + "/search",
        params=asked,
        headers={"User-Agent": "hub-tests"},
        timeout=PATIENCE,
    )
    found: list[dict[str, Any]] = reply.json()
    return found
