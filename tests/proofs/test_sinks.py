"""A delivered order goes to every sink once, also where one of them is down for a while."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from hub import proofs
from hub.driving.words import Report
from hub.proofs import handover
from hub.store import ConnectionRow, ProofReceiptRow, ProofRow, System
from hub.testing.conformance import ScriptedPeer
from hub.testing.peers import Reply
from hub.testing.road import Road, road
from tests.builtin.bucket import Answer, Bucket
from tests.builtin.conftest import bucket, sftp
from tests.builtin.sftp_server import PASSWORD, USER, SftpPeer
from tests.workflow.conftest import Toys, toys

__all__ = ["bucket", "road", "sftp", "toys"]
KEEP = """
workflow: keep
on: [{event: stop.completed}]
steps:
  - {id: keep, use: proofs.deliver, with: {stop: "{{ event.stop.id }}"}}
"""


def connect(toys: Toys, connector: str, **given: object) -> str:
    """Add the operator's connection to a sink."""
    with toys.hub.store.write(System()) as session:
        return toys.hub.connections.save(session, connector, given).id


def deliver(toys: Toys, road: Road) -> None:
    """Let the driver complete the first stop."""
    with toys.hub.store.write() as session:
        said = Report(id=uuid4(), kind="complete", stop=road.stops[0])
        handover.report(toys.hub, session, road.driver, said)
    toys.number()
    toys.work()


def taken(toys: Toys) -> dict[str, str]:
    """Return the references of the sinks that have taken the proof, by connection."""
    return {row.connection: row.ref for row in toys.rows_of(ProofReceiptRow)}


def test_two_sinks_get_a_proof_once_each_while_one_of_them_fails_and_recovers(
    toys: Toys, road: Road, bucket: Bucket, sftp: SftpPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = f"127.0.0.1:{bucket.port},127.0.0.1:{sftp.port}"
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", both)
    proofs.register(toys.hub)
    kept = connect(
        toys, "s3", url=bucket.url, region=bucket.region, bucket=bucket.name,
        access_key=bucket.access_key, secret_key=bucket.secret_key,
    )  # fmt: skip
    other = connect(
        toys, "sftp", host="127.0.0.1", port=sftp.port, user=USER, password=PASSWORD,
        fingerprint=sftp.fingerprint,
    )  # fmt: skip
    toys.save(KEEP)
    bucket.script = [Answer(503, "SlowDown", {"Retry-After": "30"})]
    deliver(toys, road)
    assert list(taken(toys)) == [other], "one that is down keeps no other waiting"
    assert toys.run().state == "running"
    files, calls = sftp.tree(), list(sftp.calls)
    toys.wait()
    (proof,) = toys.rows(ProofRow)
    place = f"1001/{proof.id}/record.json"
    assert taken(toys) == {
        other: f"sftp://127.0.0.1/{place}", kept: f"s3://proofs/{place}",
    }  # fmt: skip
    assert bucket.objects[place].content.decode() == proof.record == files[place].decode()
    assert sftp.calls == calls, "who has it is not asked again"
    written = [key for method, key in bucket.calls if method == "PUT"]
    assert len(written) == len(set(written)) == len(bucket.objects)
    assert toys.run().state == "succeeded"
    assert toys.steps()["keep"].output == {"delivered": 2}


def test_a_host_key_that_nobody_has_compared_parks_the_proof_until_someone_has(
    toys: Toys, road: Road, sftp: SftpPeer
) -> None:
    proofs.register(toys.hub)
    given = {"host": "127.0.0.1", "port": sftp.port, "user": USER, "password": PASSWORD}
    id = connect(toys, "sftp", **given)
    toys.save(KEEP)
    deliver(toys, road)
    (row,) = toys.rows(ConnectionRow, id=id)
    assert (row.state, sftp.fingerprint in row.reason) == ("action_needed", True)
    assert sftp.tree() == {}
    with toys.hub.store.write(System()) as session:
        from hub.workflow.parking import release

        given["fingerprint"] = sftp.fingerprint
        toys.hub.connections.save(session, "sftp", given, id=id)
        release(session, id)
    toys.work()
    assert toys.run().state == "succeeded"
    assert any(path.endswith("record.json") for path in sftp.tree())


def test_a_mail_whose_end_nobody_knows_is_not_sent_twice(
    toys: Toys, road: Road, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.builtin.mail_server import Mailbox, server

    mailbox = Mailbox()
    mailbox.mute = True
    peer = server(mailbox)
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{peer.port}")
    proofs.register(toys.hub)
    connect(
        toys, "email", host="127.0.0.1", port=peer.port, security="none",
        sender="proofs@alpenkraut.example", to=["office@kunde.example"],
    )  # fmt: skip
    toys.save(KEEP)
    try:
        deliver(toys, road)
        toys.wait()
    finally:
        peer.stop()
    assert len(mailbox.mails) == 1
    assert [effect.state for effect in toys.effects()] == ["unknown"]


def test_a_webhook_whose_reply_was_lost_is_sent_again_under_the_same_id(
    toys: Toys, road: Road, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = ScriptedPeer(tmp_path / "peer")
    peer.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{peer.port}")
    proofs.register(toys.hub)
    connect(toys, "webhook", url=peer.url, secret="whsec_" + "a2V5" * 10)
    toys.save(KEEP)
    peer.reply = lambda _: Reply(500, {"error": "broken"})
    try:
        deliver(toys, road)
        peer.reply = lambda _: Reply(200, {})
        toys.wait()
    finally:
        peer.stop()
    ids = [request.headers["webhook-id"] for request in peer.requests]
    assert len(ids) == 2
    assert len(set(ids)) == 1
    assert toys.run().state == "succeeded"
