"""Every proof lies on the server once, whole, and only on the server that a person has compared."""

from __future__ import annotations

import io
import socket
import threading
from typing import Any

import paramiko
import pytest
from pydantic import ValidationError

from hub.builtin import sockets
from hub.builtin.sftp import Sftp, SftpConfig
from hub.errors import Rejected, Retry, Unauthorized
from hub.nouns import ProofFile
from hub.testing.conformance import ConnectorTests, ScriptedPeer, a_proof
from hub.testing.patience import PATIENCE
from tests.builtin.sftp_server import PASSWORD, USER, SftpPeer


class TestSftp(ConnectorTests):
    connector = Sftp
    config = {  # noqa: RUF012
        "host": "127.0.0.1", "user": USER, "password": PASSWORD, "folder": "proofs",
    }  # fmt: skip

    @pytest.fixture(autouse=True)
    def kept(self, peer: ScriptedPeer, sftp: SftpPeer, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the server keep what a check stores."""
        monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{sftp.port}")
        self.server = sftp

    def settings(self, url: str = "") -> dict[str, Any]:
        told = {"port": self.server.port, "fingerprint": self.server.fingerprint}
        return {**super().settings(url), **told}

    def count(self) -> int:
        """Return how many files lie on the server."""
        return len(self.server.tree())


def sink(peer: SftpPeer, **changed: Any) -> Sftp:
    given = {
        "host": "127.0.0.1", "port": peer.port, "user": USER, "password": PASSWORD,
        "fingerprint": peer.fingerprint, "folder": "proofs", **changed,
    }  # fmt: skip
    return Sftp(SftpConfig.model_validate(given))


def pem(key: paramiko.RSAKey) -> str:
    text = io.StringIO()
    key.write_private_key(text)
    return text.getvalue()


def test_record_and_files_lie_under_order_and_proof_the_record_last(sftp: SftpPeer) -> None:
    receipt = sink(sftp).store(a_proof(order="#1001 Müller"))
    folder = "proofs/1001_Müller/prf_1"
    assert sftp.tree() == {
        f"{folder}/proof.pdf": b"%PDF-1.7 \xff", f"{folder}/record.json": b"{}",
    }  # fmt: skip
    assert sftp.done("posix_rename")[-1].endswith("record.json")
    assert receipt.ref == f"sftp://127.0.0.1/{folder}/record.json"


def test_storing_twice_writes_nothing(sftp: SftpPeer) -> None:
    sink(sftp).store(a_proof())
    sftp.calls.clear()
    sink(sftp).store(a_proof())
    assert {call for call, _ in sftp.calls} == {"stat", "read"}


def test_a_file_is_never_seen_half_and_what_broke_off_is_made_whole(sftp: SftpPeer) -> None:
    sftp.fail = lambda call, path: (
        paramiko.SFTP_FAILURE if call.endswith("rename") and "record" in path else None
    )
    with pytest.raises(Retry):
        sink(sftp).store(a_proof())
    shown = [path for path in sftp.tree() if not path.rpartition("/")[2].startswith(".")]
    assert shown == ["proofs/ord_1/prf_1/proof.pdf"]
    sftp.fail = lambda call, path: None
    sftp.calls.clear()
    sink(sftp).store(a_proof())
    assert [path.rpartition("/")[2] for path in sftp.done("posix_rename")] == ["record.json"]
    assert sorted(path.rpartition("/")[2] for path in sftp.tree()) == ["proof.pdf", "record.json"]


def test_a_server_without_the_posix_extension_does_as_well(sftp: SftpPeer) -> None:
    sftp.extended = False
    sink(sftp).store(a_proof())
    longer = ProofFile(name="proof.pdf", media_type="application/pdf", sha256="1", content=b"new")
    (sftp.root / "proofs/ord_1/prf_1/record.json").unlink()
    sink(sftp).store(a_proof(files=(longer,)))
    assert sftp.tree() == {
        "proofs/ord_1/prf_1/proof.pdf": b"new", "proofs/ord_1/prf_1/record.json": b"{}",
    }  # fmt: skip


def test_another_record_is_not_written_over(sftp: SftpPeer) -> None:
    sink(sftp).store(a_proof())
    for forged in (b'{"forged":1}', b"[]"):
        with pytest.raises(Rejected, match="is another record"):
            sink(sftp).store(a_proof(record=forged))
    assert sftp.tree()["proofs/ord_1/prf_1/record.json"] == b"{}"


def test_the_first_check_shows_the_host_key_and_sends_no_password(sftp: SftpPeer) -> None:
    with pytest.raises(Unauthorized, match="compare it with what its operator says") as caught:
        sink(sftp, fingerprint="", password="wrong").check()
    assert sftp.fingerprint in str(caught.value)
    sink(sftp, fingerprint=sftp.fingerprint.removeprefix("SHA256:") + "=").check()


def test_another_host_key_ends_it_before_the_password_is_sent(sftp: SftpPeer) -> None:
    other = "SHA256:" + "A" * 43
    for call in (sink(sftp, fingerprint=other).check, lambda: sink(
        sftp, fingerprint=other).store(a_proof())):  # fmt: skip
        with pytest.raises(Unauthorized, match=f"not {other}: somebody may be listening in"):
            call()
    assert sftp.calls == []


def test_check_proves_that_the_folder_can_be_written_and_leaves_nothing(sftp: SftpPeer) -> None:
    sink(sftp).check()
    assert sftp.tree() == {}
    sftp.fail = lambda call, path: paramiko.SFTP_PERMISSION_DENIED if call == "write" else None
    with pytest.raises(Unauthorized, match="may not write to proofs"):
        sink(sftp).check()


def test_a_wrong_password_needs_a_person(sftp: SftpPeer) -> None:
    with pytest.raises(Unauthorized, match=f"does not let {USER} in") as caught:
        sink(sftp, password="wrong").check()
    assert "wrong" not in str(caught.value)


def test_a_key_opens_as_well_also_when_a_form_took_its_line_breaks(sftp: SftpPeer) -> None:
    text = pem(sftp.key)
    sink(sftp, password=None, private_key=text).check()
    sink(sftp, password=None, private_key=text.replace("\n", "")).check()
    with pytest.raises(Unauthorized, match="does not let"):
        sink(sftp, password=None, private_key=pem(paramiko.RSAKey.generate(1024))).check()


@pytest.mark.parametrize("text", ["hello", "-----BEGIN X-----AAAA-----END X-----"])
def test_what_is_no_key_is_told_without_being_repeated(sftp: SftpPeer, text: str) -> None:
    with pytest.raises(Unauthorized, match="private key") as caught:
        sink(sftp, password=None, private_key=text).check()
    assert "AAAA" not in str(caught.value)


def test_a_private_address_is_refused(sftp: SftpPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUB_ALLOW_ADDRESSES")
    with pytest.raises(Rejected, match="private address"):
        sink(sftp).check()
    assert sftp.transports == []


def test_a_server_that_is_away_is_a_retry(sftp: SftpPeer) -> None:
    sftp.close()
    with pytest.raises(Retry, match="cannot be reached"):
        sink(sftp).check()


def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.builtin.sftp_session.TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{port}")
        with pytest.raises(Retry):
            Sftp(SftpConfig(host="127.0.0.1", port=port, user="u", password="p")).check()  # type: ignore[arg-type]
    for thread in threading.enumerate():
        if isinstance(thread, paramiko.Transport):
            thread.join(PATIENCE)
            assert not thread.is_alive(), "no thread is left behind"


def test_a_disk_without_room_is_tried_again(sftp: SftpPeer) -> None:
    sftp.fail = lambda call, path: paramiko.SFTP_FAILURE if call == "write" else None
    with pytest.raises(Retry):
        sink(sftp).store(a_proof())


@pytest.mark.parametrize("order", ["../../etc", "/etc/passwd", "..", "a/b\\c", "", "x" * 500, "\0"])
def test_no_order_number_leads_out_of_the_folder(sftp: SftpPeer, order: str) -> None:
    sink(sftp).store(a_proof(order=order))
    for path in sftp.tree():
        top, name, proof, _ = path.split("/")
        assert (top, proof) == ("proofs", "prf_1")
        assert 0 < len(name) <= 80


@pytest.mark.parametrize("changed", [
    {"password": None}, {"private_key": "k"}, {"fingerprint": "MD5:aa:bb"}, {"folder": "a/../b"},
    {"host": "user@host"}, {"host": "a b"}, {"port": 0}, {"path": "{order}"},
], ids=str)  # fmt: skip
def test_settings_that_cannot_work_are_refused(changed: dict[str, Any]) -> None:
    given = {"host": "files.example.com", "user": "u", "password": "p"}
    SftpConfig.model_validate(given)
    with pytest.raises(ValidationError):
        SftpConfig.model_validate({**given, **changed})


def test_secrets_are_hidden_and_importing_it_is_light(sftp: SftpPeer) -> None:
    import subprocess
    import sys

    assert PASSWORD not in repr(sink(sftp).config)
    code = "import hub.builtin.sftp, hub.builtin.mail, sys; sys.exit('paramiko' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert sockets.TIMEOUT <= 60
