"""A session with an SFTP server: only the one whose host key a person has compared.

The sink of proofs writes through it, and a source of orders reads through it.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from pydantic import SecretStr

from hub import Rejected, Retry, Unauthorized
from hub.builtin.sockets import TIMEOUT, connect

if TYPE_CHECKING:
    from paramiko import PKey, SFTPClient, Transport

FINGERPRINT = re.compile(r"(?:SHA256:)?([A-Za-z0-9+/]{43})=?")
_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.S)


class Account(Protocol):
    """Which server, who signs in there and how, and the host key that it has to show."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def user(self) -> str: ...
    @property
    def password(self) -> SecretStr | None: ...
    @property
    def private_key(self) -> SecretStr | None: ...
    @property
    def fingerprint(self) -> str: ...


def fingerprint(text: str) -> str:
    """Return a fingerprint as `ssh-keygen -l` writes it; raise `ValueError` for what is none."""
    if not text.strip():
        return ""
    found = FINGERPRINT.fullmatch(text.strip())
    if not found:
        raise ValueError("write it like SHA256: and 43 letters and digits")
    return f"SHA256:{found[1]}"


@contextmanager
def signed_in(account: Account, folder: str, may: str = "write to") -> Iterator[SFTPClient]:
    """Lend a connection that is signed in; every failure comes out in the hub's words.

    `folder` and `may` are what is done there, for those words.
    """
    import paramiko

    told = f"{account.host}:{account.port}"
    with trouble(told, account.user, folder, may):
        transport = paramiko.Transport(connect(account.host, account.port))
        try:
            transport.banner_timeout = transport.auth_timeout = TIMEOUT
            transport.handshake_timeout = transport.channel_timeout = TIMEOUT
            transport.start_client(timeout=TIMEOUT)
            compare(transport, told, account.fingerprint)
            sign_in(transport, account)
            client = paramiko.SFTPClient.from_transport(transport)
            if client is None:
                raise Retry(f"{told} opens no SFTP channel")
            client.get_channel().settimeout(TIMEOUT)  # type: ignore[union-attr]
            yield client
        finally:
            transport.close()
            transport.join(TIMEOUT)  # its thread only sees a moment later that it is over


def sign_in(transport: Transport, account: Account) -> None:
    """Show who we are."""
    if account.private_key:
        key = read_key(account.private_key.get_secret_value())
        more = transport.auth_publickey(account.user, key)
    else:
        word = account.password.get_secret_value() if account.password else ""
        more = transport.auth_password(account.user, word)
    if more:
        raise Unauthorized(f"{account.host} asks {account.user} for a second proof: {more}")


@contextmanager
def trouble(told: str, user: str, folder: str, may: str) -> Iterator[None]:
    """Raise our words for what paramiko and the server raise inside.

    Files are written under another name first, so whatever breaks off may be done again.
    """
    import paramiko

    try:
        yield
    except paramiko.AuthenticationException as error:
        raise Unauthorized(f"{told} does not let {user} in; change password or key") from error
    except paramiko.SSHException as error:
        raise Retry(f"{told}: {error or 'the connection broke'}; it is tried again") from error
    except EOFError as error:
        raise Retry(f"{told} closed the connection; it is tried again") from error
    except OSError as error:
        if error.errno == errno.EACCES:
            where = folder or "its folder"
            raise Unauthorized(f"{told}: {user} may not {may} {where}; grant that") from error
        if error.errno == errno.ENOENT:
            raise Rejected(f"{told} has no folder {folder or 'of that name'}") from error
        said = error.strerror or str(error) or "the connection broke"
        raise Retry(f"{told}: {said}; it is tried again") from error


def compare(transport: Transport, told: str, wanted: str) -> None:
    """Raise `Unauthorized` unless the server shows the host key that a person has compared."""
    key = transport.get_remote_server_key()
    digest = hashlib.sha256(key.asbytes()).digest()
    seen = f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"
    if not wanted:
        raise Unauthorized(
            f"{told} shows the host key {seen} ({key.get_name()}); compare it with what its "
            f"operator says and paste it into the settings"
        )
    if seen != wanted:
        raise Unauthorized(
            f"{told} shows the host key {seen} ({key.get_name()}), not {wanted}: somebody may be "
            f"listening in. Change the settings only if its operator says that the key is new"
        )


def read_key(text: str) -> PKey:
    """Return a private key; raise `Unauthorized` for what cannot be read.

    A field of one line takes the line breaks out of what is pasted, so they are put in again.
    """
    import paramiko

    found = _PEM.search(text)
    if not found:
        raise Unauthorized("the private key has no BEGIN and END; paste the whole file")
    body = re.sub(r"\s+", "", found[2])
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    whole = "\n".join([f"-----BEGIN {found[1]}-----", *lines, f"-----END {found[1]}-----", ""])
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            made: PKey = kind.from_private_key(io.StringIO(whole))
        except (paramiko.SSHException, ValueError, IndexError):
            continue
        return made
    raise Unauthorized("the private key cannot be read; it has to be without a passphrase")


def size_of(server: SFTPClient, path: str) -> int | None:
    """Return how many bytes a file has, None where there is none."""
    try:
        return server.stat(path).st_size or 0
    except FileNotFoundError:
        return None
