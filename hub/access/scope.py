"""The one way to read rows on somebody's behalf."""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import and_, false, true
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from hub.errors import Missing
from hub.store import (
    ConnectionRow,
    Driver,
    Merchant,
    MerchantRow,
    Operator,
    Principal,
    RouteRow,
    Session,
    StopRow,
    System,
)

Row = TypeVar("Row", bound=SQLModel)


def scoped(session: Session, table: type[Row]) -> SelectOfScalar[Row]:
    """Return a select of those rows of `table` that the session's principal may see."""
    return select(table).where(visible(table, session.principal))


def get(session: Session, table: type[Row], id: str) -> Row:
    """Return the row with `id`; raise `Missing` where there is none or none to be seen."""
    # PostgreSQL takes no NUL in a text, so such an id is not even asked for.
    query = scoped(session, table).where(column(table, "id") == id)
    found = session.exec(query).one_or_none() if "\x00" not in id else None
    if found is None:
        raise Missing(f"there is no {table.__tablename__} {id[:60]}")
    return found


def visible(table: type[SQLModel], principal: Principal) -> ColumnElement[bool]:
    """Return the condition under which `principal` sees a row of `table`.

    A connection that was removed is seen by nobody.
    """
    if table is ConnectionRow:
        return and_(mine(table, principal), col(ConnectionRow.removed_at).is_(None))
    return mine(table, principal)


def mine(table: type[SQLModel], principal: Principal) -> ColumnElement[bool]:
    """Return the condition under which a row of `table` is `principal`'s to see."""
    if isinstance(principal, Operator):
        return true() if principal.role not in ("merchant", "driver") else false()
    if isinstance(principal, Driver):
        return driven(table, principal)
    if isinstance(principal, System):
        return true() if principal.merchant is None else owned(table, principal.merchant)
    if isinstance(principal, Merchant):
        return owned(table, principal.id)
    raise TypeError("nobody sees nothing: open the session on somebody's behalf")


def owned(table: type[SQLModel], merchant: str) -> ColumnElement[bool]:
    """Return the condition under which a merchant sees a row: its own, or through its stops."""
    if table is MerchantRow:
        return col(MerchantRow.id) == merchant
    if table is RouteRow:
        own = select(StopRow.route).where(StopRow.merchant == merchant)
        return col(RouteRow.id).in_(own)
    if "merchant" in table.model_fields:
        own_rows: ColumnElement[bool] = column(table, "merchant") == merchant
        return own_rows
    return false()


def driven(table: type[SQLModel], driver: Driver) -> ColumnElement[bool]:
    """Return the condition under which a driver sees a row: own published routes, their stops."""
    routes = select(RouteRow.id).where(
        RouteRow.driver == driver.id, col(RouteRow.state).not_in(["draft", "cancelled"])
    )
    if table is RouteRow:
        return col(RouteRow.id).in_(routes)
    if table is StopRow:
        return col(StopRow.route).in_(routes)
    return false()


def column(table: type[SQLModel], name: str) -> Any:
    """Return the column `name` of `table`."""
    return getattr(table, name)
