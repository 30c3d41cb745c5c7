"""Mails as they go over the wire: of a proof, and of a message to a recipient."""

from __future__ import annotations

import hashlib
import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formatdate, parseaddr
from urllib.parse import quote

from hub import Message, Proof, Rejected
from hub.builtin.mail_settings import WORD, MailConfig, address, domain, plain
from hub.builtin.paths import named

LARGEST = 10_000_000
"""Bytes of attachments; what has more goes without, because mail servers would refuse it."""
LONGEST_SUBJECT, LONGEST_NAME = 300, 80
WIDE = SMTP.clone(cte_type="7bit", max_line_length=400)
"""Long enough for the address of a page in one line: a folded one could not be clicked, and a
header that holds it would be encoded word by word."""
_CONTROL = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]"
_PAGE = re.compile(r"https?://[^\s<>,\"]{1,350}")


def of_proof(config: MailConfig, proof: Proof) -> EmailMessage:
    """Return the mail of a proof; the same proof and key give the same Message-ID."""
    mail = opened(config, proof.key)
    mail["Subject"] = subject(config.subject, proof)
    mail["From"], mail["To"] = config.sender, ", ".join(config.to)
    mail["Date"] = format_datetime(proof.at)
    files = named(proof)
    fits = sum(len(content) for _, _, content in files) <= LARGEST
    lines = [proof.summary, "", f"Order: {proof.order}"]
    lines += [f"Invoice: {proof.invoice}"] if proof.invoice else []
    lines += [f"Page: {proof.tracking_url}"] if proof.tracking_url else []
    lines += [f"SHA-256 of the record: {proof.sha256}"]
    lines += [] if fits else ["", "The files are too large for a mail; see the page."]
    mail.set_content("\n".join(lines) + "\n")
    attach(mail, files if fits else [])
    return mail


def of_message(config: MailConfig, message: Message) -> tuple[str, EmailMessage]:
    """Return the bare address and the mail of a message, as text and, where it has one, as HTML.

    The sender's own name stands where the message says none. Raise `Rejected` with the field `to`
    for what is no address of one recipient.
    """
    try:
        to = plain(address(message.to))
    except ValueError as error:
        raise Rejected(f"{error}; correct it in the order", "to") from error
    mail = opened(config, message.key)
    mail["Subject"] = one_line(message.subject, LONGEST_SUBJECT) or "A message for you"
    name = one_line(message.sender, LONGEST_NAME) or parseaddr(config.sender)[0]
    mail["From"] = Address(display_name=name, addr_spec=plain(config.sender))
    mail["To"] = Address(addr_spec=to)
    mail["Date"] = formatdate()
    if config.reply_to:
        mail["Reply-To"] = config.reply_to
    unsubscribe(config, message, mail)
    size = sum(len(file.content) for file in message.files)
    if size > LARGEST:
        raise Rejected(f"the files have {size:,} bytes; a mail takes {LARGEST:,} at most", "files")
    mail.set_content(lines(message.text))
    if message.html:
        mail.add_alternative(lines(message.html), subtype="html")
    attach(mail, [(file.name, file.media_type, file.content) for file in message.files])
    return to, mail


def opened(config: MailConfig, key: str) -> EmailMessage:
    """Return a mail that no program answers by itself, under the Message-ID of its key."""
    mail = EmailMessage(policy=WIDE)
    mail["Message-ID"] = message_id(config, key)
    mail["Auto-Submitted"] = "auto-generated"
    return mail


def message_id(config: MailConfig, key: str) -> str:
    """Return the Message-ID of a key: the same each time, and the reference of its receipt."""
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{domain(config.sender)}>"


def unsubscribe(config: MailConfig, message: Message, mail: EmailMessage) -> None:
    """Say by which address, and by which mail, no more comes (RFC 2369, RFC 8058).

    One click counts over https only. A mail works where somebody reads the mailbox.
    """
    ways = []
    if config.mailbox_host:
        word = quote(f"unsubscribe {message_id(config, message.key)[1:33]}")
        ways.append(f"<mailto:{config.envelope}?subject={word}>")
    page = message.unsubscribe_url
    if _PAGE.fullmatch(page):
        ways.append(f"<{page}>")
    if ways:
        mail["List-Unsubscribe"] = ", ".join(ways)
    if page.startswith("https://") and f"<{page}>" in ways:
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"


def attach(mail: EmailMessage, files: list[tuple[str, str, bytes]]) -> None:
    """Attach files, each (name, media type, content)."""
    for name, media_type, content in files:
        kind, _, sort = media_type.partition("/")
        sound = re.fullmatch(r"[\w.+-]+/[\w.+-]+", media_type, re.ASCII)
        kind, sort = (kind, sort) if sound else ("application", "octet-stream")
        mail.add_attachment(content, maintype=kind, subtype=sort, filename=one_line(name, 100))


def subject(text: str, proof: Proof) -> str:
    """Return the subject of a proof, in one line."""
    values = {
        "order": proof.order, "proof": proof.id, "stop": proof.stop, "invoice": proof.invoice,
        "outcome": proof.outcome, "date": f"{proof.at:%Y-%m-%d}",
    }  # fmt: skip
    return one_line(WORD.sub(lambda found: values[found[1]], text), LONGEST_SUBJECT)


def one_line(text: str, longest: int) -> str:
    """Return a text without what could begin a header of its own."""
    return re.sub(rf"{_CONTROL}|[\n\t]", " ", text).strip()[:longest].strip()


def lines(text: str) -> str:
    """Return a text whose only control characters are the ends of its lines and tabs."""
    return re.sub(_CONTROL, "", re.sub(r"\r\n?", "\n", text)).rstrip("\n") + "\n"
