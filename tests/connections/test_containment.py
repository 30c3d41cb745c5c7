"""Nothing comes out of a connector's code but a result or one of the hub's errors."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from hub.connections.containment import bounded, contained, drawn
from hub.connector import Connector
from hub.errors import HubError, PluginError, Rejected, Retry, Unauthorized
from hub.nouns import Receipt

SECRET = "s3cret-of-a-shop"


class Config(BaseModel):
    token: SecretStr = SecretStr(SECRET)


class Shop(Connector[Config]):
    name = "shop"
    title = "Shop"
    Config = Config


SHOP = Shop(Config())


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError


class Odd(Rejected):
    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} {second}")


def raised(error: BaseException) -> tuple[Exception, list[str]]:
    """Return what comes out where a connector raises, and what was said to be spoilt."""
    spoilt: list[str] = []
    with pytest.raises(Exception) as caught, contained(SHOP, spoilt.append):
        raise error
    return caught.value, spoilt


def test_an_error_that_is_safe_comes_out_as_it_is() -> None:
    for error in (Retry("slowly", after=7), Rejected("no", "phone"), ValueError("odd")):
        assert raised(error) == (error, [])


@pytest.mark.parametrize(("error", "kind"), [
    (Retry(SECRET), Retry), (Unauthorized(SECRET), Unauthorized), (Odd("a", SECRET), Rejected),
    (ValueError(SECRET), PluginError), (HubError(SECRET), PluginError), (Mute(), PluginError),
])  # fmt: skip
def test_a_text_with_a_secret_is_covered_and_what_happens_next_stays(
    error: Exception, kind: type[Exception]
) -> None:
    found, _ = raised(error)
    assert type(found) is kind
    assert SECRET not in str(found)


def test_a_time_to_wait_that_is_none_is_dropped() -> None:
    for after in ("soon", float("nan"), -1):
        found, _ = raised(Retry("later", after=after))  # type: ignore[arg-type]
        assert isinstance(found, Retry)
        assert found.after is None


def test_what_would_end_the_worker_is_the_plugin_s_error_and_spoils_the_process() -> None:
    found, spoilt = raised(SystemExit(3))
    assert isinstance(found, PluginError)
    assert "Shop tried to end its worker with SystemExit" in str(found)
    assert spoilt == ["Shop raised SystemExit"]


def test_ctrl_c_at_a_terminal_is_somebody_s_wish_and_in_a_forked_worker_it_is_not() -> None:
    # Whoever starts the suite in the background has Ctrl-C ignored in it, too.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), contained(SHOP, lambda _: None):
            raise KeyboardInterrupt
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        assert isinstance(raised(KeyboardInterrupt())[0], PluginError)
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_thread_that_is_left_behind_spoils_the_process() -> None:
    over, spoilt = threading.Event(), list[str]()
    with contained(SHOP, spoilt.append):
        threading.Thread(target=over.wait, name="left").start()
    over.set()
    assert spoilt == ["Shop left a thread running: left"]


def test_every_step_of_an_iterator_is_contained() -> None:
    def pull() -> Iterator[int]:
        yield 1
        raise SystemExit

    found = drawn(SHOP, pull, lambda _: None)
    assert next(found) == 1
    with pytest.raises(PluginError):
        next(found)
    with pytest.raises(TypeError):
        list(drawn(SHOP, lambda: None, lambda _: None))  # type: ignore[arg-type, return-value]


def test_a_receipt_is_kept_as_far_as_it_may_be() -> None:
    kept = bounded(SHOP, Receipt(ref="r" * 10_000, detail=f"with {SECRET} " * 1_000))
    assert len(kept.ref) == 500
    assert len(kept.detail) == 1_000
    assert SECRET not in kept.detail
    odd: Any = {"ref": SECRET}
    with pytest.raises(PluginError, match="Shop returned a dict, which is no Receipt"):
        bounded(SHOP, odd)
