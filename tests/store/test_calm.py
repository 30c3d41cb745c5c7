"""No garbage is collected while somebody holds the database."""

import gc
import threading

import pytest

from hub.hub import Hub
from hub.store import System
from hub.store.calm import Calm


def test_nothing_is_collected_inside_a_write_and_again_after_it(hub: Hub) -> None:
    with hub.store.write():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_write_that_fails_lets_garbage_be_collected_again(hub: Hub) -> None:
    with pytest.raises(RuntimeError), hub.store.write():
        raise RuntimeError
    assert gc.isenabled()


def test_reading_puts_nothing_off(hub: Hub) -> None:
    with hub.store.read(System()):
        assert gc.isenabled()


def test_the_last_of_several_writers_lets_garbage_be_collected_again() -> None:
    calm, inside, leave = Calm(), threading.Event(), threading.Event()

    def write() -> None:
        with calm():
            inside.set()
            leave.wait()

    thread = threading.Thread(target=write)
    thread.start()
    inside.wait()
    with calm():
        pass
    assert not gc.isenabled()
    leave.set()
    thread.join()
    assert gc.isenabled()


def test_who_collects_by_hand_is_left_alone() -> None:
    gc.disable()
    try:
        with Calm()():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_child_does_not_wait_for_the_writers_of_its_parent() -> None:
    calm = Calm()
    with calm():
        calm.reset()
        assert gc.isenabled()
        with calm():
            assert not gc.isenabled()
        assert gc.isenabled()
        gc.disable()
    gc.enable()
