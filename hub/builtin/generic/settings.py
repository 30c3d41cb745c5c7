"""What a connection to a system of one's own is told: where it is, how it is read and answered."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from hub.builtin.generic.shape import Shape, under
from hub.builtin.sftp_session import fingerprint
from hub.http import secure
from hub.nouns import DeliveryStatus

NONE = SecretStr("")
PROGRESS: tuple[str, ...] = get_args(DeliveryStatus.model_fields["status"].annotation)
"""The news that there are."""
_HEADER = re.compile(r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")
_TAKEN = frozenset({"host", "content-length", "transfer-encoding", "connection"})


def address(url: str) -> str:
    """Return an address of https or sftp; raise `ValueError` for one that cannot be called."""
    if not url:
        return ""
    parts = urlsplit(url)
    if parts.scheme != "sftp":
        secure(url)
        return url  # with its last slash, without which some systems only redirect
    if not parts.hostname:
        raise ValueError("give a full address such as sftp://files.example.com/orders")
    if parts.username or parts.password:
        raise ValueError("leave user and password out of the address")
    if ".." in parts.path.split("/") or not url.isprintable():
        raise ValueError("it has no .. and no control characters")
    _ = parts.port  # raises where it is none
    return url.rstrip("/")


def web(url: str) -> str:
    """Return an address of http; raise `ValueError` for another one."""
    if url:
        secure(url)
    return url


def header(name: str) -> str:
    """Return the name of a header; raise `ValueError` for what is none, or is not ours to set."""
    if name and (not _HEADER.match(name) or name.lower() in _TAKEN):
        raise ValueError("write the name of a header, such as X-Api-Key")
    return name


Address = Annotated[str, AfterValidator(address)]
Header = Annotated[str, AfterValidator(header)]
Parameter = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.\[\]-]{0,60}$")]
SIGN_IN, PAGES = "How the hub signs in", "Pages and changes"
HOOKS, NEWS = "Webhooks in", "News out"


class Config(Shape):
    """A system that is reached over HTTP or SFTP, sends webhooks, or is told news."""

    url: Address = Field(
        default="",
        title="Address",
        description="https://erp.example.com/api/orders?since={since}, or "
        "sftp://files.example.com/orders; empty where orders come by webhooks alone.",
        json_schema_extra={"order": 0},
    )
    auth: Literal["none", "basic", "bearer", "header"] = Field(
        default="none",
        title="Way",
        description="basic: user and password; bearer: the token; header: the token in a header "
        "of your own. SFTP takes user and password or key.",
        json_schema_extra=under(SIGN_IN),
    )
    user: str = Field(
        default="", max_length=200, title="User", description="As your system knows the hub.",
        json_schema_extra=under(SIGN_IN),
    )  # fmt: skip
    password: SecretStr = Field(
        default=NONE, title="Password", description="Of that user.",
        json_schema_extra=under(SIGN_IN),
    )  # fmt: skip
    token: SecretStr = Field(
        default=NONE, title="Token", description="For bearer and header.",
        json_schema_extra=under(SIGN_IN),
    )  # fmt: skip
    header: Header = Field(
        default="X-Api-Key", title="Name of the header", description="That the token goes into.",
        json_schema_extra=under(SIGN_IN),
    )  # fmt: skip
    private_key: SecretStr = Field(
        default=NONE,
        title="Private key",
        description="For SFTP, instead of a password: the whole text of a key file without a "
        "passphrase.",
        json_schema_extra=under(SIGN_IN),
    )
    fingerprint: str = Field(
        default="",
        title="Fingerprint of the host key",
        description="For SFTP: SHA256:... Left empty, the first test shows the one that the "
        "server has: compare it with what its operator says, and paste it here.",
        json_schema_extra=under(SIGN_IN),
    )
    paging: Literal["none", "link", "next", "page", "cursor"] = Field(
        default="none",
        title="More pages",
        description="none: all in one answer; link: a Link header; next: the next address stands "
        "in the answer; page: by their number; cursor: a mark of the answer goes into the next.",
        json_schema_extra=under(PAGES),
    )
    next_path: str = Field(
        default="",
        max_length=500,
        title="Where the next page is named",
        description="For next and cursor: a dotted path in the answer, such as links.next.",
        json_schema_extra=under(PAGES),
    )
    page_parameter: Parameter = Field(
        default="page",
        title="Parameter for the page",
        description="For page and cursor: what it is called in the address.",
        json_schema_extra=under(PAGES),
    )
    first_page: int = Field(
        default=1, ge=0, le=1, title="Number of the first page", description="0 or 1.",
        json_schema_extra=under(PAGES),
    )  # fmt: skip
    changed_path: str = Field(
        default="",
        max_length=500,
        title="Time of the last change",
        description="A dotted path in each record; the latest one becomes {since} in the address. "
        "Empty: {since} is when the hub last read.",
        json_schema_extra=under(PAGES),
    )
    start: str = Field(
        default="",
        max_length=100,
        title="First {since}",
        description="What {since} is before anything was read, such as 2026-01-01T00:00:00Z.",
        json_schema_extra=under(PAGES),
    )
    overlap: int = Field(
        default=60,
        ge=0,
        le=86_400,
        title="Overlap in seconds",
        description="How much is read again each time, where clocks differ; nothing is taken "
        "twice.",
        json_schema_extra=under(PAGES),
    )
    hook_auth: Literal["none", "secret", "hmac"] = Field(
        default="none",
        title="Proof of the sender",
        description="none: no webhook is taken; secret: the secret itself stands in the header; "
        "hmac: the body is signed with it.",
        json_schema_extra=under(HOOKS),
    )
    hook_secret: SecretStr = Field(
        default=NONE, title="Secret", description="16 letters or more, the same on both sides.",
        json_schema_extra=under(HOOKS),
    )  # fmt: skip
    hook_header: Header = Field(
        default="X-Signature",
        title="Header of secret or signature",
        description="As your system calls it.",
        json_schema_extra=under(HOOKS),
    )
    hook_algorithm: Literal["sha256", "sha1", "sha512"] = Field(
        default="sha256", title="Algorithm", description="Of hmac.",
        json_schema_extra=under(HOOKS),
    )  # fmt: skip
    hook_encoding: Literal["hex", "base64"] = Field(
        default="hex", title="Written as", description="How the signature is written.",
        json_schema_extra=under(HOOKS),
    )  # fmt: skip
    hook_prefix: str = Field(
        default="",
        max_length=40,
        title="Before the signature",
        description="What stands before it in the header, such as sha256=",
        json_schema_extra=under(HOOKS),
    )
    hook_time_header: Header = Field(
        default="",
        title="Header of the time",
        description="Seconds since 1970, signed before the body; a request from more than five "
        "minutes ago is then refused.",
        json_schema_extra=under(HOOKS),
    )
    hook_time_mark: str = Field(
        default=".",
        max_length=5,
        title="Between time and body",
        description="In the signed text, such as a dot.",
        json_schema_extra=under(HOOKS),
    )
    hook_id_header: Header = Field(
        default="",
        title="Header of the id",
        description="By which a request that is sent again is known; else by its bytes.",
        json_schema_extra=under(HOOKS),
    )
    hook_records: str = Field(
        default="",
        max_length=500,
        title="Where the orders are",
        description="A dotted path in the body to an order or a list of orders; empty where the "
        "body itself is.",
        json_schema_extra=under(HOOKS),
    )
    news_url: Annotated[str, AfterValidator(web)] = Field(
        default="",
        title="Address for news",
        description="It gets a POST for what happens to an order; empty: none.",
        json_schema_extra=under(NEWS),
    )
    news_auth: Literal["standard", "bearer", "header"] = Field(
        default="standard",
        title="Proof of the hub",
        description="standard: signed as Standard Webhooks; bearer: the secret as a token; header: "
        "the secret in a header of your own.",
        json_schema_extra=under(NEWS),
    )
    news_secret: SecretStr = Field(
        default=NONE,
        title="Secret for news",
        description="For standard: whsec_ and 24 to 64 bytes in base64.",
        json_schema_extra=under(NEWS),
    )
    news_header: Header = Field(
        default="X-Api-Key", title="Header for the secret", description="For header.",
        json_schema_extra=under(NEWS),
    )  # fmt: skip
    news_statuses: list[str] = Field(
        default=[],
        title="Which news",
        description=f"Of {', '.join(PROGRESS)}; none: all of them.",
        json_schema_extra=under(NEWS),
    )

    @field_validator("fingerprint")
    @classmethod
    def compared(cls, text: str) -> str:
        """Return the fingerprint as `ssh-keygen -l` writes it."""
        return fingerprint(text)

    @field_validator("news_statuses")
    @classmethod
    def known(cls, told: list[str]) -> list[str]:
        """Refuse news that there are not."""
        unknown = sorted(set(told) - set(PROGRESS))
        if unknown:
            raise ValueError(f"{unknown[0][:40]} is none of {', '.join(PROGRESS)}")
        return told

    @model_validator(mode="after")
    def complete(self) -> Config:
        """Refuse settings of which one needs another that is not there."""
        for wrong, said in (*self._reading(), *self._hooks()):
            if wrong:
                raise ValueError(said)
        return self

    @property
    def is_sftp(self) -> bool:
        """Whether files are read over SFTP."""
        return self.url.startswith("sftp:")

    def _reading(self) -> list[tuple[bool, str]]:
        keyed = bool(self.private_key.get_secret_value())
        worded = bool(self.password.get_secret_value())
        asks = not self.is_sftp and self.auth != "none"
        return [
            (self.is_sftp and not self.user, "SFTP needs a user"),
            (self.is_sftp and keyed == worded, "SFTP needs either a password or a private key"),
            (asks and self.auth == "basic" and not self.user, "basic needs a user"),
            (
                asks and self.auth != "basic" and not self.token.get_secret_value(),
                f"{self.auth} needs a token",
            ),
            (asks and self.auth == "header" and not self.header, "name the header of the token"),
            (
                self.paging in ("next", "cursor") and not self.next_path,
                "say where the next page is named",
            ),
            (self.paging in ("page", "cursor") and not self.page_parameter, "name the parameter"),
        ]

    def _hooks(self) -> list[tuple[bool, str]]:
        secret, news = self.hook_secret.get_secret_value(), self.news_secret.get_secret_value()
        return [
            (self.hook_auth != "none" and len(secret) < 16, "the webhooks' secret is too short"),
            (self.hook_auth != "none" and not self.hook_header, "name the webhooks' header"),
            (bool(self.news_url) and not news, "news need a secret"),
            (
                bool(self.news_url) and self.news_auth == "standard" and not is_standard(news),
                "the secret for news is whsec_ and then 24 to 64 bytes in base64",
            ),
            (
                self.news_auth == "header" and bool(self.news_url) and not self.news_header,
                "name the header for news",
            ),
        ]


def is_standard(secret: str) -> bool:
    """Say whether a secret is one of Standard Webhooks."""
    text = secret.removeprefix("whsec_")
    try:
        size = len(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
    except (binascii.Error, ValueError):
        return False
    return 24 <= size <= 64
