"""Keep every proof in a bucket of an S3-compatible service, signed by Signature Version 4."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from hub import (
    Connector,
    HubError,
    Proof,
    Receipt,
    Rejected,
    Retry,
    Unauthorized,
    Url,
    calling,
    hookimpl,
    judge,
)
from hub.builtin.paths import RECORD, Template, named, path_field, place, safe
from hub.capabilities import PodSink
from hub.http import READS, TIMEOUT, host_of, session

SHA256 = "x-amz-meta-sha256"
_TOLD = re.compile(r"<(Code|Message)>(.*?)</\1>", re.S)


class S3Config(BaseModel):
    """Which bucket, and what opens it."""

    model_config = ConfigDict(extra="forbid")

    url: Url = Field(
        default="https://s3.amazonaws.com",
        title="Endpoint",
        description="Of the service and region, such as https://s3.eu-central-1.amazonaws.com",
    )
    region: str = Field(
        default="us-east-1",
        title="Region",
        description="Where the bucket is; services without regions take us-east-1.",
        pattern=r"^[a-z0-9-]{1,40}$",
    )
    bucket: str = Field(
        title="Bucket",
        description="It has to be there already.",
        pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
    )
    prefix: str = Field(
        default="", title="Prefix", description="What all names begin with, such as proofs"
    )
    path: Template = path_field()
    access_key: SecretStr = Field(
        title="Access key id",
        description="Of a user who may list the bucket, and get and put its objects.",
    )
    secret_key: SecretStr = Field(
        title="Secret access key", description="Shown once, when the key is made."
    )
    path_style: bool = Field(
        default=True,
        title="Bucket in the path",
        description="Off for services that want the bucket in front of the host name.",
    )

    @field_validator("prefix")
    @classmethod
    def plain(cls, prefix: str) -> str:
        """Return the prefix without outer slashes, each part safe as a name."""
        return "/".join(safe(part, "_") for part in prefix.split("/") if part)


class S3(Connector[S3Config]):
    """Writes `<prefix>/<order>/<proof>/...`, each object once; the record comes last."""

    name = "s3"
    title = "S3-compatible storage"
    Config = S3Config
    sdk = ("requests_aws4auth",)

    def check(self) -> None:
        """List one object, which the service allows only to whom the bucket is open."""
        query = {"list-type": "2", "max-keys": "1", "prefix": self.config.prefix}
        self._understood(self._send("GET", "", params=query))

    def store(self, proof: Proof) -> Receipt:
        """Write the proof; what is there already is left alone."""
        folder = "/".join(
            part for part in (self.config.prefix, place(self.config.path, proof)) if part
        )
        kept = named(proof)
        if not self._has(f"{folder}/{RECORD}", proof.record):
            for name, media_type, content in kept:
                self._keep(f"{folder}/{name}", media_type, content)
        return Receipt(
            ref=f"s3://{self.config.bucket}/{folder}/{RECORD}",
            detail=f"{len(kept)} objects under {folder} in {self.config.bucket}",
        )

    def _has(self, key: str, content: bytes) -> bool:
        """Say whether the object is there; raise `Rejected` where it is another one."""
        reply = self._send("HEAD", key)
        if reply.status_code == 404:
            return False
        self._understood(reply)
        if reply.headers.get(SHA256) != hashlib.sha256(content).hexdigest():
            raise Rejected(
                f"{self.config.bucket} has another object named {key}, which is not written over; "
                f"move it away or choose another prefix"
            )
        return True

    def _keep(self, key: str, media_type: str, content: bytes) -> None:
        """Write one object unless it is there."""
        if self._has(key, content):
            return
        headers = {
            "Content-Type": media_type,
            "Content-MD5": base64.b64encode(
                hashlib.md5(content, usedforsecurity=False).digest()
            ).decode(),
            SHA256: hashlib.sha256(content).hexdigest(),
        }
        once = {**headers, "If-None-Match": "*"}
        reply = self._send("PUT", key, data=content, headers=once)
        if reply.status_code == 501:  # an older service knows no conditions; `_has` has looked
            reply = self._send("PUT", key, data=content, headers=headers)
        if reply.status_code == 412:  # somebody else was quicker: it has to be the same
            if not self._has(key, content):
                raise Retry(f"{self.config.bucket} could not decide whether it has {key}")
            return
        if reply.status_code == 409:
            raise Retry(f"{self.config.bucket} is just being written to at {key}")
        self._understood(reply)

    def _send(self, method: str, key: str, **given: Any) -> Any:
        """Send one signed request and return the reply, whatever its status."""
        from requests_aws4auth import AWS4Auth

        config = self.config
        auth = AWS4Auth(
            config.access_key.get_secret_value(), config.secret_key.get_secret_value(),
            config.region, "s3",
        )  # fmt: skip
        with calling(self.root, reads=method in READS), session() as made:
            return made.request(
                method, f"{self.root}/{quote(key, safe='/~')}", auth=auth, timeout=TIMEOUT,
                allow_redirects=False, **given,
            )  # fmt: skip

    def _understood(self, reply: Any) -> None:
        """Raise what a reply means that is not of the 2xx kind."""
        status = reply.status_code
        if 200 <= status < 300:
            return
        raise self._meaning(reply, status)

    def _meaning(self, reply: Any, status: int) -> HubError:
        told = dict(_TOLD.findall(reply.text[:5000]))
        said = ": ".join(told[part] for part in ("Code", "Message") if part in told)
        bucket = self.config.bucket
        region = reply.headers.get("x-amz-bucket-region", "")
        if status in (301, 307, 400) and region not in ("", self.config.region):
            return Rejected(f"the bucket {bucket} is in {region}; set the region to that", "region")
        if told.get("Code") in ("AuthorizationHeaderMalformed", "InvalidAccessKeyId"):
            return Unauthorized(f"{host_of(self.root)} does not accept the credentials: {said}")
        if status == 404:
            return Rejected(f"there is no bucket {bucket} at {self.config.url}", "bucket")
        return judge(
            host_of(self.root), status, said or reply.reason,
            reads=reply.request.method in READS, after=reply.headers.get("Retry-After", ""),
        )  # fmt: skip

    @property
    def root(self) -> str:
        """The address of the bucket."""
        if self.config.path_style:
            return f"{self.config.url}/{self.config.bucket}"
        parts = urlsplit(self.config.url)
        return urlunsplit(parts._replace(netloc=f"{self.config.bucket}.{parts.netloc}"))


@hookimpl
def pod_sinks() -> list[type[PodSink]]:
    """Return the bucket."""
    return [S3]
