"""Signed permission to listen to live channels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hub.access.keys import Keys
from hub.errors import Forbidden

if TYPE_CHECKING:
    from hub.hub import Hub

PURPOSE = "live"
LIFE = 24 * 3600
"""Seconds of wall time for which an address can be listened to; a page that is loaded anew gets a
new one."""
MOST_CHANNELS = 8


def live_url(hub: Hub, channels: Iterable[str]) -> str:
    """Return the address of a stream of server-sent events from `channels`.

    `live:board` is everything on the dispatcher's board, `live:stop:<id>` says only that one
    stop's page has news.
    """
    token = hub.keys.signer(PURPOSE).dumps(sorted(channels))
    return f"{hub.settings.live_url.rstrip('/')}/live?token={token}"


def channels(keys: Keys, token: str) -> frozenset[str]:
    """Return the channels that a token opens; raise `Forbidden` for any but a fresh one of ours."""
    from itsdangerous import BadData

    try:
        named = keys.signer(PURPOSE).loads(token, max_age=LIFE)
    except BadData as error:
        raise Forbidden("this live address is not valid any more; load the page again") from error
    return frozenset(str(name) for name in named[:MOST_CHANNELS])
