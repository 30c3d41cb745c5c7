"""The served application: few pages at once, webhooks beside them."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from hub.testing.patience import PATIENCE
from hub.web.server import Lane


def test_webhooks_go_through_while_the_lane_is_full() -> None:
    entered, leave = threading.Semaphore(0), threading.Event()
    inside: list[str] = []

    def application(environ: dict[str, Any], begin: Any) -> Iterable[bytes]:
        inside.append(environ["PATH_INFO"])
        entered.release()
        if environ["PATH_INFO"].startswith("/page"):
            leave.wait(PATIENCE)
        return [b""]

    lane = Lane(application, 2)
    threads = [
        threading.Thread(target=lane, args=({"PATH_INFO": f"/page/{n}"}, None)) for n in range(3)
    ]
    for thread in threads:
        thread.start()
    assert entered.acquire(timeout=PATIENCE)
    assert entered.acquire(timeout=PATIENCE)
    lane({"PATH_INFO": "/hooks/con_1/secret"}, None)
    assert entered.acquire(timeout=PATIENCE)
    assert len(inside) == 3
    leave.set()
    assert entered.acquire(timeout=PATIENCE)
    for thread in threads:
        thread.join(PATIENCE)
    assert len(inside) == 4
