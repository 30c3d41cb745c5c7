"""The mailbox is read from where it was left, and nothing in it is changed unasked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.builtin import mail_box
from hub.builtin.mail import Mail, MailConfig
from hub.errors import Rejected, Retry, Unauthorized
from hub.nouns import Cursor, DeliveryReport, InboundText
from hub.testing.peers.mailbox import PASSWORD, USER, MailboxPeer
from tests.builtin.mail_server import Start, trust
from tests.builtin.test_mail_bounces import OURS, report, written


def channel(peer: MailboxPeer, **changed: Any) -> Mail:
    given = {
        "host": "mail.fleet.example", "sender": "deliveries@fleet.example",
        "mailbox_host": "127.0.0.1", "mailbox_port": peer.port, "mailbox_security": "none",
        "mailbox_user": USER, "mailbox_password": PASSWORD,
    }  # fmt: skip
    return Mail(MailConfig.model_validate({**given, **changed}))


def refs(found: list[Any]) -> list[str]:
    """Return what was told, and the cursors, in order."""
    return [one.value if isinstance(one, Cursor) else one.ref for one in found]


def test_bounces_come_with_a_cursor_behind_them(imap: MailboxPeer) -> None:
    for raw in (report("5.1.1"), written("Hello"), report("5.1.1")):
        imap.add(raw)
    found = list(channel(imap).reports(Cursor()))
    assert refs(found) == [OURS, OURS, "7:3"]
    assert isinstance(found[0], DeliveryReport)


def test_only_what_came_since_is_read(imap: MailboxPeer) -> None:
    made = channel(imap)
    imap.add(report("5.1.1"))
    (*_, cursor) = made.reports(Cursor())
    assert isinstance(cursor, Cursor)
    imap.commands.clear()
    assert list(made.reports(cursor)) == [], "the last mail is asked for, and known"
    assert not [one for one in imap.commands if "FETCH" in one]
    imap.add(written("unsubscribe", Message_ID="<2@kunde.example>"))
    found = list(made.reports(cursor))
    assert refs(found) == ["<2@kunde.example>", "7:2"]
    assert isinstance(found[0], InboundText)


def test_a_folder_that_was_made_anew_is_read_anew(imap: MailboxPeer) -> None:
    made = channel(imap)
    for _ in range(3):
        imap.add(report("5.1.1"))
    (*_, cursor) = made.reports(Cursor())
    del imap.mails[:2]
    imap.remake()
    assert isinstance(cursor, Cursor)
    assert refs(list(made.reports(cursor))) == [OURS, "8:1"]


@pytest.mark.parametrize("cursor", ["", "x", "7:", "7:1:1", "99999999999:1", "7:1\r\nA DELETE"])
def test_a_cursor_that_is_none_begins_a_few_days_back(imap: MailboxPeer, cursor: str) -> None:
    imap.add(report("5.1.1"))
    assert refs(list(channel(imap).reports(Cursor(value=cursor)))) == [OURS, "7:1"]
    (search,) = [one for one in imap.commands if "SEARCH" in one]
    assert search.startswith("UID SEARCH SINCE ")


def test_many_mails_come_in_parts(imap: MailboxPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_box, "TOGETHER", 2)
    for _ in range(5):
        imap.add(written("Hello"))
    assert refs(list(channel(imap).reports(Cursor()))) == ["7:2", "7:4", "7:5"]


def test_nothing_is_changed_unless_that_is_asked_for(imap: MailboxPeer) -> None:
    bounce, other = imap.add(report("5.1.1")), imap.add(written("Hello"))
    list(channel(imap).reports(Cursor()))
    assert [mail.flags for mail in imap.mails] == [set(), set()]
    assert not [one for one in imap.commands if "STORE" in one or "SELECT" in one]
    list(channel(imap, mailbox_seen=True).reports(Cursor()))
    flags = {mail.uid: mail.flags for mail in imap.mails}
    assert flags == {bounce: {"\\Seen"}, other: set()}
    assert not [one for one in imap.commands if "Deleted" in one or "EXPUNGE" in one]


def test_only_the_beginning_of_a_large_mail_is_read(
    imap: MailboxPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    imap.add(report("5.1.1") + b"x" * 1_000_000)
    assert refs(list(channel(imap).reports(Cursor()))) == [OURS, "7:1"]
    (fetch,) = [one for one in imap.commands if "FETCH" in one]
    assert fetch.endswith("<0.200000>)")


def test_a_server_that_announces_too_much_is_not_believed(imap: MailboxPeer) -> None:
    imap.add(report("5.1.1"))
    imap.announces = 3_000_000_000
    with pytest.raises(Retry, match="announced 3000000000 bytes"):
        list(channel(imap).reports(Cursor()))


def test_a_mailbox_that_breaks_off_keeps_what_came_before(
    imap: MailboxPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_box, "TOGETHER", 1)
    imap.add(report("5.1.1"))
    imap.add(report("5.1.1"))
    found = iter(channel(imap).reports(Cursor()))
    assert refs([next(found), next(found)]) == [OURS, "7:1"]
    imap.breaks_at = "UID FETCH"
    with pytest.raises(Retry, match="could not be read"):
        next(found)


@pytest.mark.parametrize("login_only", [False, True], ids=["plain", "login"])
def test_a_wrong_password_needs_a_person(imap: MailboxPeer, login_only: bool) -> None:
    imap.login_only = login_only
    assert list(channel(imap).reports(Cursor())) == []
    with pytest.raises(Unauthorized, match="mailbox's user or password") as caught:
        list(channel(imap, mailbox_password='wrong "horse\\').reports(Cursor()))
    assert "horse" not in str(caught.value)


def test_a_server_that_is_busy_does_not_doubt_the_password(imap: MailboxPeer) -> None:
    imap.refusal = "[UNAVAILABLE] too many connections"
    with pytest.raises(Retry):
        list(channel(imap).reports(Cursor()))


def test_a_password_cannot_hold_a_command(imap: MailboxPeer) -> None:
    imap.login_only = True
    with pytest.raises(Rejected, match="ASCII"):
        list(channel(imap, mailbox_password="a\r\nX DELETE INBOX").reports(Cursor()))
    assert not [one for one in imap.commands if "DELETE" in one]


def test_a_folder_that_is_not_there_is_named(imap: MailboxPeer) -> None:
    with pytest.raises(Rejected, match='no folder Boun"ces') as caught:
        list(channel(imap, mailbox_folder='Boun"ces').reports(Cursor()))
    assert caught.value.field == "mailbox_folder"


def test_without_a_mailbox_nothing_is_asked(imap: MailboxPeer) -> None:
    assert list(channel(imap, mailbox_host="").reports(Cursor())) == []
    assert imap.commands == []


def test_the_user_for_sending_reads_where_no_other_is_named(imap: MailboxPeer) -> None:
    imap.add(report("5.1.1"))
    made = channel(imap, mailbox_user="", mailbox_password=None, user=USER, password=PASSWORD)
    assert refs(list(made.reports(Cursor()))) == [OURS, "7:1"]


def test_a_check_looks_at_the_mailbox_as_well(
    start: Start, imap: MailboxPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{peer.port},127.0.0.1:{imap.port}")
    made = channel(imap, host="127.0.0.1", port=peer.port, security="none")
    made.check()
    assert 'EXAMINE "INBOX"' in imap.commands
    imap.refusal = "no"
    with pytest.raises(Unauthorized):
        made.check()


def test_a_private_address_is_refused(imap: MailboxPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    made = channel(imap)
    monkeypatch.delenv("HUB_ALLOW_ADDRESSES")
    with pytest.raises(Rejected, match="private address"):
        list(made.reports(Cursor()))


def test_every_answer_is_waited_for_with_a_limit(
    imap: MailboxPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[float | None] = []
    genuine = mail_box.CheckedImap.readline

    def watched(self: mail_box.CheckedImap) -> Any:
        limits.append(self.sock.gettimeout())
        return genuine(self)

    monkeypatch.setattr(mail_box.CheckedImap, "readline", watched)
    list(channel(imap).reports(Cursor()))
    assert limits
    assert all(limit is not None and 0 < limit <= 60 for limit in limits)


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_it_is_encrypted_before_the_password(
    imap: MailboxPeer, security: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imap.context, vouches = trust(tmp_path)
    imap.whole = security == "tls"
    imap.add(report("5.1.1"))
    made = channel(imap, mailbox_security=security)
    with pytest.raises(Retry, match="certificate that does not hold"):
        list(made.reports(Cursor()))
    assert not {"LOGIN", "AUTHENTICATE"} & set(imap.commands)
    monkeypatch.setenv("SSL_CERT_FILE", str(vouches))
    assert refs(list(made.reports(Cursor()))) == [OURS, "7:1"]


def test_a_mailbox_without_starttls_gets_no_password(imap: MailboxPeer) -> None:
    with pytest.raises(Rejected, match="no STARTTLS"):
        list(channel(imap, mailbox_security="starttls").reports(Cursor()))
    assert not {"LOGIN", "AUTHENTICATE"} & set(imap.commands)


@pytest.mark.parametrize("changed", [
    {"mailbox_user": "u", "mailbox_password": None}, {"mailbox_user": "", "mailbox_password": "p"},
    {"mailbox_host": "imap.example.com", "mailbox_security": "none"},
    {"mailbox_user": "", "mailbox_password": None}, {"mailbox_folder": "A\r\nB"},
    {"reply_to": "nobody"}, {"bounce_address": "a@b, c@d"}, {"mailbox_host": "user@host"},
], ids=str)  # fmt: skip
def test_settings_of_a_mailbox_that_cannot_work_are_refused(
    imap: MailboxPeer, changed: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r"mailbox|address|pattern|starttls"):
        channel(imap, **changed)
