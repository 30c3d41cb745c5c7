"""One session with a mail server: encrypted, signed in, its replies in our words."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage

from hub import HubError, Rejected, Retry, Unauthorized, Unknown
from hub.builtin.mail_settings import MailConfig, domain
from hub.builtin.sockets import TIMEOUT, connect

REFUSED_LOGINS = (530, 534, 535, 538)
"""Replies that say who we are was not believed (RFC 4954)."""


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
def signed_in(config: MailConfig) -> Iterator[smtplib.SMTP]:
    """Lend a connection to the server, encrypted and signed in."""
    secure = ssl.create_default_context()
    whole = secure if config.security == "tls" else None
    server = CheckedSmtp(config.host, domain(config.sender), whole)
    try:
        with answers(told(config)):
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


def told(config: MailConfig) -> str:
    """Return how the server is called in errors."""
    return f"{config.host}:{config.port}"


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


def post(config: MailConfig, to: list[str], mail: EmailMessage) -> None:
    """Send a mail to all of the bare addresses or to nobody.

    An address that is refused for good is `Rejected` with the field `to`. Once the text is under
    way, silence is `Unknown`: the server may have taken it or not.
    """
    raw, name = mail.as_bytes(), told(config)
    with signed_in(config) as server:
        begin(server, config, to, len(raw))
        try:
            code, said = server.data(raw)
        except smtplib.SMTPDataError as error:  # the server did not want to begin
            raise meaning(name, error.smtp_code, error.smtp_error) from error
        except (smtplib.SMTPException, OSError) as error:
            lost = f"{name} broke off while it took the mail; it may be sent or not"
            raise Unknown(lost) from error
        if code != 250:
            raise meaning(name, code, said)


def begin(server: smtplib.SMTP, config: MailConfig, to: list[str], size: int) -> None:
    """Tell the server from whom and to whom, while nothing of the mail has been sent."""
    most = server.esmtp_features.get("size", "")
    if most.isdigit() and 0 < int(most) < size:
        raise Rejected(
            f"the mail has {size:,} bytes, and {told(config)} takes {int(most):,} at most; send "
            "it without its files"
        )
    with answers(told(config)):
        code, said = server.mail(config.envelope, [f"size={size}"] if most else [])
        expect(code, said, f"From {config.envelope}")
        for one in to:
            code, said = server.rcpt(one)
            refused = meaning(told(config), code, said + f" (To {one})".encode())
            if code not in (250, 251):
                raise Rejected(str(refused), "to") if type(refused) is Rejected else refused


def expect(code: int, said: bytes, about: str) -> None:
    """Raise what a refused address means."""
    if code not in (250, 251):
        raise smtplib.SMTPResponseException(code, said + f" ({about})".encode())
