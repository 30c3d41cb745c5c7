"""The receiver in the documentation works as it stands there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.outgoing.conftest import Post, Receiver

PAGE = Path(__file__).parents[2] / "docs" / "events.md"


def documented() -> Callable[..., int]:
    """Return the function `receive` of the page."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    space: dict[str, Any] = {}
    exec(code, space)
    found: Callable[..., int] = space["receive"]
    return found


def test_the_documented_receiver_takes_a_message_once_and_refuses_a_forged_one(
    post: Post, receiver: Receiver, capsys: Any
) -> None:
    receive, seen = documented(), set[str]()
    id = post.add(receiver.url)
    post.happen("stp_1")
    post.send()
    ((headers, body),) = receiver.requests
    assert receive(post.secrets[id], headers, body, seen) == 204
    assert receive(post.secrets[id], headers, body, seen) == 204
    assert capsys.readouterr().out == "stop.arrived stp_1\n"
    assert receive(post.secrets[id], headers, body + b" ", seen) == 401
