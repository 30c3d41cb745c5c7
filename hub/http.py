"""An outgoing HTTP session that fails in our words and never reaches private addresses."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any
from urllib.parse import urlsplit

import requests
from pydantic import AfterValidator
from requests.adapters import HTTPAdapter

from hub.errors import Rejected, Retry, Unauthorized, Unknown

TIMEOUT = (5, 20)
LARGEST_REPLY = 10_000_000
_SECRET = re.compile(r"(?i)(key|token|secret|password|authorization)=([^&\s]+)")


def allowed_addresses() -> frozenset[str]:
    """Return the `host:port` pairs that the operator opened for private addresses."""
    listed = os.environ.get("HUB_ALLOW_ADDRESSES", "")
    return frozenset(part.strip() for part in listed.split(",") if part.strip())


def guard(url: str) -> str:
    """Return an address that `url` resolves to; raise `Rejected` where it must not be called.

    Only http and https; every address the name resolves to has to be public, unless
    `host:port` is listed in `HUB_ALLOW_ADDRESSES`.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Rejected(f"{redact(url)} is no http address")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Retry(f"{parts.hostname} cannot be found ({error}); check the address") from error
    addresses = [str(entry[4][0]) for entry in found]
    if f"{parts.hostname}:{port}" in allowed_addresses():
        return addresses[0]
    for address in addresses:
        if not is_public(address):
            raise Rejected(
                f"{parts.hostname}:{port} is a private address; "
                f"add it to HUB_ALLOW_ADDRESSES if the hub may call it"
            )
    return addresses[0]


def secure(url: str) -> str:
    """Return `url` without a final slash; raise `ValueError` where credentials would go in clear.

    https, or http to this machine or to an address that the operator opened.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("give a full address such as https://shop.example.com")
    if parts.username or parts.password:
        raise ValueError("leave user and password out of the address")
    opened = f"{parts.hostname}:{parts.port or 80}" in allowed_addresses()
    if parts.scheme == "http" and not opened and parts.hostname not in ("127.0.0.1", "localhost"):
        raise ValueError("use https, or the credentials could be read on the way")
    return url.rstrip("/")


Url = Annotated[str, AfterValidator(secure)]
"""The address of a service in a `Config`."""


def is_public(address: str) -> bool:
    """Say whether `address` lies on the open internet, also behind IPv6 wrappings."""
    found = ipaddress.ip_address(address.split("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if inner is not None:
            return is_public(str(inner))
        if found in ipaddress.ip_network("64:ff9b::/96"):
            return is_public(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
    return found.is_global and not found.is_multicast


def redact(text: str) -> str:
    """Return `text` without the values of what looks like a credential in a query."""
    return _SECRET.sub(r"\1=***", text)


class GuardedAdapter(HTTPAdapter):
    """Refuses private addresses before every connection is made."""

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        guard(request.url or "")
        return super().send(request, **kwargs)


def session() -> requests.Session:
    """Return a session with the guard mounted; redirects are not followed by `Http`."""
    made = requests.Session()
    made.trust_env = False
    made.mount("http://", GuardedAdapter())
    made.mount("https://", GuardedAdapter())
    return made


class Http:
    """Call one service; every failure comes out as one of the errors of `hub.errors`.

    401 and 403 are `Unauthorized`, 429 and 5xx `Retry` (with Retry-After), other 4xx `Rejected`,
    a connection that could not be made `Retry`, a reply that was lost `Unknown`.
    """

    def __init__(self, root: str, **headers: str) -> None:
        self.root = root.rstrip("/")
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def get(self, path: str, **kwargs: Any) -> requests.Response:
        """GET; a lost reply is a `Retry`, because reading changes nothing."""
        try:
            return self.request("GET", path, **kwargs)
        except Unknown as error:
            raise Retry(str(error)) from error

    def read(self, path: str, **kwargs: Any) -> requests.Response:
        """POST a query that changes nothing, as GraphQL does; a lost reply is a `Retry`."""
        try:
            return self.request("POST", path, **kwargs)
        except Unknown as error:
            raise Retry(str(error)) from error

    def post(self, path: str, **kwargs: Any) -> requests.Response:
        """POST; a lost reply is `Unknown`."""
        return self.request("POST", path, **kwargs)

    def put(self, path: str, **kwargs: Any) -> requests.Response:
        """PUT; a lost reply is `Unknown`."""
        return self.request("PUT", path, **kwargs)

    def request(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **kwargs: Any
    ) -> requests.Response:
        """Send one request with our time limits and return a reply of the 2xx kind."""
        url = path if path.startswith(("http://", "https://")) else self.root + path
        kwargs.setdefault("timeout", TIMEOUT)
        sent = {**self.headers, **(headers or {})}
        with calling(self.root), session() as made:
            reply = made.request(method, url, headers=sent, allow_redirects=False, **kwargs)
        return understood(reply)


@contextmanager
def calling(root: str) -> Iterator[None]:
    """Raise our words for what `requests` raises inside; `root` names the service.

    Connectors whose SDK calls `requests` by itself wrap its calls in this.
    """
    try:
        yield
    except requests.exceptions.ConnectTimeout as error:
        raise Retry(f"{root} did not answer in time; it is tried again") from error
    except requests.exceptions.ReadTimeout as error:
        raise Unknown(f"{root} took the request but its answer never came") from error
    except requests.exceptions.ConnectionError as error:
        raise lost_or_refused(root, error) from error
    except requests.exceptions.RequestException as error:
        raise Unknown(f"{root}: {redact(str(error))}") from error


def lost_or_refused(root: str, error: requests.exceptions.ConnectionError) -> Retry | Unknown:
    """Tell a connection that was never made from one that broke after the request was sent."""
    text = str(error)
    never = ("NewConnectionError", "NameResolutionError", "Connection refused", "Errno 111")
    if any(sign in text for sign in never):
        return Retry(f"{root} cannot be reached; it is tried again")
    return Unknown(f"{root} closed the connection before it answered")


def understood(reply: requests.Response) -> requests.Response:
    """Return a 2xx reply; raise what any other status means for the caller."""
    status = reply.status_code
    if 200 <= status < 300:
        return reply
    host = urlsplit(reply.url).netloc
    said = redact(reply.text[:300].strip()) or reply.reason
    if status in (401, 403):
        raise Unauthorized(f"{host} does not accept the credentials ({status}): {said}")
    if status == 429 or status >= 500:
        raise Retry(f"{host} answered {status}: {said}", after=retry_after(reply))
    if status in (408, 425):
        raise Retry(f"{host} answered {status}: {said}")
    raise Rejected(f"{host} refused it ({status}): {said}")


def retry_after(reply: requests.Response) -> float | None:
    """Return the seconds that Retry-After asks for, where it gives a number (RFC 9110 10.2.3)."""
    said = reply.headers.get("Retry-After", "")
    return float(said) if said.isdigit() else None
