"""Permission to listen."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from hub.errors import Forbidden
from hub.hub import Hub
from hub.tracking.links import tracking_url
from hub.tracking.live import channels, live_url


def test_a_live_address_opens_the_channels_it_was_made_for(hub: Hub) -> None:
    address = urlsplit(live_url(hub, ["live:stop:stp_1", "live:board"]))
    token = parse_qs(address.query)["token"][0]
    assert address.path == "/live"
    assert channels(hub.keys, token) == {"live:board", "live:stop:stp_1"}


def test_a_token_of_another_purpose_opens_nothing(hub: Hub) -> None:
    other = hub.keys.signer("tracking").dumps(["live:board"])
    for token in (other, "", "x.y.z"):
        with pytest.raises(Forbidden):
            channels(hub.keys, token)


def test_a_tracking_address_is_the_same_each_time_and_names_no_stop(hub: Hub) -> None:
    assert tracking_url(hub, "stp_1") == tracking_url(hub, "stp_1")
    assert "stp_1" not in tracking_url(hub, "stp_1")
    token = tracking_url(hub, "stp_1").rsplit("/", 1)[1]
    assert len(token) == 22  # 128 bits
