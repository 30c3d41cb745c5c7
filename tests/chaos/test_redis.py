"""Redis is a doorbell: it may be wiped or away, and nothing is lost."""

import pytest

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
