"""Text messages through Twilio, Vonage or a gateway of one's own; reports and replies come back."""

from __future__ import annotations

from collections.abc import Iterator

from hub import (
    Channel,
    Connector,
    Delivery,
    DeliveryReport,
    Hook,
    InboundText,
    Incoming,
    Message,
    Receipt,
    Subscribed,
    hookimpl,
)
from hub_sms import config as settings
from hub_sms.providers import Provider, Text, provider
from hub_sms.senders import checked, e164


class Sms(Connector[settings.Config]):
    """Sends each text once where the provider drops a repeated key, else never a second time."""

    name = "sms"
    title = "SMS"
    Config = settings.Config

    def __init__(self, config: settings.Config) -> None:
        super().__init__(config)
        self.provider: Provider = provider(config)
        self.keyed = self.provider.keyed

    def check(self) -> None:
        """Ask for the account, which costs nothing."""
        self.provider.check()

    def send(self, message: Message) -> Receipt:
        """Send one text; a phone that is no number is `Rejected` with field `to`."""
        sender = message.sender or self.config.sender
        return self.provider.send(
            Text(
                to=e164(message.to, self.config.country),
                sender=checked(sender) if sender else "",
                text=message.text,
                key=message.key,
                reference=message.reference,
                kind=message.kind,
            )
        )

    def receive(self, request: Incoming) -> Delivery:
        """Verify the provider's signature."""
        return self.provider.receive(request)

    def unpack(self, request: Incoming) -> Iterator[DeliveryReport | InboundText]:
        """Yield reports about texts, and texts that were written back."""
        return self.provider.unpack(request)

    def subscribe(self, hook: Hook) -> Subscribed:
        """Keep the hub's address, which goes out with every text, and have replies sent there."""
        known = [url for url in self.config.callbacks if url != hook.url]
        detail = self.provider.listen(hook.url)
        return Subscribed(
            settings={"callback_url": " ".join([hook.url, *known[:1]])}, detail=detail
        )

    def unsubscribe(self, hook: Hook) -> None:
        """Take back what `subscribe` set at the provider."""
        self.provider.leave(hook.url)


@hookimpl
def notification_channels() -> list[type[Channel]]:
    """Offer the channel."""
    return [Sms]
