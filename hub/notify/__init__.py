"""Messages to recipients, through the merchant's channel or else the operator's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.hub import Hub


def register(hub: Hub) -> None:
    """Add the actions `notify.sms`, `notify.email` and `notify.shop`."""
    from hub.notify.mail import SEND_EMAIL
    from hub.notify.messages import SEND_SMS
    from hub.notify.shop import TELL_SHOP

    for action in (SEND_SMS, SEND_EMAIL, TELL_SHOP):
        hub.actions[action.name] = action
