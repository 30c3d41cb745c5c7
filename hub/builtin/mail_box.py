"""The mailbox that bounces come back to, read over IMAP (RFC 3501) from where it was left."""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from hub import Cursor, DeliveryReport, InboundText, Rejected, Retry, Unauthorized
from hub.builtin import mail_bounces
from hub.builtin.mail_settings import MailConfig, Security
from hub.builtin.sockets import TIMEOUT, connect

TOGETHER = 50
"""Mails between two cursors."""
LARGEST = 200_000
"""Bytes of a mail that are read; a bounce says what it has to say at its beginning."""
LARGEST_ANSWER = 2_000_000
"""Bytes that the server may announce at once."""
BACK = timedelta(days=7)
"""How far back a mailbox is read that has not been read before."""
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
BUSY = ("[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "TOO MANY", "TRY AGAIN")
"""What says that a refused sign-in has nothing to do with the password (RFC 5530)."""
_CURSOR = re.compile(r"(\d{1,10}):(\d{1,10})")


class CheckedImap(imaplib.IMAP4):
    """Connects to checked addresses only, and takes no endless answers.

    With a `context` it speaks TLS from the first byte.
    """

    def __init__(self, host: str, port: int, context: ssl.SSLContext | None) -> None:
        self.context = context
        super().__init__(host, port, timeout=TIMEOUT)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        made = connect(self.host, self.port, timeout or TIMEOUT)
        if self.context is None:
            return made
        return self.context.wrap_socket(made, server_hostname=self.host)

    def read(self, size: int) -> bytes:
        """Read what was announced; refuse more than fits."""
        if size > LARGEST_ANSWER:
            raise self.abort(f"it announced {size} bytes")
        return super().read(size)


@contextmanager
def opened(config: MailConfig) -> Iterator[tuple[imaplib.IMAP4, str]]:
    """Lend the mailbox, its folder chosen, with the folder's UIDVALIDITY."""
    with answers(f"{config.mailbox_host}:{config.mailbox_port}"):
        box = greeted(config.mailbox_host, config.mailbox_port, config.mailbox_security)
        try:
            sign_in(box, *config.mailbox_login)
            yield box, chosen(box, config)
        finally:
            with suppress(imaplib.IMAP4.error, OSError):
                box.logout()
            with suppress(OSError):
                box.shutdown()


def greeted(host: str, port: int, security: Security) -> CheckedImap:
    """Return a connection that is encrypted as the settings say."""
    secure = ssl.create_default_context()
    box = CheckedImap(host, port, secure if security == "tls" else None)
    if security == "starttls":
        if "STARTTLS" not in box.capabilities:
            box.shutdown()
            raise Rejected(
                f"{host}:{port} offers no STARTTLS; change the mailbox's encryption",
                "mailbox_security",
            )
        box.starttls(ssl_context=secure)
    return box


def sign_in(box: imaplib.IMAP4, user: str, password: str) -> None:
    """Sign in; raise `Unauthorized` where the server says no."""
    if not f"{user}{password}".isascii() or not f"{user}{password}".isprintable():
        raise Rejected("the mailbox's user and password may have letters of ASCII only", "mailbox")
    try:
        if "AUTH=PLAIN" in box.capabilities:
            box.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
        else:
            box.login(quoted(user), password)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        if any(word in str(error).upper() for word in BUSY):
            raise
        raise Unauthorized(
            f"{box.host}:{box.port} did not let {user} in ({said(error)}); change the mailbox's "
            "user or password"
        ) from error


def chosen(box: imaplib.IMAP4, config: MailConfig) -> str:
    """Choose the folder and return its UIDVALIDITY."""
    answer, told = box.select(quoted(config.mailbox_folder), readonly=not config.mailbox_seen)
    if answer != "OK":
        why = b" ".join(part for part in told if isinstance(part, bytes))
        raise Rejected(
            f"the mailbox has no folder {config.mailbox_folder} to read ({said(why)}); "
            "correct it in the settings",
            "mailbox_folder",
        )
    found = box.response("UIDVALIDITY")[1]
    validity = found[-1] if found else None
    return validity.decode() if isinstance(validity, bytes) and validity.isdigit() else "0"


@contextmanager
def answers(told: str) -> Iterator[None]:
    """Raise our words for what imaplib raises; a mailbox that is only read is tried again."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        why = error.verify_message
        raise Retry(f"{told} shows a certificate that does not hold ({why})") from error
    except (imaplib.IMAP4.error, OSError, EOFError) as error:
        raise Retry(f"{told} could not be read: {said(error)}; it is tried again") from error


def read(config: MailConfig, cursor: Cursor) -> Iterator[DeliveryReport | InboundText | Cursor]:
    """Yield what the mails since the cursor tell, with a cursor after each part of them.

    The cursor is `UIDVALIDITY:UID`. A folder that was made anew is read from a few days back:
    a report that was known already is no news to the hub.
    """
    with opened(config) as (box, validity):
        known = _CURSOR.fullmatch(cursor.value)
        after = int(known[2]) if known and known[1] == validity else 0
        uids = since(box, after)
        for first in range(0, len(uids), TOGETHER):
            for uid in uids[first : first + TOGETHER]:
                found = mail_bounces.understood(fetched(box, uid), config)
                yield from found
                if found and config.mailbox_seen:
                    box.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Seen)")
            yield Cursor(value=f"{validity}:{uids[: first + TOGETHER][-1]}")


def since(box: imaplib.IMAP4, after: int) -> list[int]:
    """Return the UIDs behind `after`, or of the last few days, in the order of their coming."""
    if after:
        asked = f"UID {after + 1}:*"  # `*` is the last mail, also where that lies before
    else:
        day = (datetime.now(UTC) - BACK).date()
        asked = f"SINCE {day.day}-{MONTHS[day.month - 1]}-{day.year}"
    _, told = box.uid("SEARCH", asked)
    parts = [part for part in told if isinstance(part, bytes)]
    return sorted({int(one) for part in parts for one in part.split() if int(one) > after})


def fetched(box: imaplib.IMAP4, uid: int) -> bytes:
    """Return the beginning of a mail; nothing of one that is gone."""
    _, told = box.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{LARGEST}>)")
    return next((bytes(part[1]) for part in told if isinstance(part, tuple)), b"")


def quoted(text: str) -> str:
    """Return a text as one string of IMAP."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def said(error: object) -> str:
    """Return what a server said, in one short line."""
    text = error.decode(errors="replace") if isinstance(error, bytes) else str(error)
    return " ".join(text.split())[:200]
