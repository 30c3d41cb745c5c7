"""Proofs by e-mail: to fixed addresses, through a mail server of one's own."""

from __future__ import annotations

import hashlib
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, getaddresses, parseaddr
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from hub import (
    Connector,
    HubError,
    Proof,
    Receipt,
    Rejected,
    Retry,
    Unauthorized,
    Unknown,
    hookimpl,
)
from hub.builtin.paths import WORDS, named
from hub.builtin.sockets import TIMEOUT, connect
from hub.capabilities import PodSink
from hub.http import allowed_addresses

LARGEST = 10_000_000
"""Bytes of attachments; what has more goes without, because mail servers would refuse it."""
REFUSED_LOGINS = (530, 534, 535, 538)
"""Replies that say who we are was not believed (RFC 4954)."""
_WORD = re.compile(r"\{([^{}]*)\}")


class MailConfig(BaseModel):
    """Which server sends it, from whom and to whom."""

    model_config = ConfigDict(extra="forbid")

    host: str = Field(
        title="Mail server",
        description="For sending (SMTP), such as smtp.example.com",
        pattern=r"^[^\s/@]+$",
        max_length=253,
    )
    port: int = Field(
        default=587, ge=1, le=65535, title="Port", description="587 with starttls, 465 with tls."
    )
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls",
        title="Encryption",
        description="starttls is usual on port 587, tls on 465; none only within a machine.",
    )
    user: str = Field(
        default="", title="User", description="Often the sender's address; empty without sign-in."
    )
    password: SecretStr | None = Field(
        default=None,
        title="Password",
        description="Of that user; many services want a password for this program alone.",
    )
    sender: str = Field(title="From", description="Such as proofs@example.com")
    to: list[str] = Field(
        title="To",
        description="Who gets every proof; at most 20 addresses.",
        min_length=1,
        max_length=20,
    )
    subject: str = Field(
        default="Proof of delivery {order}: {outcome}",
        title="Subject",
        max_length=200,
        description=f"It may hold {', '.join(f'{{{word}}}' for word in WORDS)}.",
    )

    @field_validator("sender")
    @classmethod
    def from_somebody(cls, sender: str) -> str:
        """Refuse what is no address."""
        return address(sender)

    @field_validator("to")
    @classmethod
    def to_somebody(cls, to: list[str]) -> list[str]:
        """Refuse what is no address."""
        return [address(one) for one in to]

    @field_validator("subject")
    @classmethod
    def known_words(cls, subject: str) -> str:
        """Refuse a word that no proof has."""
        unknown = [word for word in _WORD.findall(subject) if word not in WORDS]
        if unknown:
            raise ValueError(f"nothing is known about {{{unknown[0]}}}")
        return subject

    @model_validator(mode="after")
    def is_private(self) -> MailConfig:
        """Refuse to send names and passwords in clear over a network."""
        opened = f"{self.host}:{self.port}" in allowed_addresses()
        if self.security == "none" and not opened and self.host not in ("127.0.0.1", "localhost"):
            raise ValueError("use starttls or tls, or the mails could be read on the way")
        if bool(self.user) != bool(self.password):
            raise ValueError("give user and password, or neither")
        return self


class Mail(Connector[MailConfig]):
    """Sends one mail per proof. A mail server drops no repetition, so doubt goes to a person."""

    name = "email"
    title = "E-mail"
    Config = MailConfig
    keyed = False

    def check(self) -> None:
        """Sign in and ask for nothing."""
        with self._signed_in() as server:
            server.noop()

    def store(self, proof: Proof) -> Receipt:
        """Send the proof with its files, or with the link alone where they are too large."""
        mail = letter(self.config, proof)
        with self._signed_in() as server:
            post(server, self.config, mail)
        return Receipt(ref=str(mail["Message-ID"]), detail=f"mailed to {mail['To']}")

    @contextmanager
    def _signed_in(self) -> Iterator[smtplib.SMTP]:
        """Lend a connection to the server, encrypted and signed in."""
        config = self.config
        told = f"{config.host}:{config.port}"
        secure = ssl.create_default_context()
        whole = secure if config.security == "tls" else None
        server = CheckedSmtp(config.host, domain(config.sender), whole)
        try:
            with answers(told):
                server.connect(config.host, config.port)
                server.ehlo_or_helo_if_needed()
                if config.security == "starttls":
                    server.starttls(context=secure)
                    server.ehlo()
                if config.password:
                    server.login(config.user, config.password.get_secret_value())
            yield server
        finally:
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
            server.close()


class CheckedSmtp(smtplib.SMTP):
    """Connects to checked addresses only; with a `context` it speaks TLS from the first byte.

    `name` is what it calls itself; asking the resolver for one could take long.
    """

    def __init__(self, host: str, name: str, context: ssl.SSLContext | None) -> None:
        self.context = context
        super().__init__(local_hostname=name, timeout=TIMEOUT)
        self._host = host  # what the certificate has to hold for, also after STARTTLS

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        made = connect(host, port, timeout)
        if self.context is None:
            return made
        return self.context.wrap_socket(made, server_hostname=host)


@contextmanager
def answers(told: str) -> Iterator[None]:
    """Raise our words for what smtplib raises while nothing has been sent yet."""
    try:
        yield
    except smtplib.SMTPResponseException as error:
        raise meaning(told, error.smtp_code, error.smtp_error) from error
    except smtplib.SMTPNotSupportedError as error:
        raise Rejected(f"{told}: {error}; change encryption or user in the settings") from error
    except ssl.SSLCertVerificationError as error:
        why = error.verify_message
        raise Retry(f"{told} shows a certificate that does not hold ({why})") from error
    except (smtplib.SMTPException, OSError) as error:
        raise Retry(f"{told} broke off: {error}; it is tried again") from error


def meaning(told: str, code: int, said: bytes | str) -> HubError:
    """Return what a reply of a mail server means (RFC 5321, 4.2.1)."""
    words = said.decode(errors="replace") if isinstance(said, bytes) else said
    text = f"{told} answered {code}: {' '.join(words.split())[:300]}"
    if code in REFUSED_LOGINS:
        return Unauthorized(f"{text}; change user or password")
    return Retry(text) if 400 <= code < 500 or code == -1 else Rejected(text)


def post(server: smtplib.SMTP, config: MailConfig, mail: EmailMessage) -> None:
    """Send a mail to all or to nobody; once its text is under way, silence is `Unknown`."""
    told = f"{config.host}:{config.port}"
    with answers(told):
        expect(server.mail(parseaddr(config.sender)[1]), "From", config.sender)
        for one in config.to:
            expect(server.rcpt(parseaddr(one)[1]), "To", one)
    try:
        code, said = server.data(mail.as_bytes())
    except smtplib.SMTPDataError as error:  # the server did not want to begin
        raise meaning(told, error.smtp_code, error.smtp_error) from error
    except (smtplib.SMTPException, OSError) as error:
        raise Unknown(f"{told} broke off while it took the mail; it may be sent or not") from error
    if code != 250:
        raise meaning(told, code, said)


def expect(reply: tuple[int, bytes], field: str, who: str) -> None:
    """Raise what a refused address means."""
    code, said = reply
    if code not in (250, 251):
        raise smtplib.SMTPResponseException(code, said + f" ({field} {who})".encode())


def letter(config: MailConfig, proof: Proof) -> EmailMessage:
    """Return the mail of a proof; the same proof and key give the same Message-ID."""
    mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    mail["Subject"] = subject(config.subject, proof)
    mail["From"], mail["To"] = config.sender, ", ".join(config.to)
    mail["Date"] = format_datetime(proof.at)
    digest = hashlib.sha256(proof.key.encode()).hexdigest()[:32]
    mail["Message-ID"] = f"<{digest}@{domain(config.sender)}>"
    mail["Auto-Submitted"] = "auto-generated"
    files = named(proof)
    fits = sum(len(content) for _, _, content in files) <= LARGEST
    lines = [proof.summary, "", f"Order: {proof.order}"]
    lines += [f"Invoice: {proof.invoice}"] if proof.invoice else []
    lines += [f"Page: {proof.tracking_url}"] if proof.tracking_url else []
    lines += [f"SHA-256 of the record: {proof.sha256}"]
    lines += [] if fits else ["", "The files are too large for a mail; see the page."]
    mail.set_content("\n".join(lines) + "\n")
    for name, media_type, content in files if fits else []:
        kind, _, sort = media_type.partition("/")
        mail.add_attachment(content, maintype=kind, subtype=sort, filename=name)
    return mail


def subject(text: str, proof: Proof) -> str:
    """Return the subject, in one line."""
    values = {
        "order": proof.order, "proof": proof.id, "stop": proof.stop, "invoice": proof.invoice,
        "outcome": proof.outcome, "date": f"{proof.at:%Y-%m-%d}",
    }  # fmt: skip
    filled = _WORD.sub(lambda found: values[found[1]], text)
    return "".join(sign if sign.isprintable() else " " for sign in filled)[:300]


def domain(sender: str) -> str:
    """Return what follows the @ of an address."""
    return parseaddr(sender)[1].partition("@")[2]


def address(text: str) -> str:
    """Return an e-mail address as typed; raise `ValueError` for what is none."""
    text = text.strip()
    found = getaddresses([text])
    plain = re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+")
    if len(found) != 1 or not plain.fullmatch(found[0][1]) or not text.isprintable():
        raise ValueError(f"{text[:60]!r} is no e-mail address")
    return text


@hookimpl
def pod_sinks() -> list[type[PodSink]]:
    """Return the mail."""
    return [Mail]
