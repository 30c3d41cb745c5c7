"""Messages to recipients, through the merchant's channel or else the operator's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.hub import Hub


def register(hub: Hub) -> None:
    """Add the actions `notify.sms` and `notify.email`."""
    from hub.notify.mail import SEND_EMAIL
    from hub.notify.messages import SEND_SMS

    hub.actions[SEND_SMS.name] = SEND_SMS
    hub.actions[SEND_EMAIL.name] = SEND_EMAIL
