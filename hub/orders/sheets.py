"""What the API shows of orders and imports: frozen sheets, made for many rows in few queries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from sqlmodel import col, select

from hub.nouns import Address, Noun, Recipient
from hub.orders.imports import errors
from hub.orders.wishes import read_windows
from hub.store import ImportRow, OrderLineRow, OrderRow, Session, StopRow


class LineSheet(Noun):
    """One article of an order."""

    id: str
    name: str
    sku: str
    quantity: int
    load: int
    loads: dict[str, float]


class StopSheet(Noun):
    """The order's stop, as far as it has come."""

    id: str
    state: str
    route: str | None
    eta_at: datetime | None
    ended_at: datetime | None
    reason: str


class OrderSheet(Noun):
    """An order with its person, lines and stop; amounts are text, instants UTC."""

    id: str
    merchant: str
    source: str
    ref: str
    kind: str
    state: str
    reason: str
    recipient: Recipient
    address: Address
    lat: float | None
    lon: float | None
    depot: str | None
    service_date: date
    window_start: datetime | None
    window_end: datetime | None
    windows: tuple[tuple[datetime, datetime], ...]
    """Where there are several; the two above are then their outer edges."""
    service_time: int
    loads: dict[str, float]
    skills: tuple[str, ...]
    priority: int
    driver: str | None
    """Id of the only driver who may come."""
    turn: str
    on_board: int | None
    pair: str
    cash_due: Decimal | None
    total: Decimal | None
    currency: str
    invoice: str
    notes: str
    received_at: datetime
    updated_at: datetime
    cancelled_at: datetime | None
    lines: tuple[LineSheet, ...]
    stop: StopSheet | None


class ErrorSheet(Noun):
    """One row of a file that was left out."""

    line: int
    field: str
    reason: str


class ImportSheet(Noun):
    """An import: how far it has come, and what was left out."""

    id: str
    merchant: str
    filename: str
    form: str
    state: str
    reason: str
    note: str
    rows: int
    created: int
    updated: int
    unchanged: int
    refused: int
    bytes_done: int
    bytes_total: int
    created_at: datetime
    finished_at: datetime | None
    errors: tuple[ErrorSheet, ...]
    more_errors: int
    """Refused rows beyond those listed."""


_SAME = (
    "id", "merchant", "source", "ref", "kind", "state", "reason", "lat", "lon", "depot",
    "service_date", "window_start", "window_end", "service_time", "cash_due", "total", "currency",
    "invoice", "notes", "received_at", "updated_at", "cancelled_at",
    "loads", "priority", "driver", "turn", "on_board", "pair",
)  # fmt: skip


def order_sheets(session: Session, rows: Sequence[OrderRow]) -> list[OrderSheet]:
    """Return the sheets of orders that the caller may see, in their order."""
    ids = [row.id for row in rows]
    lines: dict[str, list[OrderLineRow]] = {}
    for line in session.exec(
        select(OrderLineRow)
        .where(col(OrderLineRow.order).in_(ids))
        .order_by(col(OrderLineRow.order), col(OrderLineRow.number))
    ):
        lines.setdefault(line.order, []).append(line)
    stops = {
        stop.order: stop
        for stop in session.exec(select(StopRow).where(col(StopRow.order).in_(ids)))
    }
    return [order_sheet(row, lines.get(row.id, []), stops.get(row.id)) for row in rows]


def order_sheet(row: OrderRow, lines: Sequence[OrderLineRow], stop: StopRow | None) -> OrderSheet:
    """Return one order's sheet."""
    return OrderSheet(
        **{name: getattr(row, name) for name in _SAME},
        recipient=Recipient(name=row.name, phone=row.phone, email=row.email),
        address=Address.model_validate(row.address),
        windows=tuple(read_windows(row.windows)),
        skills=tuple(row.skills),
        lines=tuple(
            LineSheet(**one.model_dump(include=set(LineSheet.model_fields))) for one in lines
        ),
        stop=stop_sheet(stop) if stop is not None else None,
    )


def stop_sheet(stop: StopRow) -> StopSheet:
    """Return what an order's reader may know of its stop."""
    return StopSheet(
        id=stop.id,
        state=stop.state,
        route=stop.route,
        eta_at=stop.eta_at,
        ended_at=stop.ended_at,
        reason=stop.reason,
    )


def import_sheet(session: Session, row: ImportRow) -> ImportSheet:
    """Return an import with the rows that were left out, by line."""
    found, more = errors(session, row.id)
    same = set(ImportSheet.model_fields) - {"errors", "more_errors"}
    return ImportSheet(
        **{name: getattr(row, name) for name in same},
        errors=tuple(
            ErrorSheet(line=one.line, field=one.field, reason=one.reason) for one in found
        ),
        more_errors=more,
    )
