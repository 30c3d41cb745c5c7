"""Keep every proof in a folder of an SFTP server whose host key a person has compared."""

from __future__ import annotations

import hashlib
import io
import posixpath
from typing import TYPE_CHECKING
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from hub import Connector, Proof, Receipt, Rejected, beat, hookimpl
from hub.builtin.paths import RECORD, Template, named, path_field, place
from hub.builtin.sftp_session import fingerprint, signed_in, size_of
from hub.capabilities import PodSink

if TYPE_CHECKING:
    from paramiko import SFTPClient


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
        return fingerprint(text)

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
        with signed_in(self.config, self.config.folder) as server:
            if self.config.folder:
                ensure(server, self.config.folder)
            probe = posixpath.join(self.config.folder, f".probe-{uuid4().hex}")
            server.putfo(io.BytesIO(b"probe"), probe, file_size=5)
            server.remove(probe)

    def store(self, proof: Proof) -> Receipt:
        """Write the proof; what is there already is left alone."""
        folder = posixpath.join(self.config.folder, place(self.config.path, proof))
        kept = named(proof)
        with signed_in(self.config, self.config.folder) as server:
            if not holds(server, posixpath.join(folder, RECORD), proof.record):
                ensure(server, folder)
                for name, _, content in kept:
                    put(server, posixpath.join(folder, name), content, proof.key)
        return Receipt(
            ref=f"sftp://{self.config.host}/{folder.lstrip('/')}/{RECORD}",
            detail=f"{len(kept)} files in {folder} on {self.config.host}",
        )


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
