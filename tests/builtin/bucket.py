"""An S3 service with one bucket, which believes no signature that it has not computed itself.

The computation follows Amazon's "Create a signed AWS API request" (Signature Version 4): canonical
request, string to sign, derived key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from hub.testing.patience import PATIENCE

SKEW = timedelta(minutes=15)


@dataclass
class Object:
    """What is kept under a key."""

    content: bytes
    headers: dict[str, str]


@dataclass
class Answer:
    """A status with an S3 error, or headers."""

    status: int
    code: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The error as XML, nothing where there is none."""
        text = f"<Error><Code>{self.code}</Code><Message>no</Message></Error>"
        return text.encode() if self.code else b""


class Bucket:
    """The bucket `proofs` of one account; `script` holds answers that are given first."""

    name = "proofs"
    region = "eu-central-1"
    access_key = "AKIAEXAMPLE"
    secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCY"

    def __init__(self, *, conditional: bool = True) -> None:
        self.conditional = conditional
        """Whether it knows If-None-Match."""
        self.objects: dict[str, Object] = {}
        self.calls: list[tuple[str, str]] = []
        self.script: list[Answer | None] = []
        """None hangs up after having done what was asked."""
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self.server.daemon_threads = True

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        path, _, query = target.partition("?")
        fault = self.distrust(method, path, query, headers, body)
        if fault:
            return Answer(403, fault)
        style = headers["host"].partition(":")[0]
        in_host = style.startswith(f"{self.name}.")
        whole = unquote(path).lstrip("/")
        bucket, _, key = (self.name, "", whole) if in_host else whole.partition("/")
        self.calls.append((method, key))
        if bucket != self.name:
            return Answer(404, "NoSuchBucket")
        if method == "PUT":
            return self.put(key, headers, body)
        if method == "HEAD":
            kept = self.objects.get(key)
            return Answer(200, headers=kept.headers) if kept else Answer(404, "NoSuchKey")
        return Answer(200)

    def put(self, key: str, headers: dict[str, str], body: bytes) -> Answer:
        if "if-none-match" in headers and not self.conditional:
            return Answer(501, "NotImplemented")
        if headers.get("if-none-match") == "*" and key in self.objects:
            return Answer(412, "PreconditionFailed")
        if headers.get("content-md5") != base64.b64encode(hashlib.md5(body).digest()).decode():
            return Answer(400, "BadDigest")
        kept = {n: v for n, v in headers.items() if n.startswith("x-amz-meta-")}
        self.objects[key] = Object(body, {**kept, "content-type": headers["content-type"]})
        return Answer(200)

    def distrust(
        self, method: str, path: str, query: str, headers: dict[str, str], body: bytes
    ) -> str:
        """Return what is wrong with a signature, nothing for one that holds."""
        algorithm, _, rest = headers.get("authorization", "").partition(" ")
        parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
        if algorithm != "AWS4-HMAC-SHA256" or set(parts) < {"Credential", "SignedHeaders"}:
            return "AccessDenied"
        access_key, date, region, service, end = parts["Credential"].split("/")
        if (access_key, service, end) != (self.access_key, "s3", "aws4_request"):
            return "InvalidAccessKeyId"
        if region != self.region:
            return "AuthorizationHeaderMalformed"
        stamp = headers["x-amz-date"]
        at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if abs(datetime.now(UTC) - at) > SKEW or date != stamp[:8]:
            return "RequestTimeTooSkewed"
        signed = parts["SignedHeaders"].split(";")
        if "host" not in signed or {n for n in headers if n.startswith("x-amz-")} - set(signed):
            return "AccessDenied"
        payload = headers.get("x-amz-content-sha256", "")
        if payload != hashlib.sha256(body).hexdigest():
            return "XAmzContentSHA256Mismatch"
        canonical = "\n".join([
            method, quote(unquote(path), safe="/-_.~"), canonical_query(query),
            *[f"{name}:{' '.join(headers[name].split())}" for name in sorted(signed)],
            "", ";".join(sorted(signed)), payload,
        ])  # fmt: skip
        scope = f"{date}/{region}/s3/aws4_request"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        wanted = signature(self.secret_key, [date, region, "s3", "aws4_request"],
                           f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}")  # fmt: skip
        held = hmac.compare_digest(wanted, parts.get("Signature", ""))
        return "" if held else "SignatureDoesNotMatch"


def canonical_query(query: str) -> str:
    """Return a query string in the order and spelling that is signed."""
    pairs = parse_qsl(query, keep_blank_values=True)
    return "&".join(sorted(f"{quote(n, safe='-_.~')}={quote(v, safe='-_.~')}" for n, v in pairs))


def signature(secret: str, scope: list[str], text: str) -> str:
    """Return the signature of a string to sign under the key derived for a scope."""
    key = f"AWS4{secret}".encode()
    for part in scope:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def handler(bucket: Bucket) -> type[BaseHTTPRequestHandler]:
    """Return the handler class of a bucket."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = PATIENCE

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            scripted: Answer | None = bucket.script.pop(0) if bucket.script else Answer(0)
            if scripted is None or scripted.status == 0:
                found = bucket.answer(self.command, self.path, headers, body)
                if scripted is None:
                    self.close_connection = True
                    return
            else:
                found = scripted
            content = found.content if self.command != "HEAD" else b""
            self.send_response(found.status)
            for name, value in {**found.headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_HEAD = do_PUT = handle_any

    return Handler
