"""A message is one mail to one recipient: as text and HTML, with a way to end the mails."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from typing import Any

import pytest

from hub.builtin import mail_letters
from hub.builtin.mail import Mail, MailConfig
from hub.errors import Rejected, Retry, Unauthorized, Unknown
from hub.nouns import Message, ProofFile
from hub.plugins import Plugins
from tests.builtin.mail_server import Mailbox, Server, Start

PAGE = "https://hub.example/u/0123456789abcdefghijkl"
PDF = ProofFile(
    name="proof.pdf", media_type="application/pdf", sha256="ab" * 32, content=b"%PDF-1.7 \xff"
)


def channel(peer: Server, **changed: Any) -> Mail:
    given = {
        "host": "127.0.0.1", "port": peer.port, "security": "none",
        "sender": "Lastmile <deliveries@fleet.example>",
    }  # fmt: skip
    return Mail(MailConfig.model_validate({**given, **changed}))


def message(**changed: Any) -> Message:
    told = {
        "key": "run_1:ste_1:con_1", "to": "beck@kunde.example", "subject": "Your delivery",
        "text": "It comes today.\n", "html": "<p>It comes today.</p>", "sender": "Alpenkraut",
        "unsubscribe_url": PAGE,
    }  # fmt: skip
    return Message.model_validate({**told, **changed})


def read(part: EmailMessage) -> str:
    """Return the text of a part with the ends of lines that it was written with."""
    return str(part.get_content()).replace("\r\n", "\n")


def test_it_is_text_and_html_in_the_merchant_s_name(start: Start, mailbox: Mailbox) -> None:
    receipt = channel(start(), reply_to="Shop <shop@alpenkraut.example>").send(message())
    (mail,) = mailbox.mails
    assert (mail["From"], mail["To"]) == (
        "Alpenkraut <deliveries@fleet.example>", "beck@kunde.example",
    )  # fmt: skip
    assert mail["Reply-To"] == "Shop <shop@alpenkraut.example>"
    assert (mail["Subject"], mail["Auto-Submitted"]) == ("Your delivery", "auto-generated")
    assert mail["Date"].datetime is not None
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    plain, html = (read(part) for part in mail.iter_parts())
    assert (plain, html) == ("It comes today.\n", "<p>It comes today.</p>\n")
    assert receipt.ref == mail["Message-ID"]
    assert receipt.ref.endswith("@fleet.example>")


def test_the_same_key_is_the_same_message_id(start: Start, mailbox: Mailbox) -> None:
    made = channel(start())
    for key in ("run:a", "run:a", "run:b"):
        made.send(message(key=key))
    first, second, third = [mail["Message-ID"] for mail in mailbox.mails]
    assert first == second != third
    assert not Mail.keyed


def test_without_a_name_of_its_own_it_comes_in_the_connection_s(
    start: Start, mailbox: Mailbox
) -> None:
    channel(start()).send(message(sender=""))
    assert mailbox.mails[0]["From"] == "Lastmile <deliveries@fleet.example>"


def test_one_click_ends_the_mails_where_the_page_is_https(start: Start, mailbox: Mailbox) -> None:
    made = channel(start())
    made.send(message())
    made.send(message(unsubscribe_url="http://127.0.0.1:8000/u/abc"))
    made.send(message(unsubscribe_url=""))
    secure, plain, none = mailbox.mails
    assert secure["List-Unsubscribe"] == f"<{PAGE}>"
    assert secure["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert plain["List-Unsubscribe"] == "<http://127.0.0.1:8000/u/abc>"
    assert plain["List-Unsubscribe-Post"] is None
    assert none["List-Unsubscribe"] is None


def test_a_long_address_of_the_page_stays_in_one_piece(start: Start, mailbox: Mailbox) -> None:
    page = f"https://{'deliveries-' * 15}hub.example/u/0123456789abcdefghijkl"
    channel(start()).send(message(unsubscribe_url=page))
    assert f"List-Unsubscribe: <{page}>\r\n".encode() in mailbox.raw[0]


def test_a_mailbox_that_is_read_takes_the_wish_by_mail(start: Start, mailbox: Mailbox) -> None:
    told = {
        "bounce_address": "bounces@fleet.example", "mailbox_host": "127.0.0.1",
        "mailbox_security": "none", "mailbox_user": "u", "mailbox_password": "p",
    }  # fmt: skip
    receipt = channel(start(), **told).send(message())
    (mail,) = mailbox.mails
    by_mail, by_page = str(mail["List-Unsubscribe"]).split(", ")
    assert by_mail == f"<mailto:bounces@fleet.example?subject=unsubscribe%20{receipt.ref[1:33]}>"
    assert by_page == f"<{PAGE}>"
    assert mailbox.envelopes == [("bounces@fleet.example", ["beck@kunde.example"])]


@pytest.mark.parametrize("text", [
    "Hi\r\nBcc: thief@example.com", "Hi\nBcc: thief@example.com", "Hi\rBcc: thief@example.com",
    "Hi\r\n\r\n<script>", "Hi\x0bBcc: a@b.example", "Hi\x85Bcc: a@b.example",
    "Hi\u2028Bcc: a@b.example", "Hi\x00", "Hi \ud800",
], ids=ascii)  # fmt: skip
def test_nothing_that_users_write_makes_a_header(start: Start, mailbox: Mailbox, text: str) -> None:
    made = channel(start())
    made.send(
        Message.model_construct(
            **{
                **message().model_dump(),
                "subject": text,
                "sender": text,
                "files": (),
                "unsubscribe_url": f"https://a/{text}",
            }
        )
    )
    (mail,) = mailbox.mails
    assert mail["Bcc"] is None
    assert mailbox.envelopes[0][1] == ["beck@kunde.example"]
    assert mail["Subject"].startswith("Hi")
    assert str(mail["From"]).endswith("<deliveries@fleet.example>")
    assert set(mail.keys()) <= {
        "Message-ID", "Auto-Submitted", "Subject", "From", "To", "Date", "List-Unsubscribe",
        "List-Unsubscribe-Post", "Content-Type", "MIME-Version",
    }  # fmt: skip


@pytest.mark.parametrize("to", [
    "", "nobody", "a@b.example, c@d.example", "a@b.example\r\nBcc: c@d.example", "a@b@c.example",
    "<a@b.example> <c@d.example>", "jürg@kunde.example", "a b@c.example", "a@b.example;c@d.example",
    "a" * 65 + "@kunde.example", '"a\\" b"@c.example', "a@..example", "a@b.example> SIZE=1",
], ids=ascii)  # fmt: skip
def test_what_is_no_address_of_one_recipient_is_rejected(
    start: Start, mailbox: Mailbox, to: str
) -> None:
    with pytest.raises(Rejected) as caught:
        channel(start()).send(message(to=to))
    assert caught.value.field == "to"
    assert mailbox.mails == []


def test_letters_of_all_the_world_arrive(start: Start, mailbox: Mailbox) -> None:
    given = {
        "subject": "Lieferung für Zoë – 配達 🚚" * 5, "sender": "Müller & Søn, «Kräuter»",
        "text": "Grüezi 👩‍👩‍👧 שלום\u200f\n", "html": "<p>Grüezi 👩‍👩‍👧</p>",
    }  # fmt: skip
    channel(start()).send(message(**given))
    (mail,) = mailbox.mails
    assert mail["Subject"] == given["subject"]
    assert mail["From"].addresses[0].display_name == given["sender"]
    plain, html = (read(part) for part in mail.iter_parts())
    assert (plain, html) == (given["text"], given["html"] + "\n")
    assert mailbox.raw[0].isascii(), "an old server takes it as well"


def test_an_international_domain_goes_out_as_servers_write_it(
    start: Start, mailbox: Mailbox
) -> None:
    channel(start()).send(message(to="Beck <beck@müller.example>"))
    assert mailbox.envelopes[0][1] == ["beck@xn--mller-kva.example"]


def test_lines_of_any_length_are_kept_and_none_is_too_long_on_the_wire(
    start: Start, mailbox: Mailbox
) -> None:
    long = "word " * 2000 + "x" * 5000
    channel(start()).send(message(text=f".\n{long}\r\nFrom here\r.", html=f"<p>{long}</p>"))
    (mail,) = mailbox.mails
    assert max(map(len, mailbox.raw[0].split(b"\r\n"))) <= 998
    plain, html = (read(part) for part in mail.iter_parts())
    assert plain == f".\n{long}\nFrom here\n.\n"
    assert html == f"<p>{long}</p>\n"


def test_files_lie_beside_the_text(start: Start, mailbox: Mailbox) -> None:
    odd = PDF.model_copy(update={"name": "Beleg\r\nX: y für Zoë.pdf", "media_type": "../x\r\nA: b"})
    channel(start()).send(message(files=(PDF, odd)))
    (mail,) = mailbox.mails
    assert mail.get_content_type() == "multipart/mixed"
    body = mail.get_body(("plain",))
    assert body
    assert read(body) == "It comes today.\n"
    files = [
        (part.get_filename(), part.get_content_type(), part.get_content())
        for part in mail.iter_attachments()
    ]
    assert files == [
        ("proof.pdf", "application/pdf", PDF.content),
        ("Beleg  X: y für Zoë.pdf", "application/octet-stream", PDF.content),
    ]


def test_more_than_a_mail_takes_is_rejected_before_anything_is_sent(
    start: Start, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_letters, "LARGEST", 5)
    with pytest.raises(Rejected, match="5 at most") as caught:
        channel(start()).send(message(files=(PDF,)))
    assert caught.value.field == "files"
    assert mailbox.mails == []


def test_what_the_server_says_that_it_takes_is_believed(start: Start, mailbox: Mailbox) -> None:
    with pytest.raises(Rejected, match="takes 2,000 at most"):
        channel(start(data_size_limit=2000)).send(message(text="long " * 500))
    assert mailbox.mails == []


@pytest.mark.parametrize(("command", "reply", "error", "field"), [
    ("MAIL", "451 try later", Retry, None), ("MAIL", "550 who are you", Rejected, None),
    ("MAIL", "530 sign in first", Unauthorized, None),
    ("RCPT beck@kunde.example", "450 4.2.1 greylisted", Retry, None),
    ("RCPT beck@kunde.example", "550 5.1.1 no such user", Rejected, "to"),
    ("RCPT beck@kunde.example", "553 5.1.3 bad name", Rejected, "to"),
    ("RCPT beck@kunde.example", "421 closing", Retry, None),
    ("RCPT beck@kunde.example", "530 sign in first", Unauthorized, None),
    ("DATA", "452 no room", Retry, None), ("DATA", "554 we think it is spam", Rejected, None),
    ("DATA", "421 closing", Retry, None),
])  # fmt: skip
def test_what_a_server_answers_says_what_happens_next(
    start: Start, mailbox: Mailbox, command: str, reply: str, error: type[Exception],
    field: str | None,
) -> None:  # fmt: skip
    mailbox.replies[command] = reply
    with pytest.raises(error, match=reply[:3]) as caught:
        channel(start()).send(message())
    assert type(caught.value) is error
    assert getattr(caught.value, "field", None) == field
    assert mailbox.mails == []


def test_silence_after_the_text_was_sent_is_unknown(start: Start, mailbox: Mailbox) -> None:
    mailbox.mute = True
    with pytest.raises(Unknown, match="may be sent or not"):
        channel(start()).send(message())
    assert len(mailbox.mails) == 1


def test_a_connection_that_mails_no_proofs_says_so(start: Start, mailbox: Mailbox) -> None:
    from hub.testing.conformance import a_proof

    with pytest.raises(Rejected, match="Proofs to") as caught:
        channel(start()).store(a_proof())
    assert caught.value.field == "to"
    assert mailbox.mails == []


def test_one_connector_does_both(start: Start) -> None:
    assert Plugins().of_kind("notification_channels")["email"] is Mail
    assert Plugins().of_kind("pod_sinks")["email"] is Mail
    assert Mail.medium == "email"


def test_the_mail_reads_the_same_to_a_strict_parser(start: Start, mailbox: Mailbox) -> None:
    channel(start()).send(message(files=(PDF,)))
    mail = message_from_bytes(mailbox.raw[0], policy=WIRE.clone(raise_on_defect=True))
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "application/pdf",
    ]  # fmt: skip
