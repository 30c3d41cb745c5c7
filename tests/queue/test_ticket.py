"""Tickets: whoever can write to Redis can wake a worker, and do nothing else."""

import json
import os
import pickle
import subprocess
from pathlib import Path
from typing import Any

import pytest
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from hub.hub import Hub
from hub.queue.horse import FastWorker
from hub.queue.ticket import ENTRY, hand_in, ticket_class, ticket_queue


def drain(hub: Hub) -> list[str]:
    """Let a worker use up every ticket of `fast`; return the queues it was woken for."""
    woken: list[str] = []

    def duty(queue: str) -> int:
        woken.append(queue)
        return 0

    kind = ticket_class(duty)
    worker = FastWorker(
        [ticket_queue("fast", hub.redis, kind)],
        connection=hub.redis,
        job_class=kind,
        serializer="json",
    )
    worker.work(burst=True, logging_level="ERROR")
    return woken


class Touch:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return subprocess.call, (["touch", str(self.path)],)


def forge(hub: Hub, **fields: Any) -> None:
    """Write a good ticket into Redis, and then change fields of its hash."""
    queue = ticket_queue("fast", hub.redis)
    hand_in(queue)
    hub.redis.hset(Job.key_for(queue.job_ids[-1]), mapping=fields)


def test_a_ticket_wakes_the_worker_of_its_queue(hub: Hub) -> None:
    hand_in(ticket_queue("fast", hub.redis))
    assert drain(hub) == ["fast"]


def test_used_tickets_leave_nothing_in_redis(hub: Hub) -> None:
    hand_in(ticket_queue("fast", hub.redis))
    drain(hub)
    assert not hub.redis.keys("rq:job:*")


def test_a_pickled_job_is_dropped_unread(hub: Hub, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    Queue("fast", connection=hub.redis).enqueue(subprocess.call, ["touch", str(mark)])
    hand_in(ticket_queue("fast", hub.redis))
    assert drain(hub) == ["fast"]
    assert not mark.exists()


@pytest.mark.parametrize("field", ["data", "meta", "result"])
def test_a_pickle_in_any_field_of_a_ticket_is_never_loaded(
    hub: Hub, tmp_path: Path, field: str
) -> None:
    mark = tmp_path / "ran"
    forge(hub, **{field: pickle.dumps(Touch(mark))})
    drain(hub)
    assert not mark.exists()


def test_a_json_job_that_names_another_function_does_not_run(hub: Hub, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    queue = Queue("fast", connection=hub.redis, serializer=JSONSerializer)
    queue.enqueue(os.system, f"touch {mark}")
    assert drain(hub) == []
    assert not mark.exists()


@pytest.mark.parametrize(
    "data",
    [
        [ENTRY, None, ["no-such-queue"], {}],
        [ENTRY, None, ["fast", "more"], {}],
        [ENTRY, None, ["fast"], {"budget": 1e9}],
        ["format", "{0.__class__}", ["fast"], {}],
        [ENTRY, None, [["fast"]], {}],
        "nonsense",
    ],
)
def test_a_ticket_with_other_contents_is_dropped(hub: Hub, data: Any) -> None:
    forge(hub, data=json.dumps(data))
    assert drain(hub) == []


@pytest.mark.parametrize("callback", ["success_callback_name", "failure_callback_name"])
def test_callbacks_named_in_redis_are_not_run(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, callback: str
) -> None:
    mark = tmp_path / "ran.py"
    module = tmp_path / "planted.py"
    module.write_text(f"open({str(mark)!r}, 'w').close()\n\ndef call(*_): ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    forge(hub, **{callback: "planted.call"})
    assert drain(hub) == ["fast"]
    assert not mark.exists()


def test_a_web_address_named_in_redis_is_not_called(hub: Hub) -> None:
    import http.server
    import threading

    called: list[str] = []

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            called.append(self.path)
            self.send_response(200)
            self.end_headers()

    server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hook = {"url": f"http://127.0.0.1:{server.server_port}/", "job_status": "finished"}
    forge(hub, webhooks=json.dumps([hook]))
    assert drain(hub) == ["fast"]
    server.shutdown()
    server.server_close()
    assert called == []


def test_a_worker_outlives_a_ticket_with_a_broken_field(hub: Hub) -> None:
    forge(hub, timeout="soon", enqueued_at="never", status="unheard of")
    hand_in(ticket_queue("fast", hub.redis))
    assert drain(hub)[-1:] == ["fast"]
