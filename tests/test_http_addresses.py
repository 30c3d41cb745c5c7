"""Connections go to the address that was checked, whatever the name says a moment later."""

from __future__ import annotations

import http.server
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hub.errors import Rejected, Retry
from hub.http import GuardedPool, Http, calling

NAME = "gateway.example"
PUBLIC = "93.184.215.14"
GENUINE = socket.getaddrinfo


def by_http(url: str, trusted: str) -> int:
    """POST with the hub's own client."""
    return Http(url).post("/x", verify=trusted or True).status_code


def by_pool(url: str, trusted: str) -> int:
    """POST as an SDK does that brings urllib3."""
    with calling(url):
        return GuardedPool(ca_certs=trusted or None).request("POST", f"{url}/x").status


callers = pytest.mark.parametrize("call", [by_http, by_pool])
Call = Callable[[str, str], int]


class Counts(http.server.BaseHTTPRequestHandler):
    """Answers 200."""

    def do_POST(self) -> None:
        """Answer."""
        self.server.seen.append(self.headers["Host"])  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def loopback() -> Iterator[Any]:
    """Return a server that counts connections in `opened` and keeps hosts and names in `seen`."""

    class Server(http.server.ThreadingHTTPServer):
        opened = 0

        def verify_request(self, request: Any, client_address: Any) -> bool:
            self.opened += 1
            return True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Keep quiet about a caller that does not trust us."""

    made = Server(("127.0.0.1", 0), Counts)
    made.seen = []  # type: ignore[attr-defined]
    threading.Thread(target=made.serve_forever, args=(0.02,), daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Answer look-ups of `NAME` one after the other from `answers`; the last one stays."""

    class Resolver:
        answers: list[list[str]] = [["127.0.0.1"]]  # noqa: RUF012
        asked = 0

        def __call__(self, host: str, port: int, *given: Any, **named: Any) -> Any:
            assert host == NAME
            self.asked += 1
            found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            return [one for address in found for one in GENUINE(address, port, *given, **named)]

    made = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", made)
    return made


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the addresses that are connected to; a public one refuses without being called."""
    places: list[str] = []
    genuine = socket.socket.connect

    def connect(made: socket.socket, place: tuple[str, int]) -> None:
        places.append(place[0])
        if place[0] == PUBLIC:
            raise ConnectionRefusedError(111, "Connection refused")
        genuine(made, place)

    monkeypatch.setattr(socket.socket, "connect", connect)
    return places


@callers
def test_a_name_that_turns_to_loopback_after_the_check_reaches_nothing_there(
    call: Call, resolver: Any, dialled: list[str], loopback: Any
) -> None:
    resolver.answers = [[PUBLIC], ["127.0.0.1"]]
    with pytest.raises(Retry, match="cannot be reached"):
        call(f"http://{NAME}:{loopback.server_port}", "")
    assert dialled == [PUBLIC]
    assert resolver.asked == 1
    assert loopback.opened == 0


@callers
def test_one_private_address_among_public_ones_is_enough_to_refuse(
    call: Call, resolver: Any, dialled: list[str], loopback: Any
) -> None:
    resolver.answers = [[PUBLIC, "127.0.0.1"]]
    with pytest.raises(Rejected, match="private address"):
        call(f"http://{NAME}:{loopback.server_port}", "")
    assert dialled == []


@callers
def test_an_opened_name_is_called_and_told_its_name(
    call: Call, resolver: Any, loopback: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"{NAME}:{loopback.server_port}"
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", place)
    assert call(f"http://{place}", "") == 200
    assert loopback.seen == [place]


@callers
def test_the_next_address_is_tried_where_the_first_refuses(
    call: Call,
    resolver: Any,
    dialled: list[str],
    loopback: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = f"{NAME}:{loopback.server_port}"
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", place)
    resolver.answers = [[PUBLIC, "127.0.0.1"]]
    assert call(f"http://{place}", "") == 200
    assert dialled == [PUBLIC, "127.0.0.1"]


def certified(folder: Path, name: str, server: Any) -> str:
    """Let `server` speak TLS as `name`, note who is asked for, and return what to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    trusted, secret = folder / "cert.pem", folder / "key.pem"
    trusted.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, secret)
    context.sni_callback = lambda _, asked, __: server.seen.append(f"TLS {asked}")
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    return str(trusted)


@callers
def test_over_tls_the_certificate_has_to_hold_for_the_name(
    call: Call, resolver: Any, loopback: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"{NAME}:{loopback.server_port}"
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", place)
    trusted = certified(tmp_path, NAME, loopback)
    assert call(f"https://{place}", trusted) == 200
    assert loopback.seen == [f"TLS {NAME}", place]


@callers
@pytest.mark.parametrize("name", ["other.example", NAME])
def test_with_a_certificate_that_does_not_hold_nothing_is_sent(
    call: Call,
    name: str,
    resolver: Any,
    loopback: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = f"{NAME}:{loopback.server_port}"
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", place)
    trusted = certified(tmp_path, name, loopback)
    with pytest.raises(Retry, match="certificate that does not hold"):
        call(f"https://{place}", "" if name == NAME else trusted)
    assert loopback.seen == [f"TLS {NAME}"]


@callers
def test_tls_goes_only_to_the_checked_address(
    call: Call, resolver: Any, dialled: list[str], loopback: Any
) -> None:
    resolver.answers = [[PUBLIC], ["127.0.0.1"]]
    with pytest.raises(Retry):
        call(f"https://{NAME}:{loopback.server_port}", "")
    assert dialled == [PUBLIC]
    assert loopback.opened == 0
