"""The tab Webhooks of a connection that sets its webhooks up by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.errors import Rejected
from hub.store import ConnectionRow
from tests.workflow.conftest import Toys
from tests.workflow.test_subscriptions import Hooky, connect, hooks
from tests.workflow.test_subscriptions import hooky as hooky  # a fixture, shared


@pytest.fixture
def shop(toys: Toys, hooky: type[Hooky]) -> str:
    """Return the path of a connection."""
    return f"/admin/connections/{connect(toys)}"


def state(toys: Toys) -> str:
    return str(toys.rows(ConnectionRow)[0].hook_state)


def test_it_says_that_nothing_has_to_be_copied_and_shows_no_address(
    toys: Toys, shop: str, sign_in: Callable[..., Any]
) -> None:
    owner = sign_in("owner")
    assert "There is nothing to copy" in owner.get(f"{shop}/webhooks").text
    toys.tick()
    page = owner.get(f"{shop}/webhooks").text
    assert "Set up</span>" in page
    assert "2 are there" in page
    assert hooks()[0].url.rpartition("/")[2] not in page


def test_a_failure_is_told_with_what_to_do_and_can_be_tried_again(
    toys: Toys, shop: str, sign_in: Callable[..., Any], hooky: type[Hooky]
) -> None:
    hooky.says = [Rejected("the key may not write webhooks")]
    toys.tick()
    owner = sign_in("owner")
    page = owner.get(f"{shop}/webhooks").text
    assert "the key may not write webhooks" in page
    assert "every 15 minutes meanwhile" in page
    assert owner.post(f"{shop}/webhooks/subscribe").status_code == 302
    toys.work()
    assert state(toys) == "on"


def test_a_new_address_is_set_up_and_shown_to_nobody(
    toys: Toys, shop: str, sign_in: Callable[..., Any]
) -> None:
    toys.tick()
    answer = sign_in("owner").post(f"{shop}/webhooks/address")
    assert answer.status_code == 302
    toys.work()
    first, second = hooks()
    assert first.url != second.url


def test_ended_they_are_taken_back_until_somebody_sets_them_up_again(
    toys: Toys, shop: str, sign_in: Callable[..., Any]
) -> None:
    toys.tick()
    owner = sign_in("owner")
    owner.post(f"{shop}/webhooks/end")
    toys.tick()
    assert (state(toys), len(hooks("unsubscribe"))) == ("off", 1)
    assert "Ended</span>" in owner.get(f"{shop}/webhooks").text
    owner.post(f"{shop}/webhooks/subscribe")
    toys.work()
    assert state(toys) == "on"


def test_removing_the_connection_takes_them_back(
    toys: Toys, shop: str, sign_in: Callable[..., Any]
) -> None:
    toys.tick()
    sign_in("owner").post(f"{shop}/remove")
    toys.work()
    assert len(hooks("unsubscribe")) == 1
