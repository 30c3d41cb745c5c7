"""A folder of this machine, and one of an SFTP server, as a source of files sees them."""

from __future__ import annotations

import os
import posixpath
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from hub import Rejected, Retry, Unauthorized, beat
from hub.builtin.generic.files import LARGEST, Entry
from hub.builtin.generic.settings import Config
from hub.builtin.sftp_session import signed_in

if TYPE_CHECKING:
    from paramiko import SFTPClient

CHUNK = 262_144


@dataclass(frozen=True)
class Here:
    """A folder of this machine."""

    path: Path

    def entries(self) -> list[Entry]:
        """Return the files that lie in it; links are not followed out of it."""
        found = []
        try:
            with os.scandir(self.path) as listed:
                for one in listed:
                    if one.is_file(follow_symlinks=False):
                        told = one.stat(follow_symlinks=False)
                        found.append(Entry(one.name, told.st_size, int(told.st_mtime)))
        except OSError as error:
            raise trouble(self.path, error) from error
        return found

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Open a file; raise `FileNotFoundError` where there is none."""
        try:
            flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)
            number = os.open(self.path / name, flags)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise trouble(self.path / name, error) from error
        with os.fdopen(number, "rb") as file:
            yield file

    def move(self, name: str, into: str) -> None:
        """Move a file into a folder below."""
        folder = self.path / into
        try:
            folder.mkdir(exist_ok=True)
            target = folder / name
            for number in range(2, 1_000):
                if not target.exists():
                    break
                target = folder / f"{number}-{name}"
            (self.path / name).rename(target)
            with suppress(FileNotFoundError):
                (self.path / f"{name}.done").unlink()
        except FileNotFoundError:
            return  # somebody else was quicker
        except OSError as error:
            raise trouble(self.path, error, "write to") from error


def trouble(path: Path, error: OSError, may: str = "read") -> Retry | Unauthorized:
    """Return what `error` means: a person has to open the folder, or it may work later."""
    reason = error.strerror or str(error)
    if isinstance(error, PermissionError | NotADirectoryError | FileNotFoundError):
        return Unauthorized(f"the hub may not {may} {path} ({reason}); make it and give the right")
    return Retry(f"{path} could not be used ({reason}); mount it")


@dataclass(frozen=True)
class Account:
    """Who signs in to which SFTP server."""

    host: str
    port: int
    user: str
    password: SecretStr | None
    private_key: SecretStr | None
    fingerprint: str

    @classmethod
    def of(cls, config: Config) -> Account:
        """Return the account of a connection."""
        parts = urlsplit(config.url)
        return cls(
            parts.hostname or "", parts.port or 22, config.user,
            config.password if config.password.get_secret_value() else None,
            config.private_key if config.private_key.get_secret_value() else None,
            config.fingerprint,
        )  # fmt: skip


@dataclass(frozen=True)
class There:
    """A folder of an SFTP server, or a single file; the session is open."""

    server: SFTPClient
    path: str

    def entries(self) -> list[Entry]:
        """Return the files that lie in it."""
        told = self.server.stat(self.path or ".")
        if stat.S_ISREG(told.st_mode or 0):
            name = posixpath.basename(self.path)
            return [Entry(name, told.st_size or 0, int(told.st_mtime or 0))]
        return [
            Entry(one.filename, one.st_size or 0, int(one.st_mtime or 0))
            for one in self.server.listdir_attr(self.path or ".")
            if stat.S_ISREG(one.st_mode or 0) and "/" not in one.filename
        ]

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Lend a local copy of a file; raise `FileNotFoundError` where there is none."""
        place = self.place(name)
        told = self.server.stat(place).st_size or 0
        with self.server.open(place, "rb") as source:
            copy = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - closed below
            with copy:
                source.prefetch(told)
                size = 0
                while piece := source.read(CHUNK):
                    size += len(piece)
                    if size > LARGEST:
                        raise Rejected(f"{name} has more than {LARGEST:,} bytes")
                    copy.write(piece)
                    beat()
                copy.seek(0)
                yield copy

    def move(self, name: str, into: str) -> None:
        """Move a file into a folder below."""
        folder = posixpath.join(self.folder, into)
        with suppress(OSError):
            self.server.mkdir(folder)  # it may be there
        target = posixpath.join(folder, name)
        for number in range(2, 1_000):
            if not self.exists(target):
                break
            target = posixpath.join(folder, f"{number}-{name}")
        with suppress(FileNotFoundError):  # somebody else was quicker
            self.server.rename(self.place(name), target)
        with suppress(FileNotFoundError):
            self.server.remove(f"{self.place(name)}.done")

    @property
    def folder(self) -> str:
        """The folder itself, also where the address names a file in it."""
        told = self.server.stat(self.path or ".")
        is_file = stat.S_ISREG(told.st_mode or 0)
        return posixpath.dirname(self.path) if is_file else self.path

    def place(self, name: str) -> str:
        """Return where a file lies."""
        return posixpath.join(self.folder, name)

    def exists(self, path: str) -> bool:
        """Say whether something lies at a path."""
        try:
            self.server.stat(path)
        except FileNotFoundError:
            return False
        return True


@contextmanager
def remote(config: Config) -> Iterator[There]:
    """Lend the folder that the address of a connection names."""
    path = unquote(urlsplit(config.url).path)
    # /~/orders is below the user's own folder, /orders is from the root, as OpenSSH writes it.
    path = path.removeprefix("/~/") if path.startswith("/~/") else path
    with signed_in(Account.of(config), path, "read") as server:
        yield There(server, path)
