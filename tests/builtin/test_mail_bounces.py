"""What came back is understood where it names a mail of ours, and nothing else is believed."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from hub.builtin.mail_bounces import understood
from hub.builtin.mail_settings import MailConfig
from hub.nouns import DeliveryReport, InboundText

CONFIG = MailConfig(host="mail.fleet.example", sender="Lastmile <deliveries@fleet.example>")
DIGEST = "0123456789abcdef0123456789abcdef"
OURS = f"<{DIGEST}@fleet.example>"
OTHER = f"<{'f' * 32}@fleet.example>"
HEAD = """\
Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.kunde.example>
To: deliveries@fleet.example
Subject: Undelivered Mail Returned to Sender
Date: Mon, 23 Nov 2026 10:30:00 +0100
Auto-Submitted: auto-replied
MIME-Version: 1.0
"""
TEXT = """\
--b
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

"""
RETURNED = f"""\
--b
Content-Type: message/rfc822

From: Alpenkraut <deliveries@fleet.example>
To: beck@kunde.example
Message-ID: {OURS}
Subject: Your delivery

It comes today.
--b--
"""
HEADERS_ONLY = f"""\
--b
Content-Type: text/rfc822-headers

Message-ID: {OURS}
Subject: Your delivery

--b--
"""


def report(status: str = "", action: str = "failed", code: str = "", tail: str = RETURNED) -> bytes:
    """Return a report as Postfix writes it (RFC 3464)."""
    kind = "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
    blocks = [
        "--b", "Content-Type: message/delivery-status", "",
        "Reporting-MTA: dns; mail.fleet.example", "",
        "Final-Recipient: rfc822; beck@kunde.example", f"Action: {action}" if action else "",
        f"Status: {status}" if status else "", f"Diagnostic-Code: smtp; {code}" if code else "",
    ]  # fmt: skip
    lines = [line for number, line in enumerate(blocks) if line or number in (2, 4)]
    return (HEAD + kind + TEXT + "\n".join(lines) + "\n\n" + tail).encode()


def only(raw: bytes) -> DeliveryReport:
    (found,) = understood(raw, CONFIG)
    assert isinstance(found, DeliveryReport)
    return found


@pytest.mark.parametrize("tail", [RETURNED, HEADERS_ONLY], ids=["whole", "headers"])
def test_a_report_says_which_mail_did_not_arrive_and_why(tail: str) -> None:
    found = only(report("5.1.1", code="550 5.1.1 <beck@kunde.example>: unknown", tail=tail))
    assert (found.ref, found.state) == (OURS, "undelivered")
    assert found.detail == "5.1.1 550 5.1.1 <beck@kunde.example>: unknown"
    assert found.at == datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(("status", "action", "code", "detail"), [
    ("5.0.0", "failed", "", "5.0.0"),
    ("", "failed", "550 5.7.1 refused", "5.7.1 550 5.7.1 refused"),
    ("", "failed", "no such user", "5.0.0 no such user"), ("5.2.2", "", "", "5.2.2"),
    ("4.4.7", "failed", "expired", "4.4.7 expired"), ("5.1.1", "FAILED", "", "5.1.1"),
])  # fmt: skip
def test_what_was_given_up_is_undelivered(status: str, action: str, code: str, detail: str) -> None:
    assert only(report(status, action, code)).detail == detail


@pytest.mark.parametrize(("status", "action"), [
    ("4.4.1", "delayed"), ("4.2.2", ""), ("2.0.0", "delivered"), ("2.0.0", "relayed"),
    ("5.1.1", "delayed"), ("", ""), ("2.0.0", "expanded"),
])  # fmt: skip
def test_what_is_still_tried_or_has_arrived_is_no_news(status: str, action: str) -> None:
    assert understood(report(status, action), CONFIG) == []


def test_a_report_about_another_s_mail_is_none_of_ours() -> None:
    raw = report("5.1.1").replace(OURS.encode(), b"<1234@elsewhere.example>")
    assert understood(raw, CONFIG) == []
    raw = report("5.1.1").replace(b"@fleet.example>\nSubject", b"@fleet.example.evil>\nSubject")
    assert understood(raw, CONFIG) == []


def test_without_what_was_returned_the_mail_that_it_answers_counts() -> None:
    raw = report("5.1.1", tail="--b--\n").replace(
        b"MIME-Version", f"In-Reply-To: {OURS}\nMIME-Version".encode()
    )
    assert only(raw).ref == OURS


def words(body: str, head: str = HEAD) -> bytes:
    return f"{head}Content-Type: text/plain\n\n{body}".encode()


def test_qmail_writes_its_own_way() -> None:
    found = only(words(
        "Hi. This is the qmail-send program at mx.kunde.example.\nI'm afraid I wasn't able to "
        "deliver your message to the following addresses.\nThis is a permanent error.\n\n"
        "<beck@kunde.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
        f"--- Below this line is a copy of the message.\n\nMessage-ID: {OURS}\nSubject: x\n"
    ))  # fmt: skip
    assert (found.ref, found.state) == (OURS, "undelivered")
    assert found.detail.startswith("5.1.1 Sorry, no mailbox")


def test_exim_names_the_recipients_in_a_header() -> None:
    head = HEAD.replace("Return-Path: <>", "X-Failed-Recipients: beck@kunde.example")
    found = only(words(
        "A message that you sent could not be delivered to one or more of its recipients.\n\n"
        f"  beck@kunde.example\n    Unrouteable address\n\nMessage-Id: {OURS}\n", head,
    ))  # fmt: skip
    assert (found.ref, found.detail) == (OURS, "5.0.0")


def test_an_old_server_that_only_gives_the_reply_is_understood() -> None:
    found = only(words(f"while talking to mx:\n>>> RCPT To\n<<< 550 unknown\n\nMessage-ID: {OURS}"))
    assert (found.ref, found.state) == (OURS, "undelivered")


def test_a_server_that_still_tries_is_no_news() -> None:
    for head in (HEAD, HEAD.replace("Return-Path: <>", "X-Failed-Recipients: beck@kunde.example")):
        raw = words(f"Warning: delayed 4 hours, it will be retried.\n\nMessage-ID: {OURS}", head)
        assert understood(raw, CONFIG) == []
    raw = words(f"451 4.7.1 try again\n\nMessage-ID: {OURS}")
    assert understood(raw, CONFIG) == []


def test_the_mark_as_unwanted_is_an_opt_out() -> None:
    raw = (
        HEAD + "Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n" + TEXT
        + "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\n\n"
        + RETURNED
    )  # fmt: skip
    found = only(raw.encode())
    assert (found.ref, found.state) == (OURS, "opted_out")


def written(subject: str, body: str = "", **headers: str) -> bytes:
    told = {"From": "Maria Beck <Beck@kunde.example>", "To": "bounces@fleet.example", **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in told.items()]
    return "\n".join([*lines, f"Subject: {subject}", "", body]).encode()


@pytest.mark.parametrize("subject", [
    f"unsubscribe {DIGEST}", f"Unsubscribe {DIGEST.upper()}", f"RE: AW: unsubscribe {DIGEST}",
])  # fmt: skip
def test_the_mail_that_a_program_sends_by_itself_opts_out(subject: str) -> None:
    found = only(written(subject))
    assert (found.ref, found.state, found.detail) == (OURS, "opted_out", "unsubscribed by mail")


@pytest.mark.parametrize(("subject", "body"), [
    ("Re: Your delivery", "STOP\n\nOn Monday, Alpenkraut wrote:\n> It comes today.\n> STOP"),
    ("Re: Your delivery", "\n\n  Unsubscribe.\n"), ("Unsubscribe", "please"), ("abmelden!", ""),
])  # fmt: skip
def test_an_answer_with_the_word_opts_out(subject: str, body: str) -> None:
    raw = written(subject, body, In_Reply_To=OURS, References=f"{OTHER} {OURS}")
    assert (only(raw).ref, only(raw).state) == (OURS, "opted_out")


def test_the_word_alone_is_a_text_of_who_wrote_it() -> None:
    (found,) = understood(written("unsubscribe", Message_ID="<1@kunde.example>"), CONFIG)
    assert isinstance(found, InboundText)
    assert (found.sender, found.text) == ("Beck@kunde.example", "unsubscribe")
    assert (found.to, found.ref) == ("bounces@fleet.example", "<1@kunde.example>")


@pytest.mark.parametrize("raw", [
    written("Re: Your delivery", "Please stop at the back door", In_Reply_To=OURS),
    written("Re: Your delivery", "Thanks!\n> unsubscribe", In_Reply_To=OURS),
    written("How do I unsubscribe from the newsletter?", "", In_Reply_To=OURS),
    written("unsubscribe", "I am away", In_Reply_To=OURS, Auto_Submitted="auto-replied"),
    written("Re: x", "unsubscribe", In_Reply_To=OURS, Auto_Submitted="auto-generated; a=b"),
    b"", b"\0", b"Subject", b"\xff\xfe" * 100, b"Content-Type: multipart/mixed\n\n",
], ids=range(10))  # fmt: skip
def test_ordinary_mails_and_rubbish_say_nothing(raw: bytes) -> None:
    assert understood(raw, CONFIG) == []


HOSTILE = {
    "nested": b"Content-Type: message/rfc822\n\n" * 6000,
    "multiparts": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3000)
    ),
    "many parts": b"From: mailer-daemon@a\nContent-Type: multipart/mixed; boundary=b\n\n"
    + b"--b\n\nx\n" * 20_000,
    "long subject": b"Subject: " + b"." * 190_000,
    "re re": b"Subject: " + b"re: " * 45_000,
    "encoded": b"Subject: " + b"=?utf-8?q?=41?= " * 11_000,
    "spaces": b"Subject: unsubscribe" + b" " * 190_000 + b"x",
    "references": b"Subject: stop\nReferences: " + b"<0123456789abcdef" * 11_000,
    "digits": b"From: mailer-daemon@a\n\n" + b"5.1." * 45_000,
    "words": b"Subject: x\n\n" + b"unsubscribe" * 17_000,
    "message-ids": b"From: mailer-daemon@a\n\n550 5.1.1 no\n" + b"message-id: " * 15_000,
    "charset": b"Subject: stop\nContent-Type: text/plain; charset=no-such\n\nstop",
    "base64": b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n" + b"=A" * 90_000,
    "boundary": b"Content-Type: multipart/report; report-type=delivery-status; boundary=\"\"\n\n",
    "date": b"Date: Mon, 99 Nov 99999 99:99:99 +9999\nSubject: unsubscribe\nFrom: a@b\n\n",
    "from": b"Subject: unsubscribe\nFrom: " + b"(" * 100_000 + b"a@b\n\n",
    "parameters": b"Content-Type: multipart/report; " + b"a*0=b;" * 30_000 + b"\n\n",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mails_cost_little_and_say_nothing_about_ours(name: str) -> None:
    began = time.process_time()
    found = understood(HOSTILE[name], CONFIG)
    assert time.process_time() - began < 5
    assert all(isinstance(one, InboundText) for one in found)


def test_a_mail_from_tomorrow_has_no_date() -> None:
    raw = report("5.1.1").replace(b"2026 10:30", b"2999 10:30")
    assert only(raw).at is None
