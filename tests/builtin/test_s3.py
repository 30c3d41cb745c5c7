"""Every proof lies in the bucket once, whole, and under a name that leads nowhere else."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from pydantic import ValidationError

from hub.builtin.s3 import S3, S3Config
from hub.errors import Rejected, Retry, Unauthorized, Unknown
from hub.nouns import Proof
from hub.testing.conformance import ConnectorTests, a_proof
from hub.testing.peers import Reply, Request
from tests.builtin.bucket import Answer, Bucket


class TestS3(ConnectorTests):
    connector = S3
    config = {  # noqa: RUF012
        "region": Bucket.region, "bucket": Bucket.name, "prefix": "2026",
        "access_key": Bucket.access_key, "secret_key": Bucket.secret_key,
    }  # fmt: skip

    @pytest.fixture(autouse=True)
    def kept(self, bucket: Bucket) -> None:
        """Let the service keep what a check stores."""
        self.bucket = bucket

    def serve(self, request: Request) -> Reply | None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        target = f"{quote(request.path)}?{urlencode(request.query)}"
        found = self.bucket.answer(request.method, target, headers, request.body)
        return Reply(found.status, headers=found.headers, content=found.content)


def sink(peer: Bucket, **changed: Any) -> S3:
    given = {
        "url": peer.url, "region": peer.region, "bucket": peer.name,
        "access_key": peer.access_key, "secret_key": peer.secret_key, **changed,
    }  # fmt: skip
    return S3(S3Config.model_validate(given))


def calls(bucket: Bucket, method: str) -> list[str]:
    return [key for called, key in bucket.calls if called == method]


def test_record_and_files_lie_under_order_and_proof_the_record_last(bucket: Bucket) -> None:
    receipt = sink(bucket, prefix="/2026/").store(a_proof(order="#1001 Müller"))
    folder = "2026/1001_Müller/prf_1"
    assert {key: kept.content for key, kept in bucket.objects.items()} == {
        f"{folder}/proof.pdf": b"%PDF-1.7 \xff", f"{folder}/record.json": b"{}",
    }  # fmt: skip
    assert bucket.objects[f"{folder}/proof.pdf"].headers["content-type"] == "application/pdf"
    assert calls(bucket, "PUT")[-1] == f"{folder}/record.json"
    assert receipt.ref == f"s3://proofs/{folder}/record.json"


def test_storing_twice_changes_nothing_and_costs_one_look(bucket: Bucket) -> None:
    sink(bucket).store(a_proof())
    bucket.calls.clear()
    sink(bucket).store(a_proof())
    assert bucket.calls == [("HEAD", "ord_1/prf_1/record.json")]


def test_half_a_proof_is_made_whole_without_writing_twice(bucket: Bucket) -> None:
    bucket.script = [Answer(0)] * 3 + [Answer(503, "SlowDown", {"Retry-After": "3"})]
    with pytest.raises(Retry) as caught:
        sink(bucket).store(a_proof())
    assert caught.value.after == 3
    assert list(bucket.objects) == ["ord_1/prf_1/proof.pdf"]
    sink(bucket).store(a_proof())
    assert calls(bucket, "PUT") == ["ord_1/prf_1/proof.pdf", "ord_1/prf_1/record.json"]


def test_a_reply_that_is_lost_is_unknown_and_the_next_try_finds_it_done(bucket: Bucket) -> None:
    bucket.script = [Answer(0)] * 4 + [None]
    with pytest.raises(Unknown):
        sink(bucket).store(a_proof())
    sink(bucket).store(a_proof())
    assert calls(bucket, "PUT").count("ord_1/prf_1/record.json") == 1


def test_two_who_store_at_once_keep_one_object(bucket: Bucket) -> None:
    sink(bucket).store(a_proof())
    bucket.script = [Answer(404), Answer(404)]  # as if both had looked before either wrote
    sink(bucket).store(a_proof())
    assert len(bucket.objects) == 2


def test_another_object_of_that_name_is_not_written_over(bucket: Bucket) -> None:
    sink(bucket).store(a_proof())
    with pytest.raises(Rejected, match=r"another object named ord_1/prf_1/record\.json"):
        sink(bucket).store(a_proof(record=b'{"forged":1}'))
    assert bucket.objects["ord_1/prf_1/record.json"].content == b"{}"


def test_a_service_that_knows_no_conditions_does_as_well(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket, "conditional", False)
    sink(bucket).store(a_proof())
    sink(bucket).store(a_proof())
    assert len(bucket.objects) == 2


def test_the_bucket_may_stand_in_front_of_the_host(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = socket.getaddrinfo

    def found(host: str, *given: Any, **named: Any) -> Any:
        return genuine("127.0.0.1" if host == "proofs.localhost" else host, *given, **named)

    monkeypatch.setattr(socket, "getaddrinfo", found)
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"proofs.localhost:{bucket.port}")
    made = sink(bucket, url=f"http://localhost:{bucket.port}", path_style=False)
    made.check()
    made.store(a_proof())
    assert sorted(bucket.objects) == ["ord_1/prf_1/proof.pdf", "ord_1/prf_1/record.json"]


def test_check_looks_into_the_bucket(bucket: Bucket) -> None:
    sink(bucket, prefix="a b/ü").check()
    assert bucket.calls == [("GET", "")]


@pytest.mark.parametrize(("changed", "error", "said"), [
    ({"secret_key": "another"}, Unauthorized, "SignatureDoesNotMatch"),
    ({"access_key": "another"}, Unauthorized, "InvalidAccessKeyId"),
    ({"region": "us-east-1"}, Unauthorized, "AuthorizationHeaderMalformed"),
    ({"bucket": "nobody"}, Rejected, "there is no bucket nobody"),
], ids=str)  # fmt: skip
def test_a_wrong_setting_is_told(
    bucket: Bucket, changed: dict[str, str], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        sink(bucket, **changed).check()
    with pytest.raises(error):
        sink(bucket, **changed).store(a_proof())
    assert bucket.objects == {}


def test_a_bucket_of_another_region_names_it(bucket: Bucket) -> None:
    bucket.script = [Answer(301, "PermanentRedirect", {"x-amz-bucket-region": "eu-west-1"})]
    with pytest.raises(Rejected, match="the bucket proofs is in eu-west-1") as caught:
        sink(bucket).check()
    assert caught.value.field == "region"


def test_a_write_that_runs_into_another_is_tried_again(bucket: Bucket) -> None:
    bucket.script = [Answer(0), Answer(0), Answer(409, "ConditionalRequestConflict")]
    with pytest.raises(Retry):
        sink(bucket).store(a_proof())


@pytest.mark.parametrize("order", ["../../etc", "/etc/passwd", "..", "a/b\\c", "", "x" * 500, "\0"])
def test_no_order_number_leads_out_of_the_prefix(bucket: Bucket, order: str) -> None:
    sink(bucket, prefix="in").store(a_proof(order=order))
    for key in bucket.objects:
        top, name, proof, file = key.split("/")
        assert (top, proof) == ("in", "prf_1")
        assert file in ("proof.pdf", "record.json")
        assert name not in ("", ".", "..")
        assert len(name) <= 80


def test_the_path_follows_its_template(bucket: Bucket) -> None:
    sink(bucket, path="{date}/{invoice}-{outcome}/{proof}").store(a_proof())
    assert "2026-11-23/INV-1001-completed/prf_1/record.json" in bucket.objects
    bucket.objects.clear()
    proof: Proof = a_proof(invoice="")
    sink(bucket, path="{invoice}/{proof}").store(proof)
    assert "no-invoice/prf_1/record.json" in bucket.objects


@pytest.mark.parametrize(
    "path", ["{order}", "{proof}/../x", "{proof}//x", "{who}/{proof}", "{proof"]
)
def test_a_template_that_cannot_be_used_is_refused(path: str) -> None:
    with pytest.raises(ValidationError):
        S3Config.model_validate(
            {"bucket": "proofs", "access_key": "a", "secret_key": "b", "path": path}
        )
