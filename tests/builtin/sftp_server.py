"""A real SFTP server on loopback, made of paramiko's server interface, over a folder on disk."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import paramiko
from paramiko import SFTPAttributes, SFTPHandle, SFTPServer

USER, PASSWORD = "proofs", "correct horse"


class SftpPeer:
    """Lets `proofs` in with a password or `key`; every call of a file operation is noted."""

    def __init__(self, root: Path, extended: bool = True) -> None:
        root.mkdir()
        self.root = root
        self.extended = extended
        """Whether it knows renaming onto a name that is taken."""
        self.calls: list[tuple[str, str]] = []
        self.fail: Callable[[str, str], int | None] = lambda call, path: None
        """Returns the status with which a call ends at once, None for one that is done."""
        self.host_key = paramiko.ECDSAKey.generate()
        self.key = paramiko.RSAKey.generate(2048)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.transports: list[paramiko.Transport] = []
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def fingerprint(self) -> str:
        return str(self.host_key.fingerprint)

    def accept(self) -> None:
        while True:
            try:
                made, _ = self.listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(made)
            transport.name = "peer"
            transport.add_server_key(self.host_key)
            transport.set_subsystem_handler("sftp", Subsystem, Files, self)
            self.transports.append(transport)
            # With an event it does not wait for the handshake, which a client may break off.
            transport.start_server(event=threading.Event(), server=Doorman(self))

    def close(self) -> None:
        """Take no connection any more."""
        # Closing alone would leave the port open for as long as the thread waits on it.
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def stop(self) -> None:
        self.close()
        for transport in self.transports:
            transport.close()

    def done(self, call: str) -> list[str]:
        """Return the paths with which a call was made."""
        return [path for made, path in self.calls if made == call]

    def tree(self) -> dict[str, bytes]:
        """Return the files that are there by their path."""
        found = (path for path in self.root.rglob("*") if path.is_file())
        return {str(path.relative_to(self.root)): path.read_bytes() for path in found}


class Doorman(paramiko.ServerInterface):
    """Lets one user in."""

    def __init__(self, peer: SftpPeer) -> None:
        self.peer = peer

    def check_auth_password(self, username: str, password: str) -> int:
        good = (username, password) == (USER, PASSWORD)
        return paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        good = username == USER and key == self.peer.key
        return paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "password,publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        good = kind == "session"
        return paramiko.OPEN_SUCCEEDED if good else paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED


class Subsystem(SFTPServer):
    """Answers in a thread that the checks know as the server's."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.name = "peer"


class Files(paramiko.SFTPServerInterface):
    """Works on a peer's folder."""

    def __init__(self, server: Doorman, peer: SftpPeer) -> None:
        super().__init__(server)
        self.peer = peer

    def attempt(self, call: str, path: str, work: Callable[[Path], Any]) -> Any:
        """Do something at a path below the root; return a status for what cannot be done."""
        self.peer.calls.append((call, path))
        failed = self.peer.fail(call, path)
        if failed is not None:
            return failed
        try:
            found = work(self.real(path))
        except OSError as error:
            return SFTPServer.convert_errno(error.errno or 0)
        return paramiko.SFTP_OK if found is None else found

    def real(self, path: str) -> Path:
        return self.peer.root / os.path.normpath("/" + path).lstrip("/")

    def stat(self, path: str) -> Any:
        return self.attempt("stat", path, lambda p: SFTPAttributes.from_stat(p.stat()))

    lstat = stat

    def list_folder(self, path: str) -> Any:
        return self.attempt("list", path, lambda p: [attributes(one) for one in p.iterdir()])

    def open(self, path: str, flags: int, attr: SFTPAttributes) -> Any:
        call = "write" if flags & os.O_CREAT else "read"
        return self.attempt(call, path, lambda p: opened(p, flags))

    def mkdir(self, path: str, attr: SFTPAttributes) -> Any:
        return self.attempt("mkdir", path, lambda p: p.mkdir())

    def remove(self, path: str) -> Any:
        return self.attempt("remove", path, lambda p: p.unlink())

    def rename(self, oldpath: str, newpath: str) -> Any:
        if self.real(newpath).exists():
            return paramiko.SFTP_FAILURE
        return self.attempt("rename", newpath, lambda p: moved(self.real(oldpath), p))

    def posix_rename(self, oldpath: str, newpath: str) -> Any:
        if not self.peer.extended:
            return paramiko.SFTP_OP_UNSUPPORTED
        return self.attempt("posix_rename", newpath, lambda p: moved(self.real(oldpath), p))


def attributes(path: Path) -> SFTPAttributes:
    """Return what a listing says of a file."""
    return SFTPAttributes.from_stat(path.stat(), path.name)


def opened(path: Path, flags: int) -> SFTPHandle:
    """Return a handle on a file."""
    handle = SFTPHandle(flags)
    file = path.open("wb" if flags & os.O_CREAT else "rb")
    handle.writefile = handle.readfile = file  # type: ignore[attr-defined]
    return handle


def moved(old: Path, new: Path) -> None:
    """Let a file take another's place."""
    old.replace(new)
