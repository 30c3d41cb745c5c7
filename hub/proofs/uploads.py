"""Photos and signatures on their way in: kept by hash, and remembered by who sent them."""

from __future__ import annotations

import json
from collections.abc import Iterable

from sqlmodel import col, select

from hub.driving.words import NamedFile
from hub.errors import Refused
from hub.hub import Hub
from hub.nouns import Noun
from hub.proofs.images import Kind, clean
from hub.queue import inbox
from hub.store import Driver, InboxRow, Session


class Upload(Noun):
    """A picture as the hub keeps it."""

    kind: Kind
    sha256: str
    size: int
    media_type: str


def upload(hub: Hub, driver: str, kind: Kind, content: bytes) -> Upload:
    """Clean a picture, keep it, and remember that `driver` sent it; the same one is kept once."""
    picture = clean(content, kind)
    kept = Upload(
        kind=kind,
        sha256=hub.files.put(picture.content),
        size=len(picture.content),
        media_type=picture.media_type,
    )
    with hub.store.write(Driver(driver)) as session:
        row, new = inbox.receive(
            session, driver, key(kind, kept.sha256), "file", kept.model_dump_json().encode()
        )
        if new:
            inbox.answer(session, row, 201, {})
    return kept


def find(session: Session, driver: str, files: Iterable[NamedFile]) -> list[Upload]:
    """Return what a report names; raise `Refused` for a file that this driver has not sent."""
    wanted = {key(file.kind, file.sha256): file for file in files}
    rows = session.exec(
        select(InboxRow).where(
            InboxRow.source == driver, InboxRow.kind == "file", col(InboxRow.key).in_(wanted)
        )
    )
    found = {row.key: Upload.model_validate(json.loads(row.body)) for row in rows}
    for name, file in wanted.items():
        if name not in found:
            raise Refused(
                f"the {file.kind} {file.sha256[:12]}… was not uploaded from this phone; "
                "send it before the report",
                "files",
            )
    return [found[name] for name in wanted]


def key(kind: str, sha256: str) -> str:
    """Return under which key an upload stands in the inbox."""
    return f"file:{kind}:{sha256}"
