"""A real mail server on loopback (aiosmtpd), with a certificate of its own where one is wanted."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hub.testing.patience import PATIENCE

USER, PASSWORD = "proofs", "correct horse"


class Mailbox:
    """Keeps what is sent; `replies` names what a command is answered with instead."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.replies: dict[str, str] = {}
        self.mute = False
        """Whether it takes the next mail and then hangs up without a word."""

    async def handle_MAIL(self, server: SMTP, session: Any, envelope: Any, *given: Any) -> str:
        envelope.mail_from = given[0]
        return self.replies.get("MAIL", "250 OK")

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, *given: Any) -> str:
        envelope.rcpt_tos.append(given[0])
        return self.replies.get(f"RCPT {given[0]}", "250 OK")

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        reply = self.replies.get("DATA", "250 OK")
        if reply.startswith("250"):
            mail = message_from_bytes(envelope.content, policy=default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
            self.raw.append(envelope.original_content)
            self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        if self.mute:
            assert server.transport
            server.transport.abort()
        return reply


def trust(folder: Path, names: str = "localhost") -> tuple[ssl.SSLContext, Path]:
    """Return what a server shows as `names`, and the file that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names)])
    now = datetime.now(UTC)
    alternatives: list[x509.GeneralName] = [x509.DNSName(names)]
    if names == "localhost":
        alternatives.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    whole, public = folder / "server.pem", folder / "ca.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )  # fmt: skip
    whole.write_bytes(private + public.read_bytes())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(whole)
    return context, public


def judge(server: SMTP, session: Any, envelope: Any, mechanism: str, said: Any) -> AuthResult:
    """Let one user in."""
    good = isinstance(said, LoginPassword) and said == LoginPassword(
        USER.encode(), PASSWORD.encode()
    )
    return AuthResult(success=good, handled=good)


class Server(Controller):
    """Takes a port that is free; `port` is which."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = int(self.server.sockets[0].getsockname()[1])
        super()._trigger_server()

    def end(self) -> None:
        """Stop, once."""
        if not self.loop.is_closed():
            self.stop()


def server(mailbox: Mailbox, **named: Any) -> Server:
    """Return a server that has been started."""
    made = Server(mailbox, hostname="127.0.0.1", port=0, ready_timeout=PATIENCE, **named)
    made.start()
    return made


Start = Callable[..., Server]
"""Starts a mail server that connectors may call."""
