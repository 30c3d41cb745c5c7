"""A file of orders on its way in: kept, read in short transactions, resumed where it stopped."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, cast

from sqlmodel import func, select

from hub.access import get
from hub.errors import Refused
from hub.events import MerchantFacts, append
from hub.events.catalogue import ImportFinished
from hub.events.facts import ImportFacts
from hub.nouns import Cursor, Order, RefusedRow
from hub.orders.intake import Taken, take_all
from hub.orders.resolve import open_desk
from hub.queue import Claim, defer, enqueue, finish
from hub.queue.work import renew
from hub.store import ImportErrorRow, ImportRow, MerchantRow, Principal, Session, System

if TYPE_CHECKING:
    from hub.hub import Hub

KIND = "import"
SOURCE = "csv"
CONNECTOR = "csv"
LARGEST_FILE = 64_000_000
MOST_ERRORS = 1000
"""Refused rows that are kept word for word; further ones are counted."""
FIRST_CHUNK, LARGEST_CHUNK = 10, 200
LONGEST_WRITE = 0.02
"""Seconds that a chunk's transaction aims at: well below the 50 ms that one may take."""
TURN = 30.0
"""Seconds after which an import lets other heavy work go first."""


class FileSource(Protocol):
    """What an import asks of the source that reads its file."""

    def inspect(self) -> Any: ...

    def pull(self, cursor: Cursor) -> Iterator[Order | RefusedRow | Cursor]: ...


@dataclass
class Chunk:
    """What goes into one transaction: orders, refusals, and where the file stands behind them."""

    orders: list[Order] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    cursor: str = ""
    size: int = 0


def start(
    hub: Hub,
    principal: Principal,
    merchant: str,
    filename: str,
    content: bytes | BinaryIO,
    service_date: date | None = None,
) -> str:
    """Keep a file and have it imported for `merchant`; return the import's id.

    Raise `Missing` for a merchant that the principal may not see, `Refused` for an empty file or
    one of more than 64 MB.
    """
    with hub.store.read(principal) as session:
        get(session, MerchantRow, merchant)
    sha256, size = keep(hub, content)
    with hub.store.write(principal) as session:
        row = ImportRow(
            merchant=merchant,
            filename=clean_name(filename),
            sha256=sha256,
            service_date=service_date,
            bytes_total=size,
            created_by=getattr(principal, "user", ""),
            created_at=session.now,
        )
        session.add(row)
        enqueue(session, KIND, row.id, queue="heavy")
        return row.id


def keep(hub: Hub, content: bytes | BinaryIO) -> tuple[str, int]:
    """Store the file and return its SHA-256 and size in bytes."""
    stream = io.BytesIO(content) if isinstance(content, bytes) else content
    sha256, size = hub.files.take(stream, LARGEST_FILE)
    if not size:
        raise Refused("the file is empty", "file")
    return sha256, size


def clean_name(filename: str) -> str:
    """Return the last part of a file's name, fit to be shown."""
    last = filename.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(sign for sign in last if sign.isprintable())[:200] or "orders.csv"


def work(hub: Hub, claim: Claim) -> None:
    """Go on with an import until its end, or until others had to wait for long enough."""
    with hub.store.read() as session:
        row = session.get(ImportRow, claim.subject)
    if row is None or row.state in ("done", "refused"):
        with hub.store.write() as session:
            finish(session, claim)
        return
    try:
        source = open_source(hub, row)
        if row.state == "waiting":
            begin(hub, claim, source)
        finished = read_on(hub, claim, row, source)
    except Refused as refusal:
        close(hub, claim, "refused", str(refusal))
        return
    if finished:
        close(hub, claim, "done")
    else:
        with hub.store.write() as session:
            defer(session, claim, session.wall)


def open_source(hub: Hub, row: ImportRow) -> FileSource:
    """Return the source that reads an import's file."""
    kind = hub.plugins.connector(CONNECTOR)
    config = kind.Config.model_validate(
        {"path": str(hub.files.path(row.sha256)), "service_date": row.service_date}
    )
    return cast(FileSource, kind(config))


def begin(hub: Hub, claim: Claim, source: FileSource) -> None:
    """Note which form of file it is and which columns are not read."""
    layout = source.inspect()
    with hub.store.write() as session:
        renew(session, claim)
        row = session.get_one(ImportRow, claim.subject)
        row.state, row.form, row.note = "running", layout.form.name, layout.note()


def read_on(hub: Hub, claim: Claim, row: ImportRow, source: FileSource) -> bool:
    """Take the file in from where it stands; return whether its end was reached."""
    began, size = time.monotonic(), FIRST_CHUNK
    records = source.pull(Cursor(value=row.cursor))
    while chunk := gather(records, size):
        seconds = store_chunk(hub, claim, chunk)
        size = next_size(size, chunk.size, seconds)
        if time.monotonic() - began > TURN:
            return False
    return True


def next_size(size: int, done: int, seconds: float) -> int:
    """Return how many orders the next transaction takes, so that it stays short."""
    if done < size:
        return size
    fitting = int(size * LONGEST_WRITE / max(seconds, 0.001))
    return max(5, min(LARGEST_CHUNK, fitting, size * 2))


def gather(records: Iterator[Order | RefusedRow | Cursor], size: int) -> Chunk | None:
    """Return the next `size` orders and refusals up to a cursor, or None at the file's end."""
    chunk = Chunk()
    for record in records:
        if isinstance(record, Cursor):
            chunk.cursor = record.value
            chunk.lines.extend([line_of(record)] * (len(chunk.orders) - len(chunk.lines)))
            if chunk.size >= size:
                break
        else:
            chunk.size += 1
            if isinstance(record, Order):
                chunk.orders.append(record)
            else:
                chunk.refused.append(record)
    return chunk if chunk.cursor else None


def line_of(cursor: Cursor) -> int:
    """Return the line in which the order before a cursor ends."""
    return int(cursor.value.partition(":")[0])


def store_chunk(hub: Hub, claim: Claim, chunk: Chunk) -> float:
    """Write one chunk with the cursor behind it; return the seconds that the database was held.

    Whoever dies before the commit leaves nothing; whoever goes on begins behind the last commit.
    """
    with hub.store.read() as session:
        merchant = session.get_one(ImportRow, claim.subject).merchant
        desk = open_desk(hub, session, merchant, chunk.orders)
    with hub.store.write(System(merchant)) as session:
        began = time.perf_counter()
        renew(session, claim)
        row = session.get_one(ImportRow, claim.subject)
        taken = take_all(hub, session, merchant, SOURCE, chunk.orders, desk)
        refused = list(chunk.refused)
        for line, order in zip(chunk.lines, taken, strict=True):
            if isinstance(order, Taken):
                setattr(row, order.news, getattr(row, order.news) + 1)
            else:
                refused.append(
                    RefusedRow(line=line, field=(order.field or "")[:100], reason=str(order)[:500])
                )
        keep_errors(session, row, refused)
        row.refused += len(refused)
        row.rows += chunk.size
        row.cursor = chunk.cursor
        row.bytes_done = min(row.bytes_total, int(chunk.cursor.partition(":")[2] or 0))
        session.flush()
        return time.perf_counter() - began


def keep_errors(session: Session, row: ImportRow, refused: list[RefusedRow]) -> None:
    """Keep refusals for the report, up to a number that still can be read."""
    room = MOST_ERRORS - row.refused
    session.add_all(
        ImportErrorRow(import_=row.id, line=one.line, field=one.field, reason=one.reason)
        for one in islice(refused, max(0, room))
    )


def close(hub: Hub, claim: Claim, state: str, reason: str = "") -> None:
    """End an import and tell about it."""
    with hub.store.write() as session:
        row = session.get_one(ImportRow, claim.subject)
        row.state, row.reason, row.finished_at = state, reason[:500], session.now
        if state == "done":
            row.bytes_done = row.bytes_total
        merchant = session.get_one(MerchantRow, row.merchant)
        append(
            session,
            ImportFinished(
                subject=row.id,
                merchant_id=row.merchant,
                import_=facts(row),
                merchant=MerchantFacts(id=merchant.id, name=merchant.name),
            ),
        )
        finish(session, claim)


def facts(row: ImportRow) -> ImportFacts:
    """Return an import in numbers."""
    return ImportFacts(
        id=row.id,
        rows=row.rows,
        created=row.created,
        updated=row.updated,
        unchanged=row.unchanged,
        refused=row.refused,
    )


def errors(session: Session, id: str, limit: int = MOST_ERRORS) -> tuple[list[ImportErrorRow], int]:
    """Return the refused rows of an import by line, and how many more were only counted."""
    row = get(session, ImportRow, id)
    kept = session.exec(
        select(func.count()).select_from(ImportErrorRow).where(ImportErrorRow.import_ == id)
    ).one()
    rows = session.exec(
        select(ImportErrorRow)
        .where(ImportErrorRow.import_ == id)
        .order_by(ImportErrorRow.line, ImportErrorRow.id)  # type: ignore[arg-type]
        .limit(limit)
    )
    return list(rows), max(0, row.refused - kept)
