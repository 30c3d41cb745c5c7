"""A proof is one mail to fixed addresses; what may have gone or not is left to a person."""

from __future__ import annotations

import smtplib
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP
from pydantic import ValidationError

from hub.builtin import mail_letters
from hub.builtin.mail import Mail, MailConfig
from hub.errors import Rejected, Retry, Unauthorized, Unknown
from hub.nouns import Message, ProofFile
from hub.plugins import Plugins
from hub.testing.conformance import ConnectorTests, ScriptedPeer, a_proof
from tests.builtin.mail_server import PASSWORD, USER, Mailbox, Server, Start, judge, trust


class TestMail(ConnectorTests):
    connector = Mail
    config = {  # noqa: RUF012
        "host": "127.0.0.1", "security": "none", "user": USER, "password": PASSWORD,
        "sender": "proofs@alpenkraut.example", "to": ["office@kunde.example"],
    }  # fmt: skip
    message = Message(key="run_1:ste_1:-", to="beck@kunde.example", subject="Soon", text="Soon")

    @pytest.fixture(autouse=True)
    def kept(
        self, peer: ScriptedPeer, start: Start, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Let the server keep what a check sends."""
        self.server = start(authenticator=judge, auth_require_tls=False)
        self.mailbox = mailbox

    def settings(self, url: str = "") -> dict[str, Any]:
        return {**super().settings(url), "port": self.server.port}

    def count(self) -> int:
        """Return how many mails came."""
        return len(self.mailbox.mails)


def sink(peer: Server, **changed: Any) -> Mail:
    given = {
        "host": "127.0.0.1", "port": peer.port, "security": "none",
        "sender": "Alpenkraut <proofs@alpenkraut.example>", "to": ["office@kunde.example"],
    }  # fmt: skip
    return Mail(MailConfig.model_validate({**given, **changed}))


def test_a_proof_is_a_mail_with_its_files(start: Start, mailbox: Mailbox) -> None:
    made = sink(start(), to=["office@kunde.example", "Lager <lager@kunde.example>"])
    receipt = made.store(a_proof(order="#1001 Müller"))
    (mail,) = mailbox.mails
    assert (mail["From"], mail["To"]) == (
        "Alpenkraut <proofs@alpenkraut.example>",
        "office@kunde.example, Lager <lager@kunde.example>",
    )
    assert mail["Subject"] == "Proof of delivery #1001 Müller: completed"
    files = {part.get_filename(): part.get_content() for part in mail.iter_attachments()}
    assert files == {"proof.pdf": b"%PDF-1.7 \xff", "record.json": b"{}"}
    body = mail.get_body()
    assert body
    text = body.get_content()
    assert "Delivered 23 Nov 2026 10:30 to M. Beck" in text
    assert "https://hub.example/t/abc" in text
    assert "Invoice: INV-1001" in text
    assert receipt.ref == mail["Message-ID"]


def test_the_same_key_gives_the_same_message_id_and_another_key_another(
    start: Start, mailbox: Mailbox
) -> None:
    made = sink(start())
    for key in ("run_1:a", "run_1:a", "run_1:b"):
        made.store(a_proof(key=key))
    first, second, third = [mail["Message-ID"] for mail in mailbox.mails]
    assert first == second != third
    assert first.endswith("@alpenkraut.example>")
    assert not Mail.keyed, "a mail server drops no repetition"


def test_files_that_are_too_large_stay_away_and_the_page_is_named(
    start: Start, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = ProofFile(name="photo-1.jpg", media_type="image/jpeg", sha256="1", content=b"j" * 2000)
    monkeypatch.setattr(mail_letters, "LARGEST", 2001)
    sink(start()).store(a_proof(files=(large,)))
    (mail,) = mailbox.mails
    assert list(mail.iter_attachments()) == []
    assert "too large for a mail; see the page" in mail.get_content()
    assert "https://hub.example/t/abc" in mail.get_content()


def test_no_order_number_writes_a_header_of_its_own(start: Start, mailbox: Mailbox) -> None:
    sink(start()).store(a_proof(order="1\r\nBcc: thief@example.com"))
    (mail,) = mailbox.mails
    assert mail["Bcc"] is None
    assert "thief" in mail["Subject"]


def test_mails_go_over_tls_from_the_first_byte(
    start: Start, mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, vouches = trust(tmp_path)
    peer = start(ssl_context=context)
    with pytest.raises(Retry, match="certificate that does not hold"):
        sink(peer, security="tls").check()
    monkeypatch.setenv("SSL_CERT_FILE", str(vouches))
    sink(peer, security="tls").store(a_proof())
    assert len(mailbox.mails) == 1


def test_starttls_comes_before_the_password(
    start: Start, mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, vouches = trust(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(vouches))
    peer = start(
        tls_context=context, require_starttls=True, authenticator=judge, auth_required=True
    )
    sink(peer, security="starttls", user=USER, password=PASSWORD).store(a_proof())
    assert len(mailbox.mails) == 1
    with pytest.raises(Unauthorized, match="535") as caught:
        sink(peer, security="starttls", user=USER, password="wrong horse").check()
    assert "wrong horse" not in str(caught.value)


def test_a_server_without_starttls_gets_no_password(start: Start) -> None:
    peer = start(authenticator=judge, auth_require_tls=False)
    with pytest.raises(Rejected, match="STARTTLS"):
        sink(peer, security="starttls", user=USER, password=PASSWORD).check()


def test_a_certificate_of_another_host_does_not_hold(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, vouches = trust(tmp_path, "mail.example.com")
    monkeypatch.setenv("SSL_CERT_FILE", str(vouches))
    for security, named in (
        ("tls", {"ssl_context": context}),
        ("starttls", {"tls_context": context}),
    ):
        with pytest.raises(Retry, match="certificate that does not hold"):
            sink(start(**named), security=security).check()


@pytest.mark.parametrize(("command", "reply", "error"), [
    ("MAIL", "451 try later", Retry), ("MAIL", "550 who are you", Rejected),
    ("MAIL", "530 sign in first", Unauthorized), ("DATA", "452 no room", Retry),
    ("DATA", "554 we think it is spam", Rejected), ("DATA", "421 closing", Retry),
])  # fmt: skip
def test_what_a_server_answers_says_what_happens_next(
    start: Start, mailbox: Mailbox, command: str, reply: str, error: type[Exception]
) -> None:
    made = sink(start())
    mailbox.replies[command] = reply
    with pytest.raises(error, match=reply[:3]):
        made.store(a_proof())
    assert mailbox.mails == []


def test_it_goes_to_all_or_to_nobody(start: Start, mailbox: Mailbox) -> None:
    made = sink(start(), to=["office@kunde.example", "gone@kunde.example"])
    mailbox.replies["RCPT gone@kunde.example"] = "550 no such user"
    with pytest.raises(Rejected, match=r"To gone@kunde\.example"):
        made.store(a_proof())
    assert mailbox.mails == []


def test_silence_after_the_text_was_sent_is_unknown(start: Start, mailbox: Mailbox) -> None:
    mailbox.mute = True
    with pytest.raises(Unknown, match="may be sent or not"):
        sink(start()).store(a_proof())
    assert len(mailbox.mails) == 1


def test_silence_before_is_a_retry(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    async def vanish(self: SMTP, *given: Any) -> None:
        assert self.transport
        self.transport.abort()

    monkeypatch.setattr(SMTP, "smtp_MAIL", vanish)
    with pytest.raises(Retry):
        sink(start()).store(a_proof())


def test_check_signs_in_and_sends_nothing(start: Start, mailbox: Mailbox) -> None:
    sink(start()).check()
    assert mailbox.mails == []


def test_a_private_address_is_refused(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    made = sink(start())
    monkeypatch.delenv("HUB_ALLOW_ADDRESSES")
    with pytest.raises(Rejected, match="private address"):
        made.check()


def test_a_server_that_is_away_is_a_retry(start: Start) -> None:
    peer = start()
    peer.end()
    with pytest.raises(Retry, match="cannot be reached"):
        sink(peer).check()


def test_every_answer_is_waited_for_with_a_limit(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[float | None] = []
    genuine = smtplib.SMTP.getreply

    def watched(self: smtplib.SMTP) -> Any:
        limits.append(self.sock.gettimeout())
        return genuine(self)

    monkeypatch.setattr(smtplib.SMTP, "getreply", watched)
    sink(start()).check()
    assert limits
    assert all(limit is not None and 0 < limit <= 60 for limit in limits)


@pytest.mark.parametrize("changed", [
    {"security": "none"}, {"to": ["nobody"]}, {"sender": "a@b, c@d"},
    {"sender": "a\r\nBcc: x@example.com"}, {"user": "u"}, {"password": "p"},
    {"subject": "{customer}"}, {"host": "user@host"},
], ids=str)  # fmt: skip
def test_settings_that_cannot_work_are_refused(changed: dict[str, Any]) -> None:
    given = {"host": "mail.example.com", "sender": "a@example.com", "to": ["b@example.com"]}
    MailConfig.model_validate(given)
    with pytest.raises(ValidationError):
        MailConfig.model_validate({**given, **changed})


def test_its_plugin_loads_under_the_name_email() -> None:
    assert Plugins().connector("email") is Mail
