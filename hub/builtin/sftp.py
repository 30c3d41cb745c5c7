"""Keep every proof in a folder of an SFTP server whose host key a person has compared."""

from __future__ import annotations

import base64
import errno
import hashlib
import io
import posixpath
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from hub import Connector, Proof, Receipt, Rejected, Retry, Unauthorized, beat, hookimpl
from hub.builtin.paths import RECORD, Template, named, path_field, place
from hub.builtin.sockets import TIMEOUT, connect
from hub.capabilities import PodSink

if TYPE_CHECKING:
    from paramiko import PKey, SFTPClient, Transport

FINGERPRINT = re.compile(r"(?:SHA256:)?([A-Za-z0-9+/]{43})=?")
_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.S)


class SftpConfig(BaseModel):
    """Which server and folder, whose account, and which host key it has to show."""

    model_config = ConfigDict(extra="forbid")

    host: str = Field(
        title="Host",
        description="Its name or address, such as files.example.com",
        pattern=r"^[^\s/@:]+$|^[0-9a-fA-F:.]+$",
        max_length=253,
    )
    port: int = Field(default=22, ge=1, le=65535, title="Port", description="Of SSH; usually 22.")
    user: str = Field(
        title="User",
        description="Who may write to the folder.",
        min_length=1,
        max_length=100,
    )
    password: SecretStr | None = Field(
        default=None, title="Password", description="Of that user; or the key below."
    )
    private_key: SecretStr | None = Field(
        default=None,
        title="Private key",
        description="The whole text of a key file without a passphrase, instead of a password.",
    )
    fingerprint: str = Field(
        default="",
        title="Fingerprint of the host key",
        description="SHA256:... Left empty, the first check shows the one that the server has: "
        "compare it with what its operator says, and paste it here.",
    )
    folder: str = Field(
        default="", title="Folder", description="Where the proofs go; made if it is not there."
    )
    path: Template = path_field()

    @field_validator("fingerprint")
    @classmethod
    def readable(cls, text: str) -> str:
        """Return the fingerprint as `ssh-keygen -l` writes it."""
        if not text.strip():
            return ""
        found = FINGERPRINT.fullmatch(text.strip())
        if not found:
            raise ValueError("write it like SHA256: and 43 letters and digits")
        return f"SHA256:{found[1]}"

    @field_validator("folder")
    @classmethod
    def plain(cls, folder: str) -> str:
        """Refuse a folder that leads back up."""
        if ".." in folder.split("/") or not folder.isprintable():
            raise ValueError("it has no .. and no control characters")
        return folder.rstrip("/") or ("/" if folder else "")

    @model_validator(mode="after")
    def opens(self) -> SftpConfig:
        """Refuse settings without a way in, or with two."""
        if bool(self.password) == bool(self.private_key):
            raise ValueError("give either a password or a private key")
        return self


class Sftp(Connector[SftpConfig]):
    """Writes `<folder>/<order>/<proof>/...`; every file appears whole, the record last."""

    name = "sftp"
    title = "SFTP server"
    Config = SftpConfig
    sdk = ("paramiko",)

    def check(self) -> None:
        """Sign in, write a small file into the folder and remove it again."""
        with self._signed_in() as server:
            if self.config.folder:
                ensure(server, self.config.folder)
            probe = posixpath.join(self.config.folder, f".probe-{uuid4().hex}")
            server.putfo(io.BytesIO(b"probe"), probe, file_size=5)
            server.remove(probe)

    def store(self, proof: Proof) -> Receipt:
        """Write the proof; what is there already is left alone."""
        folder = posixpath.join(self.config.folder, place(self.config.path, proof))
        kept = named(proof)
        with self._signed_in() as server:
            if not holds(server, posixpath.join(folder, RECORD), proof.record):
                ensure(server, folder)
                for name, _, content in kept:
                    put(server, posixpath.join(folder, name), content, proof.key)
        return Receipt(
            ref=f"sftp://{self.config.host}/{folder.lstrip('/')}/{RECORD}",
            detail=f"{len(kept)} files in {folder} on {self.config.host}",
        )

    @contextmanager
    def _signed_in(self) -> Iterator[SFTPClient]:
        """Lend a connection that is signed in; every failure comes out in the hub's words."""
        import paramiko

        config, told = self.config, f"{self.config.host}:{self.config.port}"
        with trouble(told, config.user, config.folder):
            transport = paramiko.Transport(connect(config.host, config.port))
            try:
                transport.banner_timeout = transport.auth_timeout = TIMEOUT
                transport.handshake_timeout = transport.channel_timeout = TIMEOUT
                transport.start_client(timeout=TIMEOUT)
                compare(transport, told, config.fingerprint)
                sign_in(transport, config)
                client = paramiko.SFTPClient.from_transport(transport)
                if client is None:
                    raise Retry(f"{told} opens no SFTP channel")
                client.get_channel().settimeout(TIMEOUT)  # type: ignore[union-attr]
                yield client
            finally:
                transport.close()
                transport.join(TIMEOUT)  # its thread only sees a moment later that it is over


def sign_in(transport: Transport, config: SftpConfig) -> None:
    """Show who we are."""
    if config.private_key:
        key = read_key(config.private_key.get_secret_value())
        more = transport.auth_publickey(config.user, key)
    else:
        word = config.password.get_secret_value() if config.password else ""
        more = transport.auth_password(config.user, word)
    if more:
        raise Unauthorized(f"{config.host} asks {config.user} for a second proof: {more}")


@contextmanager
def trouble(told: str, user: str, folder: str) -> Iterator[None]:
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
            raise Unauthorized(f"{told}: {user} may not write to {where}; grant that") from error
        if error.errno == errno.ENOENT:
            raise Rejected(f"{told} has no folder {folder}, and none could be made") from error
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


def ensure(server: SFTPClient, folder: str) -> None:
    """Make a folder and those above it where they are not there."""
    made = "/" if folder.startswith("/") else ""
    for part in folder.strip("/").split("/"):
        made = posixpath.join(made, part)
        if size_of(server, made) is None:
            try:
                server.mkdir(made)
            except OSError:
                if size_of(server, made) is None:  # otherwise another worker was quicker
                    raise


def size_of(server: SFTPClient, path: str) -> int | None:
    """Return how many bytes a file has, None where there is none."""
    try:
        return server.stat(path).st_size or 0
    except FileNotFoundError:
        return None


def holds(server: SFTPClient, path: str, content: bytes) -> bool:
    """Say whether a file is there; raise `Rejected` where it is another one."""
    size = size_of(server, path)
    if size is None:
        return False
    if size == len(content):
        with server.open(path, "rb") as file:
            if file.read(len(content) + 1) == content:
                return True
    raise Rejected(f"{path} is another record, which is not written over; move it away")


def put(server: SFTPClient, path: str, content: bytes, key: str) -> None:
    """Write a file under another name and let it take its place; one that is there may stay."""
    if size_of(server, path) == len(content):
        return
    mark = hashlib.sha256(key.encode()).hexdigest()[:12]
    folder, name = posixpath.split(path)
    draft = posixpath.join(folder, f".{name}.{mark}")
    server.putfo(io.BytesIO(content), draft, file_size=len(content), confirm=True)
    try:
        server.posix_rename(draft, path)
    except OSError as error:
        if error.errno is not None:
            raise
        # The server knows no renaming onto a name, which is an extension of OpenSSH's.
        if size_of(server, path) is not None:
            server.remove(path)
        server.rename(draft, path)
    beat()


@hookimpl
def pod_sinks() -> list[type[PodSink]]:
    """Return the SFTP server."""
    return [Sftp]
