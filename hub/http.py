"""An outgoing HTTP session that fails in our words and never reaches private addresses."""

from __future__ import annotations

import io
import ipaddress
import logging
import os
import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Annotated, Any
from urllib.parse import urlsplit

import requests
import urllib3
from pydantic import AfterValidator
from requests.adapters import HTTPAdapter
from urllib3 import exceptions as transport
from urllib3.connection import HTTPConnection, HTTPSConnection

from hub.budget import Budget, Spending
from hub.deadlines import beat
from hub.errors import Rejected, Retry, Unknown
from hub.exchange import tell
from hub.redaction import redact
from hub.verdicts import READS as READS
from hub.verdicts import host_of as host_of
from hub.verdicts import judge as judge
from hub.verdicts import sentence as sentence
from hub.verdicts import understood as understood

TIMEOUT = (5, 20)
LARGEST_REPLY = 10_000_000
"""Bytes, unpacked; a larger reply is not read to its end."""
CHUNK = 65_536


def allowed_addresses() -> frozenset[str]:
    """Return the `host:port` pairs that the operator opened for private addresses."""
    listed = os.environ.get("HUB_ALLOW_ADDRESSES", "")
    return frozenset(part.strip() for part in listed.split(",") if part.strip())


def guard(url: str) -> str:
    """Return an address that `url` resolves to; raise `Rejected` where it must not be called.

    It tells early. What is connected to is checked again by `CheckedConnection`, because a name
    may resolve to something else a moment later.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise Rejected(f"{redact(url)} is no http address") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Rejected(f"{redact(url)} is no http address")
    return str(resolved(parts.hostname, port)[0][4][0])


def resolved(host: str, port: int) -> list[tuple[Any, ...]]:
    """Return what `getaddrinfo` finds; raise `Rejected` where one address must not be called.

    Every address has to be public, unless `host:port` is listed in `HUB_ALLOW_ADDRESSES`. A name
    that cannot be found is a `Retry`.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Retry(f"{host} cannot be found ({error}); check the address") from error
    except UnicodeError as error:
        raise Rejected(f"{host} is no host name") from error
    if f"{host}:{port}" not in allowed_addresses():
        for entry in found:
            if not is_public(str(entry[4][0])):
                raise Rejected(
                    f"{host}:{port} is a private address; "
                    f"add it to HUB_ALLOW_ADDRESSES if the hub may call it"
                )
    return list(found)


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


class CheckedConnection(HTTPConnection):
    """Resolves the name once, checks every address, and connects to exactly those.

    Whatever fails before the connection stands is a `Retry`: nothing was sent.
    """

    def connect(self) -> None:
        """Connect, with TLS where it is https; raise `Rejected` or `Retry`."""
        try:
            super().connect()
        except (OSError, transport.HTTPError) as error:
            raise Retry(f"{self.host} {unreached(error)}; it is tried again") from error

    def _new_conn(self) -> socket.socket:
        failure = OSError("it has no address")
        for family, kind, protocol, _, place in resolved(self._dns_host, self.port):
            try:
                made = socket.socket(family, kind, protocol)
            except OSError as error:  # this machine has no IPv6
                failure = error
                continue
            try:
                for option in self.socket_options or ():
                    made.setsockopt(*option)
                made.settimeout(self.timeout)
                made.connect(place)
            except OSError as error:
                failure = error
                made.close()
            else:
                return made
        raise failure


class CheckedTlsConnection(CheckedConnection, HTTPSConnection):
    """The same over TLS, where the certificate has to hold for the name, not the address."""


class CheckedPool(urllib3.HTTPConnectionPool):
    """Connections to one host over http."""

    ConnectionCls = CheckedConnection


class CheckedTlsPool(urllib3.HTTPSConnectionPool):
    """Connections to one host over https."""

    ConnectionCls = CheckedTlsConnection


POOLS = {"http": CheckedPool, "https": CheckedTlsPool}


def unreached(error: Exception) -> str:
    """Return in words why a connection could not be made."""
    if isinstance(error, TimeoutError | transport.ConnectTimeoutError):
        return "did not answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"shows a certificate that does not hold ({error.verify_message})"
    return "cannot be reached safely" if isinstance(error, ssl.SSLError) else "cannot be reached"


class TooLarge(Rejected):
    """Say that a reply has more than `LARGEST_REPLY` bytes."""


def limited(chunks: Iterable[bytes], host: str) -> bytes:
    """Return the chunks as one; raise `TooLarge` as soon as they are too many."""
    kept = bytearray()
    for chunk in chunks:
        kept += chunk
        if len(kept) > LARGEST_REPLY:
            raise TooLarge(
                f"{host} answered with more than {LARGEST_REPLY:,} bytes, "
                f"which is more than the hub reads"
            )
    beat()
    return bytes(kept)


class GuardedAdapter(HTTPAdapter):
    """Connects to checked addresses only and reads no more than `LARGEST_REPLY`."""

    def init_poolmanager(self, *given: Any, **named: Any) -> None:
        """Make the pools of connections."""
        super().init_poolmanager(*given, **named)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def send(  # type: ignore[override]
        self, request: requests.PreparedRequest, stream: bool = False, **kwargs: Any
    ) -> requests.Response:
        """Send and, unless a stream is asked for, read the reply up to the limit."""
        reply = super().send(request, stream=True, **kwargs)
        if not stream:
            try:
                reply._content = limited(reply.iter_content(CHUNK), host_of(request.url or ""))
            except BaseException:
                reply.close()
                raise
            kept = reply._content
            tell(
                request.method or "", request.url or "", request.headers, request.body,
                reply.status_code, reply.headers, kept,
            )  # fmt: skip
        return reply


class GuardedPool(urllib3.PoolManager):
    """The same for an SDK that brings urllib3: checked addresses, no redirect, no repetition.

    Each request takes from `budget`, where one is given.
    """

    def __init__(self, *, budget: Budget | None = None, **named: Any) -> None:
        super().__init__(**named)
        self.budget = budget
        self.pool_classes_by_scheme = POOLS

    def urlopen(  # type: ignore[override]
        self, method: str, url: str, redirect: bool = True, **named: Any
    ) -> urllib3.BaseHTTPResponse:
        """Send one request and return its reply, read to the end."""
        named |= {"retries": False, "preload_content": False}
        with taken(self.budget) as spending:
            reply = super().urlopen(method, url, redirect=False, **named)
            try:
                body = limited(reply.stream(CHUNK, decode_content=True), host_of(url))
            except BaseException:
                reply.close()
                raise
            if spending:
                spending.answered(reply.status, reply.headers)
        sent = named.get("headers") or self.headers
        tell(method, url, sent, named.get("body"), reply.status, reply.headers, body)
        return urllib3.HTTPResponse(
            io.BytesIO(body),
            headers=reply.headers,
            status=reply.status,
            reason=reply.reason,
            decode_content=False,
            request_method=method,
        )


def covered(record: logging.LogRecord) -> bool:
    """Cover what looks like a credential in the addresses that urllib3 logs; let every line by."""
    given = record.args if isinstance(record.args, tuple) else ()
    if given:
        record.args = tuple(redact(one) if isinstance(one, str) else one for one in given)
    return True


def session() -> requests.Session:
    """Return a session with the guard mounted; redirects are not followed by `Http`."""
    logging.getLogger("urllib3.connectionpool").addFilter(covered)
    made = requests.Session()
    made.trust_env = False
    made.mount("http://", GuardedAdapter())
    made.mount("https://", GuardedAdapter())
    return made


class Http:
    """Call one service; every failure comes out as one of the errors of `hub.errors`.

    What a status means says `judge`. A connection that could not be made is a `Retry`; a reply
    that was lost is `Unknown`, except after a request that changes nothing. Each request takes from
    `budget`, where one is given, and is a `Retry` where that is used up.
    """

    def __init__(self, root: str, *, budget: Budget | None = None, **headers: str) -> None:
        self.root = root.rstrip("/")
        self.budget = budget
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def get(self, path: str, **kwargs: Any) -> requests.Response:
        """GET; a lost reply is a `Retry`, because reading changes nothing."""
        return self.request("GET", path, **kwargs)

    def read(self, path: str, **kwargs: Any) -> requests.Response:
        """POST a query that changes nothing, as GraphQL does; a lost reply is a `Retry`."""
        return self.request("POST", path, reads=True, **kwargs)

    def post(self, path: str, **kwargs: Any) -> requests.Response:
        """POST; a lost reply is `Unknown`."""
        return self.request("POST", path, **kwargs)

    def put(self, path: str, **kwargs: Any) -> requests.Response:
        """PUT; a lost reply is `Unknown`."""
        return self.request("PUT", path, **kwargs)

    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        *,
        reads: bool | None = None,
        accepts: Iterable[int] = (),
        **kwargs: Any,
    ) -> requests.Response:
        """Send one request with our time limits; return a reply of the 2xx kind or of `accepts`.

        `reads` says that it changes nothing; where it is not given, the method tells.
        """
        url = path if path.startswith(("http://", "https://")) else self.root + path
        kwargs.setdefault("timeout", TIMEOUT)
        sent = {**self.headers, **(headers or {})}
        harmless = method.upper() in READS if reads is None else reads
        with taken(self.budget) as spending:
            with calling(self.root, reads=harmless), session() as made:
                reply = made.request(method, url, headers=sent, allow_redirects=False, **kwargs)
            if spending:
                spending.answered(reply.status_code, reply.headers)
        return reply if reply.status_code in accepts else understood(reply, reads=harmless)


def taken(budget: Budget | None) -> AbstractContextManager[Spending | None]:
    """Return a block that takes one call from a budget, or nothing where there is none."""
    return budget.taken() if budget is not None else nullcontext()


@contextmanager
def calling(root: str, *, reads: bool = False) -> Iterator[None]:
    """Raise our words for what `requests` and urllib3 raise inside; `root` names the service.

    Connectors whose SDK makes its calls by itself wrap them in this. `reads` says that the call
    changes nothing, so that a lost reply is a `Retry` and not `Unknown`.
    """
    wrong = requests.exceptions
    try:
        yield
    except TooLarge as error:
        if reads:
            raise
        raise Unknown(str(error)) from error
    except (wrong.InvalidURL, wrong.InvalidSchema, wrong.MissingSchema) as error:
        raise Rejected(f"{root} is no http address") from error
    except wrong.InvalidHeader as error:  # its text would repeat the header, perhaps a token
        raise Rejected(f"{root} was not called: a setting holds a line break") from error
    except (wrong.RequestException, transport.HTTPError) as error:
        raise lost(root, error, reads=reads) from error


def lost(root: str, error: Exception, *, reads: bool) -> Retry | Unknown:
    """Return what a broken call means: `Unknown` once a request that changes something was sent."""
    if never_sent(error):
        return Retry(f"{root} cannot be reached; it is tried again")
    if isinstance(error, requests.exceptions.ReadTimeout | transport.ReadTimeoutError):
        said = f"{root} took the request but its answer never came"
    elif isinstance(error, requests.exceptions.ConnectionError | transport.ProtocolError):
        said = f"{root} closed the connection before it answered"
    else:
        said = f"{root}: {redact(str(error))}"
    return Retry(said) if reads else Unknown(said)


def never_sent(error: Exception) -> bool:
    """Say whether a connection failed before anything could be sent over it."""
    inner = error.args[0] if error.args else None
    reasons = (error, inner, getattr(inner, "reason", None))
    never = (transport.NewConnectionError, transport.ConnectTimeoutError)
    return any(isinstance(reason, never) for reason in reasons)
