"""Redis is a doorbell: it may be wiped or away, and nothing is lost."""

import subprocess

import pytest
from redis import Redis

from hub.queue.server import server_binary
from hub.testing.patience import PATIENCE

pytestmark = pytest.mark.chaos

SUBJECTS = [f"{number:03}" for number in range(60)]


def test_redis_wiped_again_and_again_in_mid_run_loses_nothing(plant) -> None:
    for words in (("dispatcher",), ("worker", "fast"), ("worker", "outward")):
        plant.start(*words)
    for start in range(0, len(SUBJECTS), 10):
        plant.toy.accept(plant.hub.store, SUBJECTS[start : start + 10])
        plant.hub.redis.flushall()
    plant.wait(lambda: plant.recorded() == SUBJECTS)
    assert plant.toy.written(plant.hub.store) == SUBJECTS
    assert sorted(plant.calls()) == [f"{subject}:outward" for subject in SUBJECTS]
    assert [process.poll() for process in plant.processes] == [None, None, None]


def test_a_worker_whose_redis_is_gone_ends_for_its_supervisor_to_start_it_again(
    plant, tmp_path
) -> None:
    socket = tmp_path / "s"
    server = subprocess.Popen(
        [server_binary(), "--port", "0", "--unixsocket", str(socket), "--save", "",
         "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    plant.wait(socket.exists)
    worker = plant.start("worker", "fast", HUB_REDIS_URL=f"unix://{socket}")
    redis = Redis(unix_socket_path=str(socket))
    plant.wait(lambda: redis.scard("rq:workers") == 1)
    redis.close()
    plant.kill(server)
    assert worker.wait(2 * PATIENCE) != 0
