"""Webhooks in parallel bursts at a served hub, and a database that others keep locked."""

from __future__ import annotations

import base64
import hmac
import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hub.testing.patience import PATIENCE

HOLDER = """\
import sqlite3, sys, time
path, held, free = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
database = sqlite3.connect(path, timeout=30, isolation_level=None)
while True:
    database.execute("BEGIN IMMEDIATE")
    print("held", flush=True)
    time.sleep(held)
    database.execute("COMMIT")
    time.sleep(free)
"""
TIMEOUT = 60.0
Request = tuple[int, bytes, Mapping[str, str]]
"""A number by which the answer is known, the body and the headers."""


@dataclass(frozen=True)
class Sent:
    """One request and how it was answered."""

    number: int
    status: int
    seconds: float
    retry_after: str


class Bursts:
    """A sender that has many connections open and uses them all at once."""

    def __init__(self, port: int, path: str, parallel: int) -> None:
        self.port, self.path, self.parallel = port, path, parallel
        self._own = threading.local()
        self._pool = ThreadPoolExecutor(parallel)

    def send(self, requests: Sequence[Request]) -> list[Sent]:
        """Send requests in parallel; return the answers, in the order of the requests."""
        return list(self._pool.map(self._one, requests))

    def close(self) -> None:
        """Let the senders go."""
        self._pool.shutdown()

    def _one(self, request: Request) -> Sent:
        number, body, headers = request
        began = time.perf_counter()
        for last in (False, True):
            line = self._line()
            try:
                line.request("POST", self.path, body, dict(headers))
                answer = line.getresponse()
                answer.read()
            except (http.client.HTTPException, OSError):
                # A connection that stood idle may be closed by the other side at any time.
                line.close()
                if last:
                    raise
                continue
            break
        spent = time.perf_counter() - began
        return Sent(number, answer.status, spent, answer.headers.get("Retry-After", ""))

    def _line(self) -> http.client.HTTPConnection:
        line: http.client.HTTPConnection | None = getattr(self._own, "line", None)
        if line is None:
            line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
            self._own.line = line
        if line.sock is None:
            line.connect()
        return line


@contextmanager
def locked(path: str, held: float, free: float) -> Iterator[None]:
    """Have another process hold SQLite's write lock for `held` seconds, again after `free`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, path, str(held), str(free)], stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield
    finally:
        process.kill()
        process.wait(PATIENCE)
        assert process.stdout is not None
        process.stdout.close()


def order(number: int) -> dict[str, Any]:
    """Return an order as WooCommerce's REST API words it."""
    place = {
        "first_name": "Anna", "last_name": f"Beck {number}", "company": "", "address_2": "",
        "address_1": f"Gasse {number}", "city": "Vaduz", "state": "", "postcode": "9490",
        "country": "LI", "phone": "+4237920001",
    }  # fmt: skip
    item = {"id": number, "name": "Herb tea", "quantity": 2, "sku": "TEA-1"}
    return {
        "id": number, "number": str(number), "status": "processing", "currency": "CHF",
        "total": "24.50", "billing": {**place, "email": "a@example.com"}, "shipping": place,
        "payment_method": "cod", "date_paid_gmt": None, "customer_note": "Ring twice",
        "date_modified_gmt": "2026-11-23T07:00:00", "line_items": [item],
    }  # fmt: skip


def delivery(number: int, secret: str) -> Request:
    """Return a signed delivery of one order, as WooCommerce sends it."""
    body = json.dumps(order(number)).encode()
    made = base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
    headers = {
        "Content-Type": "application/json", "User-Agent": "WooCommerce/10.9.1 Hookshot",
        "X-WC-Webhook-Topic": "order.updated", "X-WC-Webhook-Signature": made,
        "X-WC-Webhook-Delivery-ID": "9a22cf1a68da60b2823f52220c85d52e",
    }  # fmt: skip
    return number, body, headers


def percentile(seconds: Sequence[float], part: float) -> float:
    """Return the value below which `part` of the values lie."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]
