"""Photos and documents, named by the SHA-256 of what they hold."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from hub.errors import Missing, Refused

PIECE = 1_000_000


class Files:
    """A folder of immutable files; `url` is `file:///...`."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "file":
            raise Refused(f"HUB_FILES_URL {url!r}: only file: addresses can be used", "files_url")
        self.folder = Path(unquote(parts.path))

    def put(self, content: bytes) -> str:
        """Keep `content` and return its SHA-256; the file is whole or not there at all."""
        digest = hashlib.sha256(content).hexdigest()
        path = self.path(digest)
        if path.exists():
            return digest
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(file.name, path)
        return digest

    def take(self, stream: BinaryIO, limit: int) -> tuple[str, int]:
        """Keep what `stream` holds, piece by piece; return its SHA-256 and its size in bytes.

        Raise `Refused` when there are more than `limit` bytes; nothing is kept then.
        """
        digest, size = hashlib.sha256(), 0
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as file:
            try:
                while piece := stream.read(PIECE):
                    size += len(piece)
                    if size > limit:
                        raise Refused(f"the file is larger than {limit:,} bytes", "file")
                    digest.update(piece)
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
                path = self.path(digest.hexdigest())
                path.parent.mkdir(parents=True, exist_ok=True)
                os.replace(file.name, path)
            except BaseException:
                os.unlink(file.name)
                raise
        return digest.hexdigest(), size

    def get(self, digest: str) -> bytes:
        """Return what is kept under `digest`; raise `Missing` if nothing is."""
        try:
            return self.path(digest).read_bytes()
        except FileNotFoundError as error:
            raise Missing(f"no file {digest[:12]}… is stored") from error

    def drop(self, digest: str) -> None:
        """Delete what is kept under `digest`; nothing there is no error."""
        self.path(digest).unlink(missing_ok=True)

    def path(self, digest: str) -> Path:
        """Return where `digest` lies; anything but 64 hex digits is refused."""
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise Missing("that is no file's name")
        return self.folder / digest[:2] / digest
