"""E-mail through a mail server of one's own: messages to recipients, and proofs by mail."""

from __future__ import annotations

from collections.abc import Iterator

from hub import (
    Connector,
    Cursor,
    DeliveryReport,
    InboundText,
    Message,
    Proof,
    Receipt,
    Rejected,
    hookimpl,
)
from hub.builtin import mail_letters
from hub.builtin.mail_server import post, signed_in
from hub.builtin.mail_settings import MailConfig, plain
from hub.capabilities import Channel, PodSink


class Mail(Connector[MailConfig]):
    """Sends one mail per message and per proof, and reads what bounced.

    A mail server drops no repetition, so doubt goes to a person.
    """

    name = "email"
    title = "E-mail"
    Config = MailConfig
    keyed = False
    medium = "email"
    needs = {"pod_sinks": "to", "reports": "mailbox_host"}  # noqa: RUF012

    def check(self) -> None:
        """Sign in, also to the mailbox where there is one, and ask for nothing."""
        with signed_in(self.config) as server:
            server.noop()
        if self.config.mailbox_host:
            from hub.builtin.mail_box import opened

            with opened(self.config):
                pass  # signing in and choosing the folder is all there is to see

    def send(self, message: Message) -> Receipt:
        """Send a message to its one recipient."""
        to, mail = mail_letters.of_message(self.config, message)
        post(self.config, [to], mail)
        return Receipt(ref=str(mail["Message-ID"]), detail="the mail server took it")

    def store(self, proof: Proof) -> Receipt:
        """Send the proof with its files, or with the link alone where they are too large."""
        if not self.config.to:
            raise Rejected("nobody gets proofs by this connection; fill in Proofs to", "to")
        mail = mail_letters.of_proof(self.config, proof)
        post(self.config, [plain(one) for one in self.config.to], mail)
        return Receipt(ref=str(mail["Message-ID"]), detail=f"mailed to {mail['To']}")

    def reports(self, cursor: Cursor) -> Iterator[DeliveryReport | InboundText | Cursor]:
        """Yield what came back to the mailbox since the cursor; nothing where there is none."""
        if self.config.mailbox_host:
            from hub.builtin.mail_box import read

            yield from read(self.config, cursor)


@hookimpl
def pod_sinks() -> list[type[PodSink]]:
    """Return the mail."""
    return [Mail]


@hookimpl
def notification_channels() -> list[type[Channel]]:
    """Return the mail."""
    return [Mail]
