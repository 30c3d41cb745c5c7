"""The settings of e-mail: which server sends, from whom, and where answers are read."""

from __future__ import annotations

import re
from email.utils import getaddresses, parseaddr
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from hub.builtin.paths import WORDS
from hub.http import allowed_addresses

WORD = re.compile(r"\{([^{}]*)\}")
_HOST = re.compile(r"(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9-]{1,63}")
Security = Literal["starttls", "tls", "none"]


class MailConfig(BaseModel):
    """Which server sends, from whom, who gets every proof, and where bounces are read."""

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
    security: Security = Field(
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
    sender: str = Field(title="From", description="Such as deliveries@example.com")
    reply_to: str = Field(
        default="",
        title="Answers to",
        description="Where a recipient's answer goes; empty: to the sender.",
    )
    bounce_address: str = Field(
        default="",
        title="Bounces to",
        description="Where servers report what could not be delivered; empty: to the sender.",
    )
    to: list[str] = Field(
        default_factory=list,
        title="Proofs to",
        description="Who gets every proof, at most 20 addresses; empty: no proofs are mailed.",
        max_length=20,
        json_schema_extra={"group": "Proofs by mail"},
    )
    subject: str = Field(
        default="Proof of delivery {order}: {outcome}",
        title="Subject of proofs",
        max_length=200,
        description=f"It may hold {', '.join(f'{{{word}}}' for word in WORDS)}.",
        json_schema_extra={"group": "Proofs by mail"},
    )
    mailbox_host: str = Field(
        default="",
        title="Mailbox server",
        description="Where bounces arrive (IMAP), such as imap.example.com; empty: none are read.",
        pattern=r"^[^\s/@]*$",
        max_length=253,
        json_schema_extra={"group": "Bounces from a mailbox"},
    )
    mailbox_port: int = Field(
        default=993,
        ge=1,
        le=65535,
        title="Mailbox port",
        description="993 with tls, 143 with starttls.",
        json_schema_extra={"group": "Bounces from a mailbox"},
    )
    mailbox_security: Security = Field(
        default="tls",
        title="Mailbox encryption",
        description="tls is usual on port 993, starttls on 143; none only within a machine.",
        json_schema_extra={"group": "Bounces from a mailbox"},
    )
    mailbox_user: str = Field(
        default="",
        title="Mailbox user",
        description="Empty: the same user as for sending.",
        json_schema_extra={"group": "Bounces from a mailbox"},
    )
    mailbox_password: SecretStr | None = Field(
        default=None,
        title="Mailbox password",
        description="Empty: the same password as for sending.",
        json_schema_extra={"group": "Bounces from a mailbox"},
    )
    mailbox_folder: str = Field(
        default="INBOX",
        title="Folder",
        description="Which folder is read. Nothing in it is ever deleted.",
        pattern=r"^[\x20-\x7e]+$",
        max_length=200,
        json_schema_extra={"group": "Bounces from a mailbox"},
    )
    mailbox_seen: bool = Field(
        default=False,
        title="Mark as read",
        description="Mark the bounces that were understood as read; otherwise nothing is changed.",
        json_schema_extra={"group": "Bounces from a mailbox"},
    )

    @field_validator("sender")
    @classmethod
    def from_somebody(cls, sender: str) -> str:
        """Refuse what is no address."""
        return address(sender)

    @field_validator("reply_to", "bounce_address")
    @classmethod
    def to_somebody_if_any(cls, text: str) -> str:
        """Refuse what is no address, where there is one."""
        return address(text) if text.strip() else ""

    @field_validator("to")
    @classmethod
    def to_somebody(cls, to: list[str]) -> list[str]:
        """Refuse what is no address."""
        return [address(one) for one in to]

    @field_validator("subject")
    @classmethod
    def known_words(cls, subject: str) -> str:
        """Refuse a word that no proof has."""
        unknown = [word for word in WORD.findall(subject) if word not in WORDS]
        if unknown:
            raise ValueError(f"nothing is known about {{{unknown[0]}}}")
        return subject

    @model_validator(mode="after")
    def is_private(self) -> MailConfig:
        """Refuse to send names and passwords in clear over a network."""
        places = [(self.host, self.port, self.security)]
        if self.mailbox_host:
            places.append((self.mailbox_host, self.mailbox_port, self.mailbox_security))
        for host, port, security in places:
            opened = f"{host}:{port}" in allowed_addresses()
            if security == "none" and not opened and host not in ("127.0.0.1", "localhost"):
                raise ValueError("use starttls or tls, or the mails could be read on the way")
        if bool(self.user) != bool(self.password):
            raise ValueError("give user and password, or neither")
        if bool(self.mailbox_user) != bool(self.mailbox_password):
            raise ValueError("give the mailbox's user and password, or neither")
        if self.mailbox_host and not (self.mailbox_user or self.user):
            raise ValueError("a mailbox is read with a user and a password; give both")
        return self

    @property
    def envelope(self) -> str:
        """The address that servers send bounces to (RFC 5321's reverse path)."""
        return plain(self.bounce_address or self.sender)

    @property
    def mailbox_login(self) -> tuple[str, str]:
        """User and password of the mailbox."""
        if self.mailbox_user and self.mailbox_password:
            return self.mailbox_user, self.mailbox_password.get_secret_value()
        return self.user, self.password.get_secret_value() if self.password else ""


def domain(sender: str) -> str:
    """Return what follows the @ of an address, as servers write it."""
    return plain(sender).rpartition("@")[2]


def address(text: str) -> str:
    """Return an e-mail address as typed; raise `ValueError` for what is none."""
    text = text.strip()
    found = getaddresses([text])
    form = re.compile(r"[^\s@<>,;:()\[\]\\\"]+@[^\s@<>,;:()\[\]\\\"]+")
    if len(found) != 1 or not form.fullmatch(found[0][1]) or not text.isprintable():
        raise ValueError(f"{text[:60]!r} is no e-mail address")
    plain(text)
    return text


def plain(text: str) -> str:
    """Return the bare address, an international domain as servers write it (RFC 5891).

    Raise `ValueError` where servers could not take it: the part before the @ has to be ASCII.
    """
    local, _, host = parseaddr(text)[1].rpartition("@")
    if not local.isascii() or len(local) > 64:
        raise ValueError(f"{local[:60]!r} before the @ is more than mail servers take")
    try:
        host = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        host = ""
    if not _HOST.fullmatch(host) or len(host) > 253:
        raise ValueError(f"what follows the @ in {text[:60]!r} is no domain")
    return f"{local}@{host}"
