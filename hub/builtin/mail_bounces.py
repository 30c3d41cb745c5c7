"""What a mail that came back says: that another one did not arrive, or that no more is wanted.

Anybody can write to a mailbox. So only what names a Message-ID of our own is believed: it is made
of a hash that nobody but the mail's recipient has seen.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime
from typing import Any, Literal

from hub import DeliveryReport, InboundText
from hub.builtin.mail_settings import MailConfig, domain

State = Literal["undelivered", "opted_out"]
MOST_PARTS = 50
WORDS = re.compile(r"(unsubscribe|stop|abmelden|abbestellen|désabonner|désinscription)\W*", re.I)
_AGAIN = re.compile(r"(?:(?:re|aw|fwd|fw|wg|antw)\s*:\s*)+", re.I)
_DIGEST = re.compile(r"[0-9a-f]{32}")
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_REPLY = re.compile(r"(?<![\d.])([45])\d\d(?![\d.])")
_DELAYED = re.compile(r"delayed|will be retried|still trying|no action is required", re.I)
_DAEMON = re.compile(r"mailer-daemon@|postmaster@|<>", re.I)


def understood(raw: bytes, config: MailConfig) -> list[DeliveryReport | InboundText]:
    """Return what a mail tells about mails of ours; nothing for any other, however broken."""
    try:
        mail = message_from_bytes(raw)
        return told(mail, config)
    except Exception:  # a mail may hold anything, and the parser trips in many ways
        return []


def told(mail: Message[Any, Any], config: MailConfig) -> list[DeliveryReport | InboundText]:
    """Return what a mail tells, by its kind."""
    kind = str(mail.get_param("report-type") or "").lower()
    at = dated(mail)
    if mail.get_content_type() == "multipart/report" and kind == "feedback-report":
        detail = "marked as unwanted in the recipient's mail program"
        return reports(returned(mail, config), "opted_out", detail, at)
    if mail.get_content_type() == "multipart/report" and kind == "delivery-status":
        why = failure(mail)
        return reports(returned(mail, config), "undelivered", why, at) if why else []
    if is_from_a_server(mail):
        why = failure_in_words(mail)
        return reports(returned(mail, config), "undelivered", why, at) if why else []
    if str(mail.get("Auto-Submitted", "no")).strip().lower().split(";")[0] != "no":
        return []  # somebody is on holiday
    return wish(mail, config, at)


def reports(
    refs: list[str], state: State, detail: str, at: datetime | None
) -> list[DeliveryReport | InboundText]:
    """Return the news about a mail, if it is known which."""
    return [DeliveryReport(ref=refs[0], state=state, detail=detail[:200], at=at)] if refs else []


def failure(mail: Message[Any, Any]) -> str:
    """Return why a mail was given up after RFC 3464; nothing while servers still try.

    It begins with the status (RFC 3463), by which a dead address is known.
    """
    for block in status_blocks(mail):
        action = str(block.get("Action", "")).strip().lower()
        reason = text_of(block.get("Diagnostic-Code", ""))
        status = _STATUS.search(str(block.get("Status", ""))) or _STATUS.search(reason)
        if action == "failed" or (not action and status and status[1] == "5"):
            why = reason.partition(";")[2] or reason  # after its type, such as smtp
            return f"{status[0] if status else '5.0.0'} {why.strip()}".strip()
    return ""


def status_blocks(mail: Message[Any, Any]) -> list[Message[Any, Any]]:
    """Return what a report says of each recipient."""
    for part in parts(mail):
        if part.get_content_type() in ("message/delivery-status", "message/global-delivery-status"):
            found = part.get_payload()
            blocks = found if isinstance(found, list) else []
            return [one for one in blocks if isinstance(one, Message)]
    return []


def is_from_a_server(mail: Message[Any, Any]) -> bool:
    """Say whether a mail that is no report was written by a mail server about a failure."""
    if mail.get("X-Failed-Recipients"):
        return True
    path = str(mail.get("Return-Path", "")).strip()
    return bool(_DAEMON.search(str(mail.get("From", ""))) or path == "<>")


def failure_in_words(mail: Message[Any, Any]) -> str:
    """Return why a mail was given up, from the text of a server that knows no RFC 3464."""
    body = words(mail)
    text = f"{text_of(mail.get('Subject', ''))}\n{body[:20_000]}"
    status, reply = _STATUS.search(body[:20_000]), _REPLY.search(body[:20_000])
    final = (status and status[1] == "5") or (not status and reply and reply[1] == "5")
    if not final and (_DELAYED.search(text) or not mail.get("X-Failed-Recipients")):
        return ""
    line = next((one for one in body.splitlines() if status and status[0] in one), "")
    found = status[0] if status and status[1] == "5" else "5.0.0"
    return f"{found} {' '.join(line.split())}".strip()


def returned(mail: Message[Any, Any], config: MailConfig) -> list[str]:
    """Return the Message-IDs of ours that a mail brings back, the surest place first."""
    ours = own(config)
    found: list[str] = []
    for part in parts(mail):
        kind = part.get_content_type()
        if kind in ("message/rfc822", "message/global"):
            inner = part.get_payload()
            if isinstance(inner, list) and inner and isinstance(inner[0], Message):
                found += ours.findall(str(inner[0].get("Message-ID", "")))
        elif kind in ("text/rfc822-headers", "message/global-headers"):
            found += ours.findall(body_of(part))
    for header in ("In-Reply-To", "References"):
        found += ours.findall(str(mail.get(header, "")))
    if not found:
        named = re.compile(rf"message-id:\s*({ours.pattern})", re.I)
        found += named.findall(words(mail))
    return found


def own(config: MailConfig) -> re.Pattern[str]:
    """Return how a Message-ID of this connection looks."""
    return re.compile(rf"<[0-9a-f]{{32}}@{re.escape(domain(config.sender))}>")


def wish(
    mail: Message[Any, Any], config: MailConfig, at: datetime | None
) -> list[DeliveryReport | InboundText]:
    """Return that somebody wants no more, by the subject or by the first line of an answer."""
    subject = text_of(mail.get("Subject", ""))
    again = _AGAIN.match(subject)
    asked = subject[again.end() if again else 0 :].split()
    lines = (line.strip() for line in words(mail)[:5000].splitlines())
    first = next((line for line in lines if line), "")
    by_subject = asked and len(asked) <= 2 and WORDS.fullmatch(asked[0])
    if not (by_subject or WORDS.fullmatch(first)):
        return []
    refs = own(config).findall(f"{mail.get('In-Reply-To', '')} {mail.get('References', '')}")[::-1]
    if by_subject and len(asked) == 2 and _DIGEST.fullmatch(asked[1].lower()):
        refs = [f"<{asked[1].lower()}@{domain(config.sender)}>"]
    if refs:
        return reports(refs, "opted_out", "unsubscribed by mail", at)
    sender = parseaddr(str(mail.get("From", "")))[1]
    if "@" not in sender or len(sender) > 320:
        return []
    to = parseaddr(str(mail.get("To", "")))[1][:320]
    ref = str(mail.get("Message-ID", "")).strip()[:500]
    return [InboundText(sender=sender, text="unsubscribe", to=to, ref=ref, at=at)]


def parts(mail: Message[Any, Any]) -> list[Message[Any, Any]]:
    """Return the parts of a mail, itself first; those of a mail that is returned left out."""
    found: list[Message[Any, Any]] = []
    waiting = [mail]
    while waiting and len(found) < MOST_PARTS:
        part = waiting.pop(0)
        found.append(part)
        inner = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(inner, list):
            waiting += [one for one in inner if isinstance(one, Message)]
    return found


def words(mail: Message[Any, Any]) -> str:
    """Return the text of a mail: of its plain parts, else of any."""
    texts = [part for part in parts(mail) if part.get_content_maintype() == "text"]
    plain = [part for part in texts if part.get_content_type() == "text/plain"]
    return "\n".join(body_of(part) for part in plain or texts)


def body_of(part: Message[Any, Any]) -> str:
    """Return the text of one part."""
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    try:
        return content.decode(part.get_content_charset("utf-8"), errors="replace")
    except LookupError:
        return content.decode("utf-8", errors="replace")


def text_of(header: object) -> str:
    """Return a header in letters, in one line."""
    try:
        text = str(make_header(decode_header(str(header)[:1000])))
    except (ValueError, LookupError):
        text = str(header)[:1000]
    return " ".join(text.split())


def dated(mail: Message[Any, Any]) -> datetime | None:
    """Return when a mail says that it was written, unless that cannot be."""
    try:
        at = parsedate_to_datetime(str(mail.get("Date", "")))
    except (ValueError, TypeError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return at if at <= datetime.now(UTC) else None
