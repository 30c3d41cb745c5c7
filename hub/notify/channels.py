"""Which connection a message goes through: the merchant's own, else the operator's."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from hub.errors import Rejected
from hub.store import ConnectionRow, MerchantRow, Session

if TYPE_CHECKING:
    from hub.hub import Hub

HOOK = "notification_channels"
WORDS = {"sms": ("text messages", "SMS"), "email": ("e-mail", "E-mail")}


def channel(
    hub: Hub, session: Session, merchant: str, medium: Literal["sms", "email"]
) -> ConnectionRow:
    """Return the connection that carries a medium for a merchant; raise `Rejected` for none.

    One that has expired is taken as well: the message then waits until it is reconnected. So is
    one that is switched off where there is no other: the message waits until it is on.
    """
    find = partial(hub.connections.find, session, HOOK, merchant, medium=medium)
    found = find() or [row for row in find(usable=False) if row.state != "not_set_up"]
    if found:
        return found[0]
    what, title = WORDS[medium]
    name = session.get_one(MerchantRow, merchant).name
    raise Rejected(
        f"{name} has no channel for {what}, nor has the operator; "
        f"set up a connection such as {title}"
    )
