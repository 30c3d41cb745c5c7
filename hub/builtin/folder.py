"""Keep every proof in a folder: the record, the PDF and the pictures, one folder per proof."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hub import Connector, Proof, Receipt, Retry, Unauthorized, hookimpl
from hub.builtin.paths import RECORD, safe
from hub.capabilities import PodSink


class FolderConfig(BaseModel):
    """Where the proofs go."""

    model_config = ConfigDict(extra="forbid")

    path: Path = Field(
        title="Folder",
        description="An absolute path that the hub may write to; it is made if it is not there.",
    )

    @field_validator("path")
    @classmethod
    def absolute(cls, path: Path) -> Path:
        """Refuse a path that depends on where the hub was started."""
        if not path.is_absolute():
            raise ValueError(f"{path} is not absolute; write it from the root, such as /srv/proofs")
        return path


class Folder(Connector[FolderConfig]):
    """Writes `<order>/<proof>/record.json`, `proof.pdf` and the pictures."""

    name = "folder"
    title = "Folder"
    Config = FolderConfig

    def check(self) -> None:
        """Write a small file and remove it again."""
        probe = self.config.path / f".probe-{uuid4().hex}"
        try:
            self.config.path.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"probe")
            probe.unlink()
        except OSError as error:
            raise trouble(self.config.path, error) from error

    def store(self, proof: Proof) -> Receipt:
        """Write the proof, all of it or nothing; one that is there already is left alone."""
        target = self.config.path / safe(proof.order, "order") / safe(proof.id, "proof")
        try:
            if not holds(target, proof):
                write(target, proof)
        except OSError as error:
            raise trouble(self.config.path, error) from error
        return Receipt(ref=str(target), detail=f"{len(proof.files) + 1} files in {target}")


def write(target: Path, proof: Proof) -> None:
    """Fill a hidden folder beside `target` and let it take its place in one step."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=target.parent))
    try:
        put(draft / RECORD, proof.record)
        for file in proof.files:
            put(draft / safe(file.name, "file"), file.content)
        draft.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def put(path: Path, content: bytes) -> None:
    """Write a file so that it is on the disk when this returns."""
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def holds(target: Path, proof: Proof) -> bool:
    """Say whether `target` has this very record and every file of it."""
    record = target / RECORD
    if not record.is_file() or record.read_bytes() != proof.record:
        return False
    return all((target / safe(file.name, "file")).is_file() for file in proof.files)


def trouble(path: Path, error: OSError) -> Retry | Unauthorized:
    """Return what `error` means: a person has to open the folder, or it may work later."""
    reason = error.strerror or str(error)
    if isinstance(error, PermissionError | NotADirectoryError | FileExistsError):
        return Unauthorized(f"the hub may not write to {path} ({reason}); give it the right to")
    return Retry(f"{path} could not be written ({reason}); make room or mount it")


@hookimpl
def pod_sinks() -> list[type[PodSink]]:
    """Return the folder sink."""
    return [Folder]
