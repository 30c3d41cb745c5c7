"""Messages to recipients, and news to the shops that orders came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.hub import Hub


def register(hub: Hub) -> None:
    """Add the actions `notify.sms` and `notify.shop`."""
    from hub.notify.messages import SEND_SMS
    from hub.notify.shop import TELL_SHOP

    for action in (SEND_SMS, TELL_SHOP):
        hub.actions[action.name] = action
